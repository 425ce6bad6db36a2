"""Where the shared engines of this user and machine listen, and how they are asked to leave.

Each has `<name>.sock`, `<name>.log` and `<name>.lock` in one folder that nobody else may enter; `name` is a digest of
everything that the engine was started with. The stage that trains depends on this module, and on no other engine code.
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
    """The folder of the sockets, made where there is none. Raises EngineError where others may enter it."""
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
    """Meanwhile nobody else starts or ends the process of this socket; a killed holder releases the lock."""
    with open(path.with_suffix(".lock"), "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stop_idle(but: Path | None = None) -> None:
    """Ask idle engines to end, and wait until their memory is free: two models seldom fit side by side.

    Args:
        but: The socket of an engine that may stay.
    """
    for path in sorted(folder().glob("*.sock")):
        if path == but:
            continue
        if (connection := connect(path)) is None:
            continue  # killed: the next stage that needs this name clears the file away
        with connection:
            try:
                if connection.poll(_HELLO_S) and connection.recv() == HELLO:
                    connection.send(LEAVE)
                    connection.poll(_LEAVE_S)  # the end of the file: its process is gone
            except (EOFError, ConnectionError):
                pass
