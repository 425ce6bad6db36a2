"""A control group per run, where the caller may make one: everything counts, and everything ends."""

import os
import sys
from pathlib import Path

import pytest

from funreason.sandbox import cgroup
from funreason.sandbox import isolation as sandbox

from .test_sandbox import MARK, left_over

pytestmark = pytest.mark.skipif(bool(cgroup.problem()), reason=f"no control group: {cgroup.problem()}")

# The kernel holds about 400 kB for each pair; no process is over its own limit, and none has memory of its own.
SOCKETS = """
import os, socket, time
for number in range(12):
    if os.fork() == 0:
        break
kept = []
while len(kept) < 100:
    kept.append(socket.socketpair())
    for end in kept[-1]:
        end.setblocking(False)
        try:
            while True: end.send(bytes(100_000))
        except BlockingIOError:
            pass
time.sleep(60)
"""
SLEEPER = "import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(60)\nprint('end')"


def run(source: str, mode: str, **named) -> sandbox.Finished:
    python = sandbox.interpreter(sys.executable)
    command = [*python.command, "-c", source, MARK]
    return sandbox.run(command, readable=python.readable, env=python.env, timeout_s=30, mode=mode, **named)


def groups() -> list[Path]:
    """The groups of runs that are there now; this test runs one after the other."""
    return [path for path in cgroup._parent().glob("funreason-run-*") if f"-{os.getpid()}-" in path.name]


def test_memory_of_the_kernel_for_sockets_counts(mode):
    assert run(SOCKETS, mode, memory_mb=100).ended_for == "memory"
    assert not left_over() and not groups()


def test_files_in_tmp_and_shm_count(mode):
    source = """
import os, time
for folder in ('/tmp', '/dev/shm'):
    for number in range(4):
        open(f'{folder}/{number}', 'wb').write(bytes(15 << 20))
"""
    assert run(source, mode, memory_mb=100).returncode == 0
    assert run(source, mode, memory_mb=50).ended_for == "memory"


def test_processes_are_limited_and_end_without_isolation_too():
    bomb = "import os, time\nn = 0\ntry:\n  while os.fork(): n += 1\n  time.sleep(60)\nexcept OSError: print(n)"
    assert 0 < int(run(bomb, "none").stdout) < sandbox.MAX_PROCESSES
    assert run(SLEEPER, "none").stdout == b"end\n"
    assert not left_over() and not groups()


def test_groups_of_a_killed_caller_are_removed(mode):
    left = cgroup._parent() / "funreason-run-4194305-left"  # no process has a number above 2^22
    left.mkdir()
    cgroup.problem.cache_clear()
    assert not cgroup.problem() and not left.exists()
