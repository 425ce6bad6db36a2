"""Where the shared engines of this clone listen, and how they are asked to leave.

Each has `<name>.sock`, `<name>.log` and `<name>.lock` in a folder that nobody else may enter; `name` is a digest of
everything that the engine was started with. `<name>.<process>.alive` is locked as long as the process lives, also where
it does not listen: training waits for that. Another clone on this machine has a folder of its own: it neither asks the
engines of this one nor ends them. FUNREASON_ENGINES names one folder for several clones that share their engines. The
stage that trains depends on this module, and on no other engine code.
"""

import fcntl
import hashlib
import os
import select
import stat
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Client, Connection
from pathlib import Path

from funreason.core.errors import EngineError

HELLO, LEAVE = "hello", "leave"
_HELLO_S = 10  # an idle engine says hello at once; a busy one is not disturbed
_LEAVE_S = 60  # until its memory is free
_GRACE_S = 10  # for an engine that ends, until somebody is told that it is waited for
_SIGN = ".alive"
_DEVICES = "CUDA_VISIBLE_DEVICES"
_LONGEST = 107 - len("/0123456789abcdef.sock.new")  # bytes; the system's limit for the name of a socket


def folder() -> Path:
    """The folder of the sockets of this clone, made where there is none.

    The temporary workspaces of DVC's experiments belong to the clone that they are made of.

    Raises:
        EngineError: Others may enter it, or its name is too long for a socket.
    """
    if shared := os.environ.get("FUNREASON_ENGINES"):
        return _private(Path(shared).absolute(), "FUNREASON_ENGINES")
    clone = Path(os.environ.get("DVC_ROOT") or ".").resolve()
    return _private(_private(_root(), "TMPDIR") / hashlib.sha256(os.fsencode(clone)).hexdigest()[:12], "TMPDIR")


def _root() -> Path:
    """Of the folders of this user's clones."""
    return Path(tempfile.gettempdir()) / f"funreason-{os.getuid()}"


def _private(path: Path, variable: str) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        remedy = f"remove it, or set {variable} to another place"
        raise EngineError(f"{path} must be a folder of yours with mode 700; {remedy}")
    if (length := len(os.fsencode(path))) > _LONGEST:
        remedy = f"set {variable} to a shorter path"
        raise EngineError(f"{path} has {length} bytes, the folder of a socket at most {_LONGEST}; {remedy}")
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


def stop_idle(but: Collection[Path] = ()) -> None:
    """Ask idle engines of this clone to end, and wait until their memory is free: two models seldom fit side by side.

    Args:
        but: The sockets of engines that may stay.
    """
    for path in sorted(folder().glob("*.sock")):
        if path not in but:
            leave(path)


def leave(path: Path) -> None:
    """Ask the engine at a socket to end, and wait until its memory is free. A busy one is not disturbed."""
    if (connection := connect(path)) is None:
        return  # killed: the next stage that needs this name clears the file away
    with connection:
        try:
            if connection.poll(_HELLO_S) and connection.recv() == HELLO:
                connection.send(LEAVE)
                connection.poll(_LEAVE_S)  # the end of the file: its process is gone
        except (EOFError, ConnectionError):
            pass


def show_alive(path: Path, model: str) -> None:
    """Leave a sign that this process, the engine at a socket, lives: a lock that the kernel takes away when it ends.

    Args:
        path: Of the socket.
        model: Its name, for people.
    """
    _living()  # clears away the signs of others that have ended
    sign = path.with_name(f"{path.stem}.{os.getpid()}{_SIGN}")
    new = sign.with_suffix(".new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # the kernel closes it, not an ending interpreter
    fcntl.flock(file, fcntl.LOCK_EX)
    os.write(file, f"process {os.getpid()} with {model}".encode())
    os.rename(new, sign)


def end_all(say: Callable[[str], None]) -> None:
    """Return when no shared engine of this clone lives: idle ones are asked to end, busy ones are waited for.

    Args:
        say: Gets a line for each engine that is waited for.
    """
    told: set[Path] = set()
    while living := _living():
        with ExitStack() as processes:
            ends = [process for sign in living if (process := _process(sign, processes))]
            stop_idle()
            _wait_for(ends, _GRACE_S)
        for sign, who in _living().items():
            if sign not in told:
                remedy = "end that run, or this process, if it takes too long"
                say(f"waits for a shared engine that another run uses, or that is just ending: {who}; {remedy}")
                told.add(sign)


def name_others(say: Callable[[str], None]) -> None:
    """Name the living engines of this user's other clones, which are neither asked to end nor waited for.

    Args:
        say: Gets a line for each that does not have other GPUs, by CUDA_VISIBLE_DEVICES.
    """
    own, here = folder(), _devices(os.environ.get(_DEVICES))
    for sign in sorted(_root().glob(f"*/*{_SIGN}")):
        if sign.parent == own:
            continue
        with suppress(OSError), open(sign, encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                there = _devices(_environment(int(sign.suffixes[0][1:])).get(_DEVICES))
                if not here or not there or here & there:
                    say(
                        f"an engine of another clone lives, {file.read()}: it may hold memory that training needs; it "
                        "ends by itself when nobody has asked it for its llm.keep_alive_s, or end it"
                    )


def _devices(visible: str | None) -> set[str]:
    return {device.strip() for device in visible.split(",")} if visible else set()


def _environment(process: int) -> dict[str, str]:
    text = Path(f"/proc/{process}/environ").read_bytes().decode(errors="replace")
    return dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)


def _process(sign: Path, stack: ExitStack) -> int | None:
    """A handle of the process of a sign; None where it has ended."""
    try:
        handle = os.pidfd_open(int(sign.suffixes[0][1:]))
    except ProcessLookupError:
        return None
    stack.callback(os.close, handle)
    return handle


def _wait_for(processes: list[int], seconds: float) -> None:
    """Until all have ended, so that the kernel has freed what they held, but not longer than that."""
    deadline = time.monotonic() + seconds
    for process in processes:
        select.select([process], [], [], max(0, deadline - time.monotonic()))


def _living() -> dict[Path, str]:
    """The signs of the processes that live, and what they say; those that others have left are cleared away."""
    living = {}
    for sign in sorted(folder().glob(f"*{_SIGN}")):
        with suppress(FileNotFoundError), open(sign, encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                living[sign] = file.read()
            else:
                sign.unlink(missing_ok=True)
    return living
