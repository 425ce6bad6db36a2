"""A control group (cgroup v2) for each sandboxed run, where the caller may make one below its own.

The kernel then counts what all processes of a run hold together, with shared memory, sockets and pipes, and ends all of
them in one step, also those that left their session. Groups lie below the caller's own group and nowhere else, so that
its limits hold for them, too.
"""

import contextlib
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CALLERS = "funreason-callers"  # the group that the callers move into: a group with limits below it holds no processes
_RUN = "funreason-run"
_WANTED = {"memory", "pids"}
# `$0` is the group, "$@" the command: the shell is replaced by the command, so everything starts inside.
_ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


@dataclass(frozen=True)
class Group:
    """The control group of one run; `folder` is where the kernel shows it."""

    folder: Path

    def entered(self, command: list[str]) -> list[str]:
        """The command that runs `command` in this group."""
        return ["/bin/sh", "-c", _ENTER, str(self.folder), *command]

    def out_of_memory(self) -> bool:
        """Whether the kernel ended it because it held too much."""
        events = dict(line.split() for line in (self.folder / "memory.events").read_text().splitlines())
        return events.get("oom_kill", "0") != "0"

    def kill(self) -> None:
        """End all its processes."""
        (self.folder / "cgroup.kill").write_text("1")


@contextlib.contextmanager
def new_group(memory_mb: int, processes: int) -> Iterator[Group | None]:
    """A control group that is ended and removed afterwards; None where `problem` says why there is none.

    Args:
        memory_mb: MiB that its processes may hold together; over it, all are ended.
        processes: how many processes and threads it may have.
    """
    if problem():
        yield None
        return
    group = Group(_parent() / _name())
    group.folder.mkdir()
    try:
        limits = {"memory.max": memory_mb << 20, "memory.swap.max": 0, "memory.oom.group": 1, "pids.max": processes}
        for name, value in limits.items():
            if (group.folder / name).exists():  # a kernel without swap has no limit of it
                (group.folder / name).write_text(str(value))
        yield group
    finally:
        group.kill()
        _remove(group.folder)


@cache
def problem() -> str:
    """Why this process cannot make control groups; empty if it can. Tried once, with one that is removed again."""
    try:
        if why := _unusable(_parent()):
            return why
        _share_out(_parent())
        _sweep(_parent())
        probe = _parent() / _name()
        probe.mkdir()
        missing = [name for name in ("memory.max", "pids.max", "cgroup.kill") if not (probe / name).exists()]
        probe.rmdir()
        return f"no {missing[0]} in {probe.parent}" if missing else ""
    except OSError as error:
        return f"{error.filename or 'cgroup v2'}: {error.strerror}"


def _name() -> str:
    return f"{_RUN}-{os.getpid()}-{uuid.uuid4().hex}"


def _parent() -> Path:
    """The folder of the caller's own group. Raises FileNotFoundError without cgroup v2."""
    own = next((line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), "")
    for line in Path("/proc/self/mountinfo").read_text().splitlines() if own else []:
        fields, _, kind = line.partition(" - ")
        root, mounted = fields.split()[3:5]
        if kind.startswith("cgroup2 ") and Path(own).is_relative_to(root):
            folder = Path(mounted, Path(own).relative_to(root))
            return folder.parent if folder.name == CALLERS else folder
    raise FileNotFoundError(2, "not mounted", "cgroup v2")


def _unusable(folder: Path) -> str:
    if missing := _WANTED - set(_words(folder / "cgroup.controllers")):
        return f"{folder} offers no limit of {' and '.join(sorted(missing))}"
    if not all(os.access(folder / name, os.W_OK) for name in (".", "cgroup.procs", "cgroup.subtree_control")):
        return f"{folder} cannot be written by this user"
    # Root may write everywhere, but only a container's own groups, and delegated ones, are its to divide.
    if os.geteuid() == 0 and not folder.is_mount() and not _delegated(folder):
        return f"{folder} is not delegated"
    return ""


def _delegated(folder: Path) -> bool:
    """Whether systemd says that the group is its user's to divide (Delegate=yes)."""
    marks = [f"{kind}.delegate" for kind in ("trusted", "user")]
    return any(os.getxattr(folder, mark) == b"1" for mark in marks if mark in os.listxattr(folder))


def _share_out(folder: Path) -> None:
    """Let groups below `folder` have limits. Its own processes move into one of them, without a limit."""
    if set(_words(folder / "cgroup.subtree_control")) >= _WANTED:
        return
    if (folder / "cgroup.type").exists():  # all but the machine's outermost group
        (callers := folder / CALLERS).mkdir(exist_ok=True)
        for _ in range(10):  # they may fork meanwhile
            for pid in _words(folder / "cgroup.procs"):
                with contextlib.suppress(ProcessLookupError):
                    (callers / "cgroup.procs").write_text(pid)
    (folder / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in sorted(_WANTED)))


def _sweep(folder: Path) -> None:
    """Remove the groups that callers left behind which were killed."""
    for left in folder.glob(f"{_RUN}-*"):
        if not Path("/proc", left.name.split("-")[2]).exists():
            with contextlib.suppress(OSError):
                left.rmdir()


def _remove(folder: Path) -> None:
    """Remove a group, as soon as the kernel has ended its processes."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            return folder.rmdir()
        except OSError:
            time.sleep(0.002)


def _words(path: Path) -> list[str]:
    return path.read_text().split()
