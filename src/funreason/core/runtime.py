"""How every script in stages/ starts and ends: `if __name__ == "__main__": run(main)`.

A mendable error becomes one line on stderr and exit 1; a bug keeps its traceback. Under DVC a stage ends with it: one
that went on alone would write beside the stage that the next `dvc repro` starts.
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
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from funreason.core.errors import FunReasonError

# The libraries under the stages phone home by default. Set here because this module is the first import of
# every stage; setdefault, so that a user can still say otherwise.
for _name in ("HF_HUB_DISABLE_TELEMETRY", "VLLM_NO_USAGE_STATS", "DVC_NO_ANALYTICS", "DO_NOT_TRACK"):
    os.environ.setdefault(_name, "1")

_MENDABLE = {
    errno.ENOSPC: "no space left on the device; free some and run again",
    errno.EDQUOT: "disk quota exceeded; free some space and run again",
    errno.EACCES: "permission denied; check the owner and the mode of the path",
    errno.EROFS: "the file system is read-only; run in a writable folder",
}


# What safetensors, torch, Arrow and SQLite make of it, each with an error class of its own.
_FULL = re.compile(r"No space left on device|StorageFull|database or disk is full|PytorchStreamWriter failed writing")
_SET_PDEATHSIG = 1  # <linux/prctl.h>
_SHELLS = ("sh", "dash", "bash", "zsh", "fish", "ksh")


def run(main: Callable[..., None]) -> None:
    """Call main(*command line arguments) and exit with 0, or 1 (error), 2 (usage), 130 (interrupted)."""
    _use_own_source(Path(sys.argv[0]))
    if "DVC_STAGE" in os.environ:  # by hand, it may well outlive the shell: nohup
        end_with_dvc()
    sys.exit(outcome(main, sys.argv[1:]))


def end_with_dvc() -> None:
    """Let this process be killed when DVC is gone, however that was killed; a launcher's rank with its launcher. Linux.

    The kernel does it when the parent goes. Where a shell stands between, a thread waits for DVC itself.
    """
    end_with_parent()
    if sys.platform != "linux" or "LOCAL_RANK" in os.environ:
        return
    dvc = os.getppid()
    with suppress(OSError, AttributeError):  # kernels before 5.3 have no pidfd, nor some builds of Python
        if Path(f"/proc/{dvc}/comm").read_text().strip() in _SHELLS:  # bash gives way to its command, dash stays
            dvc = int(Path(f"/proc/{dvc}/stat").read_text().rpartition(")")[2].split()[1])
            threading.Thread(target=_end_with, args=[os.pidfd_open(dvc)], daemon=True).start()
    if os.getsid(dvc) != os.getsid(0):  # it died before; whoever adopts orphans stands in a session of its own
        sys.exit("error: DVC is gone; run `dvc repro` again to go on")


def end_with_parent() -> None:
    """Let the kernel kill this process, or as `preexec_fn` the child to be, when its parent goes. Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGKILL)


def _end_with(process: int) -> None:
    select.select([process], [], [])
    os.kill(os.getpid(), signal.SIGKILL)


def _use_own_source(script: Path) -> None:
    """Start anew with the source beside the script, where this package is another: the installed one is the main
    checkout's, and DVC runs experiments (--temp, --queue) in copies of it.
    """
    source = script.resolve().parent.parent / "src"
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    own = Path(__file__).resolve().is_relative_to(source) or not (source / "funreason").is_dir()
    if not own and str(source) not in paths:  # there already: Python was told to ignore it (-E)
        os.environ["PYTHONPATH"] = os.pathsep.join([str(source), *paths])  # for the processes of this one, too
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def outcome(main: Callable[..., None], argv: list[str]) -> int:
    """The exit status of `run`, for callers that stay alive (the command line, the tests)."""
    try:
        inspect.signature(main).bind(*argv)
    except TypeError as error:
        wanted = " ".join(name.upper() for name in inspect.signature(main).parameters)
        return _fail(f"usage: python {sys.argv[0]} {wanted} ({error})", 2)
    try:
        main(*argv)
    except FunReasonError as error:
        return _fail(f"error: {' '.join(str(error).split())}", 1)
    except KeyboardInterrupt:
        return _fail("error: interrupted; run again to go on", 130)
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
