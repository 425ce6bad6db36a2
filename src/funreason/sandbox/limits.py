"""Wait for a command, and tell when it takes too long, its processes together take too much memory, or one is stopped.

The kernel's limits (sandbox.py) hold for each process; a program that forks would get as many times as much. Control
groups would count in total, but need rights over them that neither users nor containers usually have.
"""

import subprocess
import threading
import time
from pathlib import Path

INTERVAL_S = 0.1


def wait(process: subprocess.Popen, timeout_s: float, memory_mb: float) -> str:
    """How it ended: `ended` by itself, `time` (not within timeout_s), `memory` (over memory_mb MiB in all), `stopped`.

    A stopped process (SIGSTOP) does not even hear its own alarm; what runs here has no reason to stop one.
    It only looks: the caller ends what is left. Between two looks a program can take what the machine's
    memory is fast for, some hundred MB.
    """
    end, ended = time.monotonic() + timeout_s, _end_of(process)
    while True:
        left = end - time.monotonic()
        if ended.wait(max(0.0, min(INTERVAL_S, left))):
            return "ended"
        if left <= INTERVAL_S:
            return "time"
        found = [_status(pid) for pid in family(process.pid)]
        # Anonymous memory; pages that a fork shares with its parent count for both.
        if sum(int(status.get("RssAnon", "0 kB").split()[0]) for status in found) > memory_mb * 1024:
            return "memory"
        if any(status.get("State", "").startswith("T") for status in found):
            return "stopped"


def _end_of(process: subprocess.Popen) -> threading.Event:
    """Set the moment the process ends. Popen.wait with a time-out would look for it, up to 50 ms late."""
    ended = threading.Event()

    def wait() -> None:
        process.wait()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    return ended


def family(root: int) -> list[int]:
    """`root` and its descendants. Those of a pid namespace cannot leave: their orphans go to its first process."""
    found, todo = [], [root]
    while todo:
        found.append(pid := todo.pop())
        for thread in _listed(Path(f"/proc/{pid}/task")):
            todo += map(int, _read(thread / "children").split())
    return found


def _status(pid: int) -> dict[str, str]:
    lines = _read(Path(f"/proc/{pid}/status")).splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # it ended while we looked
        return []


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
