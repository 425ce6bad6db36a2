"""After each program: end all that it left behind, and empty the folders that it could write to.

A program that forks twice outlives its row, and could write into the files of later rows, or kill their processes.
isolation.py says by FUNREASON_SANDBOX where a driver runs; without it, nothing but own descendants is touched.
"""

import ctypes
import os
import re
import signal
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # prctl(2): orphans among the descendants become children of this process
MODE = os.environ.get("FUNREASON_SANDBOX", "")


def adopt_orphans() -> None:
    """Become the parent of each descendant whose own parent ends, so that none gets lost."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def clean() -> None:
    """End all descendants, then empty the folders. Raises OSError where a file stays: this process should end then."""
    end_descendants()
    for folder in scratch_folders():
        if paths := _leftovers(folder):
            subprocess.run(["/bin/chmod", "-Rf", "u+rwx", *paths], stderr=subprocess.DEVNULL)
            subprocess.run(["/bin/rm", "-rf", "--", *paths])
            if _leftovers(folder):
                raise OSError(f"{folder} cannot be emptied")


def _leftovers(folder: str) -> list[str]:
    """The paths in a folder, without what is mounted there and the folders above it: a checkout can lie in /tmp."""
    subprocess.run(["/bin/chmod", "-f", "u+rwx", folder], stderr=subprocess.DEVNULL)
    paths = []
    for entry in os.scandir(folder):
        if not any(mount == entry.path or mount.startswith(f"{entry.path}/") for mount in _mounts()):
            paths.append(entry.path)
        elif entry.path not in _mounts():
            paths += _leftovers(entry.path)
    return paths


@cache  # a program cannot mount anything
def _mounts() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), line.split(" ")[4]) for line in lines]


def end_descendants() -> None:
    """Kill all descendants and wait until they are gone."""
    while pids := descendants():
        if MODE == "bwrap":  # all processes of the pid namespace but the first and this one: no fork gets away
            with suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)


def descendants() -> list[int]:
    """The ids of all processes that come from this one."""
    pids, todo = [], [os.getpid()]
    while todo:
        for thread in _listed(f"/proc/{todo.pop()}/task"):
            with suppress(OSError):
                children = [int(pid) for pid in (Path(thread) / "children").read_text().split()]
                pids += children
                todo += children
    return pids


def scratch_folders() -> list[str]:
    """What a program can write to and nobody else needs: of mode `none`, the folder that isolation.py made."""
    if MODE == "bwrap":
        return ["/tmp", "/dev/shm"]
    return [os.environ["TMPDIR"]] if MODE == "none" else []


def _listed(folder: str) -> list[str]:
    with suppress(OSError):
        return [entry.path for entry in os.scandir(folder)]
    return []
