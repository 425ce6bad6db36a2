"""Score answers by ACEBench's official protocol, as evalscope carries it.

In:  {"rows": [{"category", "text", "functions", "gold"}]}, for agents {"category", "end_state", "process", "gold",
     "milestones"}
Out: a line {"valid", "error", "progress"} per row, in order; `progress` is the share of milestones, null where there
     are none
Run as (inside the sandbox): .venv-acebench/bin/python acebench_score.py < request.json > verdicts.jsonl

An answer that the official code fails on is wrong.
"""

import acebench_stub  # noqa: F401  (must come before evalscope)
from channel import open_channel
from evalscope.benchmarks.acebench import checker
from evalscope.benchmarks.acebench.parser import CallFormatError, decode_calls

MAX_CHARS = 300  # of an error


def verdict(row: dict) -> dict:
    """The official verdict on an answer."""
    category = row["category"]
    if category.startswith("agent"):
        return checker.check_agent_end_state(row["end_state"], row["gold"])
    if category.startswith("special"):
        return checker.check_special_answer(row["text"], row["gold"], category)
    try:
        calls = decode_calls(row["text"], category)
    except CallFormatError as error:
        return {"valid": False, "error": [str(error)], "error_type": "wrong_output_format"}
    return checker.check_normal_answer(row["functions"], calls, row["gold"], category)


def guarded(row: dict) -> dict:
    """The verdict as it is written; {"valid": False} where the official code fails."""
    try:
        result = verdict(row)
        progress = checker.milestone_accuracy(row["process"], row["milestones"]) if "milestones" in row else None
    except Exception as error:
        failed = f"scorer_failed: the official checker failed: {type(error).__name__}: {error}"
        return {"valid": False, "error": failed[:MAX_CHARS], "progress": None}
    if result["valid"]:
        return {"valid": True, "error": "", "progress": progress if progress is None else 1.0}
    return {"valid": False, "error": f"{result['error_type']}: {result['error']}"[:MAX_CHARS], "progress": progress}


if __name__ == "__main__":
    request, reply = open_channel()
    for row in request["rows"]:
        reply(guarded(row))
