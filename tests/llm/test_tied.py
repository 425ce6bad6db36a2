"""A process that is started like vLLM's ends with the one that has started it, however that ends."""

import subprocess
import sys

import psutil
import pytest

SCRIPT = """
import multiprocessing, os, sys, time
from funreason.llm.engines.tied import tied

def child(started):
    print(os.getpid(), flush=True)
    started.set()
    time.sleep(600)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    started = context.Event()
    with tied():
        context.Process(target=child, args=(started,)).start()
        started.wait()  # as vLLM waits for its engine
    assert multiprocessing.spawn.get_executable() == os.fsencode(sys.executable)
    time.sleep(600)
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_killed_process_takes_its_children_along(tmp_path, method):
    file = tmp_path / "script.py"
    file.write_text(SCRIPT)
    with subprocess.Popen([sys.executable, str(file), method], stdout=subprocess.PIPE, text=True) as run:
        try:
            child = psutil.Process(int(run.stdout.readline()))
            assert child.ppid() == run.pid and run.poll() is None
        finally:
            run.kill()
    gone, alive = psutil.wait_procs([child], timeout=60)
    for process in alive:
        process.kill()
    assert gone
