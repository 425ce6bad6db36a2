"""The scorer, or the stage over it, killed while it scores: a new run asks nobody, and writes the same bytes."""

import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from llm.http_server import completion, serve

from funreason.sandbox.limits import family

from .workspace import PROBLEM, command, environment, fill, served_by, set_params

pytestmark = pytest.mark.slow

SLOW_CALL = "[get_weather(city='Ghent', days=9**9**9**9 + 3)]"  # the scorer gives it two seconds
SLOW_CODE = f"```python\n{PROBLEM['prompt']}    while True: pass\n```"  # evaluate.code.timeout_s: 2
CASES = {"evaluate_bfcl.py": ("bfcl", SLOW_CALL), "evaluate_code.py": ("code", SLOW_CODE)}


class Case:
    """A stage behind a server, and what it writes."""

    def __init__(self, workspace: Path, script: str, server):
        self.workspace, self.script, self.server = workspace, script, server
        self.name = CASES[script][0]

    def start(self) -> subprocess.Popen:
        return subprocess.Popen(
            command(self.script, "base"), cwd=self.workspace, env=environment(self.workspace), stderr=subprocess.PIPE
        )

    def run(self) -> dict[str, bytes]:
        """What an undisturbed run writes."""
        stage = self.start()
        stderr = stage.communicate()[1]
        assert stage.returncode == 0, stderr
        return self.written()

    def written(self) -> dict[str, bytes]:
        paths = (f"data/base/{self.name}.jsonl", f"metrics/base/{self.name}.json")
        return {path: (self.workspace / path).read_bytes() for path in paths if (self.workspace / path).exists()}

    def forget(self) -> None:
        for path in self.written():
            (self.workspace / path).unlink()


@pytest.fixture(params=CASES)
def case(request, tmp_path):
    with serve(answer=lambda _: completion(CASES[request.param][1])) as server:
        set_params(fill(tmp_path, problems=2), served_by(server.url))
        yield Case(tmp_path, request.param, server)


def scorers(stage: int) -> list[int]:
    """The processes that run a driver below a stage: not what they fork, nor what starts them."""
    return [pid for pid in family(stage) if _is_driver(pid) and not _is_driver(_parent(pid))]


def _is_driver(pid: int) -> bool:
    try:
        program, *words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:  # it ended meanwhile
        return False
    return "python" in program and any(word.endswith("_score.py") for word in words)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def first_scorer(stage: subprocess.Popen) -> int:
    while not (running := scorers(stage.pid)):
        assert stage.poll() is None, stage.stderr.read()
        time.sleep(0.01)
    return running[0]


def gone(pid: int, within_s: float = 20) -> bool:
    end = time.monotonic() + within_s
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def every_scorer_killed(stage: subprocess.Popen):
    done = threading.Event()

    def kill() -> None:
        while not done.wait(0.01):
            for pid in scorers(stage.pid):
                os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    yield
    done.set()
    thread.join()


def test_a_killed_scorer_is_started_again_within_the_run(case):
    expected, asked = case.run(), len(case.server.asked)
    case.forget()
    stage = case.start()
    os.kill(first_scorer(stage), signal.SIGKILL)
    assert stage.wait() == 0, stage.stderr.read()
    assert case.written() == expected and len(case.server.asked) == asked


def test_a_scorer_that_is_always_killed_ends_the_stage_and_costs_no_answer(case):
    stage = case.start()
    with every_scorer_killed(stage):
        stderr = stage.communicate()[1].decode()
    assert stage.returncode == 1 and stderr.startswith("error: ") and stderr.count("\n") == 1, stderr
    assert case.written() == {}
    asked = len(case.server.asked)
    written = case.run()
    assert asked and len(case.server.asked) == asked and len(written) == 2


def test_a_killed_stage_leaves_no_scorer_and_goes_on_without_asking(case):
    expected, asked = case.run(), len(case.server.asked)
    case.forget()
    stage = case.start()
    scorer = first_scorer(stage)
    stage.kill()
    stage.wait()
    with suppress(ProcessLookupError):
        os.kill(scorer, signal.SIGSTOP)  # or it would soon end by itself
    outlived = not gone(scorer)
    with suppress(ProcessLookupError):
        os.kill(scorer, signal.SIGKILL)
    assert not outlived and case.written() == {}
    assert case.run() == expected and len(case.server.asked) == asked > 0
