"""Real rows, and what is known of them: which checks should pass, and which should fail.

The files are with_cot.jsonl.gz (answers with reasoning, those of Qwen3-8B with the official verdict of BFCL) and
xlam_like.jsonl.gz (gold answers), in xLAM's format with two more columns, `source` and `label`. A check of which
nothing is known for a row has no truth value there.
"""

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from funreason.calls import canonical, render
from funreason.core.errors import DataError
from funreason.core.records import Sample, Task
from funreason.data.rows import AcceptedRow, TaskIds, read_tasks
from funreason.heuristics.evidence import evidence
from funreason.heuristics.habits import Habits
from funreason.heuristics.looked_at import LookedAt, look_at
from funreason.heuristics.omissions import Omissions
from funreason.heuristics.value_features import ValueFeatures

WITH_COT, GOLD = "with_cot.jsonl.gz", "xlam_like.jsonl.gz"
REFERENCE = 40  # every so many real rows are a reference row of the verifier
STATEMENTS = ("request_for_info", "cannot_answer")  # labels of When2Call's rows that call nothing


# Planted defects of answers that their reasoning does not have.
OFF_REASONING = (
    "answer off reasoning", "wrong value", "wrong number", "wrong function", "dropped call", "truncated text",
)  # fmt: skip


@dataclass(frozen=True)
class RealRow:
    """A real row with what is known of it.

    Attributes:
        sample: The row as the checks see it.
        source: The data set that it comes from.
        group: What it counts as: right, wrong, uncalled (a call where none is due), statement or gold.
        truth: check → whether the row should pass it.
    """

    sample: Sample
    source: str
    group: str
    truth: dict[str, bool] = field(default_factory=dict)


def read_real_rows(folder: Path) -> tuple[list[RealRow], Counter[str]]:
    """The rows of both files in their order, and how many could not be read, by file and reason."""
    rows: list[RealRow] = []
    unread: Counter[str] = Counter()
    for name in (WITH_COT, GOLD):
        with gzip.open(folder / name, "rt") as file:
            raw = [json.loads(line) for line in file]
        for columns, read in zip(raw, read_tasks(enumerate(raw, 1), name, TaskIds()), strict=True):
            if not isinstance(read, AcceptedRow):
                unread[f"{name}: {read.kind}"] += 1
                continue
            try:
                rows += filter(None, [_real_row(read.tasks[0], columns)])
            except DataError:
                unread[f"{name}: a name that cannot be written"] += 1
    return rows, unread


def _real_row(task: Task, columns: dict[str, Any]) -> RealRow | None:
    source, label = columns["source"], columns.get("label")
    if task.response:
        sample = Sample(task.id, task.query, task.tools, task.response["cot"], task.response["answer"])
        return RealRow(sample, source, *_known(label, task, sample))
    if not task.answers:
        return None  # nothing is due, and there is no answer to check
    sample = Sample(task.id, task.query, task.tools, "", render(task.answers))
    return RealRow(sample, source, "gold", dict.fromkeys(("response", "query_tool", "call", "format"), True))


def _known(label: str, task: Task, sample: Sample) -> tuple[str, dict[str, bool]]:
    """The group of an answer, and what is known of its checks."""
    if label in STATEMENTS or (label == "right" and not task.answers):
        return "statement", {"response": False}
    if label == "wrong" and not task.answers:
        return "uncalled", {"response": True, "query_tool": False, "call": False}
    if label == "wrong":
        return "wrong", {"query_tool": True, "call": False}
    if label != "right" and canonical(sample.answer) != canonical(render(task.answers)):
        return "other", {}  # an answer without a verdict, and not the reference
    truth = dict.fromkeys(("response", "query_tool", "call"), True)
    return "right", truth | ({"cot": True} if sample.cot else {})


def planted_truth(kind: str, has_cot: bool) -> dict[str, bool]:
    """What a planted defect means for the checks; of what a check may say either way, nothing."""
    if kind in ("value not in query", "other query"):
        return {"query_tool": False, "call": False}
    if kind == "other reasoning":
        return {"query_tool": True, "cot": False, "call": True}
    off_cot = {"cot": False} if has_cot and kind in OFF_REASONING else {}
    return {"query_tool": True, "call": False} | off_cot


def mean_evidence(rows: Sequence[RealRow], habits: Habits) -> dict[str, float]:
    """The mean of each piece of evidence, by which a verifier is known that was fitted on other evidence.

    Args:
        rows: The rows, of which those with readable calls count.
        habits: The habits of the verifier.
    """
    totals: Counter[str] = Counter()
    looked_at = [row for row in (look_at(row.sample) for row in rows) if isinstance(row, LookedAt)]
    for row in looked_at:
        if row.sample.cot:
            totals.update(evidence(row.on_query(), row.on_cot()))
            continue
        totals.update(evidence(row.on_query(), None))
        for part in ValueFeatures(row.on_query(), habits).of_values():
            totals.update({f"value/{name}": number for name, number in part.items()})
        for part in Omissions(row.on_query()).features():
            totals.update({f"place/{name}": number for name, number in part.items()})
    return {name: round(total / len(looked_at), 5) for name, total in sorted(totals.items())}
