"""How every script in stages/ starts and ends: `if __name__ == "__main__": run(main)`.

An error that the user can mend becomes one line on stderr and exit status 1; a bug keeps its traceback. A stage that
DVC started ends when DVC does: left alone, it would write beside the stage that the next `dvc repro` starts.
"""

import ctypes
import errno
import inspect
import os
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from funreason.core.errors import FunReasonError
from funreason.core.stage_times import StageTimes

# The libraries under the stages report usage by default. Set here because every stage imports this module first;
# setdefault, so that a user can still turn it on.
for _name in ("HF_HUB_DISABLE_TELEMETRY", "VLLM_NO_USAGE_STATS", "DVC_NO_ANALYTICS", "DO_NOT_TRACK"):
    os.environ.setdefault(_name, "1")

_MENDABLE = {
    errno.ENOSPC: "no space left on the device; free some and run again",
    errno.EDQUOT: "disk quota exceeded; free some space and run again",
    errno.EACCES: "permission denied; check the owner and the mode of the path",
    errno.EROFS: "the file system is read-only; run in a writable folder",
}
_ENVIRONMENT = "run `make setup`, then `source .venv/bin/activate`"
# How safetensors, torch, Arrow and SQLite report a full disk, each with an error class of its own.
_FULL = re.compile(r"No space left on device|StorageFull|database or disk is full|PytorchStreamWriter failed writing")
# An error may repeat texts of data, models or servers: what a terminal would obey is not printed.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SET_PDEATHSIG = 1  # <linux/prctl.h>
LINE_S = 60.0  # seconds between two lines of `TimeLeft`
_SHELLS = ("sh", "dash", "bash", "zsh", "fish", "ksh")


def run(main: Callable[..., None]) -> None:
    """Call main(*command line arguments) and exit with 0, or 1 (error), 2 (usage), 130 (interrupted)."""
    times = None
    if "DVC_STAGE" in os.environ:  # started by hand, a stage may outlive its shell (nohup)
        end_with_dvc()
        if sys.platform == "linux" and "LOCAL_RANK" not in os.environ:
            times = StageTimes(os.environ["DVC_STAGE"], _dvc_process())
            times.announce()
    begun = time.monotonic()
    status = outcome(main, sys.argv[1:])
    if times and not status:
        times.keep(time.monotonic() - begun)
    sys.exit(status)


def end_with_dvc() -> None:
    """Have this process killed when DVC ends, however DVC ends; a launcher's rank when its launcher does. Linux only.

    The kernel kills it when its parent ends. DVC runs a command through $SHELL, and some shells (dash) stay between
    DVC and the command: a thread then waits for DVC itself. `exec python …` in dvc.yaml would replace such a shell,
    but DVC prints its commands, and pasted into a terminal that line would close the terminal.
    """
    end_with_parent()
    if sys.platform != "linux" or "LOCAL_RANK" in os.environ:
        return
    dvc = _dvc_process()
    if dvc != os.getppid():
        with suppress(OSError, AttributeError):  # kernels before 5.3 have no pidfd, nor some builds of Python
            threading.Thread(target=_end_with, args=[os.pidfd_open(dvc)], daemon=True).start()
    if os.getsid(dvc) != os.getsid(0):  # DVC ended before; the process that adopts orphans has another session
        sys.exit("error: DVC has ended; run `dvc repro` again to go on")


def _dvc_process() -> int:
    """DVC's process: the parent, or that of a shell in between."""
    parent = os.getppid()
    with suppress(OSError):
        if Path(f"/proc/{parent}/comm").read_text().strip() in _SHELLS:
            return int(Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[1])
    return parent


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent ends; as a `preexec_fn`, the new child. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGKILL)


def _end_with(process: int) -> None:
    select.select([process], [], [])
    os.kill(os.getpid(), signal.SIGKILL)


def outcome(main: Callable[..., None], argv: list[str]) -> int:
    """The exit status of `run`, for callers that stay alive (the command line, the tests).

    Args:
        main: the function of a stage or a command.
        argv: its arguments, as texts.

    Returns:
        0, 1 (an error that the user can mend, printed on one line), 2 (wrong arguments) or 130 (interrupted).
    """
    try:
        inspect.signature(main).bind(*argv)
    except TypeError as error:
        wanted = " ".join(name.upper() for name in inspect.signature(main).parameters)
        return _fail(f"usage: python {sys.argv[0]} {wanted} ({error})", 2)
    try:
        main(*argv)
    except FunReasonError as error:
        return _fail(f"error: {' '.join(_CONTROL.sub(' ', str(error)).split())}", 1)
    except KeyboardInterrupt:
        return _fail("error: interrupted; run again to go on", 130)
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] == "funreason":
            raise
        return _fail(f"error: {sys.executable} has no package {error.name!r}: {_ENVIRONMENT}", 1)
    except OSError as error:
        if error.errno not in _MENDABLE:
            raise
        return _fail(f"error: {error.filename or 'a write'}: {_MENDABLE[error.errno]}", 1)
    except Exception as error:
        if not _FULL.search(str(error)):
            raise
        return _fail(f"error: a write: {_MENDABLE[errno.ENOSPC]}", 1)
    return 0


def _fail(line: str, status: int) -> int:
    print(line, file=sys.stderr, flush=True)
    return status


class TimeLeft:
    """A line per minute with the time left, on stderr: for where there is no terminal to show a bar.

    Args:
        name: The beginning of the line.
        total: How much there is to do.
        done: How much of it was done before.
    """

    def __init__(self, name: str, total: int, done: int = 0):
        self._name, self._total, self._before = name, total, done
        self._begun = self._printed = time.monotonic()

    def update(self, done: int, shown: Callable[[float], str]) -> None:
        """Print a line if the last one is a minute old.

        Args:
            done: How much is done by now.
            shown: Seconds since the beginning → the middle of the line.
        """
        now = time.monotonic()
        if now - self._printed >= LINE_S:
            self._printed, seconds = now, now - self._begun
            left = seconds / max(done - self._before, 1) * (self._total - done)
            print(f"{self._name}: {shown(seconds)}, {left / 60:.0f} min left", file=sys.stderr, flush=True)
