"""What a step did with a row, and why."""

from collections import Counter
from dataclasses import dataclass, field

from funreason.core.records import Sample, Verdict
from funreason.refine.answer import Answer


@dataclass(frozen=True)
class Outcome:
    """A row after a step: its ledger line, and the sample where it goes on. `answers` are those of its questions."""

    verdict: Verdict
    sample: Sample | None
    answers: list[Answer] = field(default_factory=list)


def mean(total: int, rows: int) -> float:
    """The mean of whole numbers as metrics write it: rounded, and whole where it is."""
    return total // rows if total % rows == 0 else round(total / rows, 2)


def counted(found: Counter) -> dict[str, int]:
    return dict(sorted((reason, count) for reason, count in found.items() if reason))
