"""How every script in stages/ starts and ends: `if __name__ == "__main__": run(main)`.

A mendable error becomes one line on stderr and exit 1; a bug keeps its traceback.
"""

import errno
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

from funreason.errors import FunReasonError

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


def run(main: Callable[..., None]) -> None:
    """Call main(*command line arguments) and exit with 0, or 1 (error), 2 (usage), 130 (interrupted)."""
    _use_own_source(Path(sys.argv[0]))
    sys.exit(outcome(main, sys.argv[1:]))


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
    return 0


def _fail(line: str, status: int) -> int:
    print(line, file=sys.stderr, flush=True)
    return status
