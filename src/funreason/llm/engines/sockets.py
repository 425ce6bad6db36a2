"""Where the shared engines of this user and machine listen, and how they are asked to leave.

Each has `<name>.sock`, `<name>.log` and `<name>.lock` in one folder that nobody else may enter; `name` stands for all
that the engine was started with. Without torch or vLLM: a stage that trains asks here for the memory.
"""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Client, Connection
from pathlib import Path

from funreason.core.errors import EngineError

HELLO, LEAVE = "hello", "leave"
_HELLO_S = 10  # an idle engine says hello at once; a busy one is not disturbed
_LEAVE_S = 60  # until its memory is free


def folder() -> Path:
    """Made if it is not there. Raises EngineError where somebody else's stands in its place."""
    path = Path(tempfile.gettempdir()) / f"funreason-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise EngineError(f"{path} must be a folder of yours with mode 700; remove it, or set TMPDIR to another place")
    return path


def connect(path: Path) -> Connection | None:
    """None where nobody listens: the file is one that a killed engine left, or there is none."""
    try:
        return Client(str(path), "AF_UNIX")
    except (FileNotFoundError, ConnectionRefusedError):
        return None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody starts or ends the process of this socket meanwhile; a killed holder holds nothing."""
    with open(path.with_suffix(".lock"), "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stop_idle(but: Path | None = None) -> None:
    """Ask all idle engines but one to end, and wait until their memory is free: models seldom fit in side by side."""
    for path in sorted(folder().glob("*.sock")):
        if path == but:
            continue
        if (connection := connect(path)) is None:
            continue  # killed: the next one to need this name clears it away
        with connection:
            try:
                if connection.poll(_HELLO_S) and connection.recv() == HELLO:
                    connection.send(LEAVE)
                    connection.poll(_LEAVE_S)  # the end of the file: its process is gone
            except (EOFError, ConnectionError):
                pass
