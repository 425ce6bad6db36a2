"""Wait for a command: does it take too long, do its processes take too much memory together, or is one stopped?

The kernel's limits (isolation.py) hold per process; a program that forks would get them several times. A control group
counts in total (cgroup.py), but users and containers often have no rights over one.
"""

import subprocess
import threading
import time
from pathlib import Path

INTERVAL_S = 0.1
_HELD = ("RssAnon", "VmSwap")


def wait(process: subprocess.Popen, timeout_s: float, memory_mb: float) -> str:
    """Wait for a process to end or to break a limit. The caller kills what is left of it.

    Between two checks a program can take some hundred MB, as fast as the machine's memory is.

    Args:
        process: the leader of the processes to watch.
        timeout_s: seconds that it may take.
        memory_mb: MiB of anonymous memory, swapped or not, that it and its descendants may hold together. Other memory
            that they could hold is denied (seccomp.py), or lies in a file system of fixed size. Infinite where a
            control group counts it.

    Returns:
        `ended` (by itself), `time`, `memory`, or `stopped` (by SIGSTOP): a stopped process does not even get its own
        alarm, and no program that runs here has a reason to stop one.
    """
    end, ended = time.monotonic() + timeout_s, _end_of(process)
    while True:
        left = end - time.monotonic()
        if ended.wait(max(0.0, min(INTERVAL_S, left))):
            return "ended"
        if left <= INTERVAL_S:
            return "time"
        statuses = [_status(pid) for pid in family(process.pid)]
        # Pages that a fork shares with its parent count for both.
        if sum(_kilobytes(status, name) for status in statuses for name in _HELD) > memory_mb * 1024:
            return "memory"
        if any(status.get("State", "").startswith("T") for status in statuses):
            return "stopped"


def _end_of(process: subprocess.Popen) -> threading.Event:
    """An event that is set the moment the process ends. Popen.wait with a time-out polls, and is up to 50 ms late."""
    ended = threading.Event()

    def wait() -> None:
        process.wait()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    return ended


def family(root: int) -> list[int]:
    """The ids of `root` and its descendants. In a pid namespace none gets lost: its first process adopts orphans."""
    pids, todo = [], [root]
    while todo:
        pids.append(pid := todo.pop())
        for thread in _listed(Path(f"/proc/{pid}/task")):
            todo += map(int, _read(thread / "children").split())
    return pids


def _kilobytes(status: dict[str, str], name: str) -> int:
    return int(status.get(name, "0 kB").split()[0])


def _status(pid: int) -> dict[str, str]:
    lines = _read(Path(f"/proc/{pid}/status")).splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # it ended meanwhile
        return []


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
