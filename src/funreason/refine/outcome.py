"""What a step did with a row, and why."""

from collections import Counter
from dataclasses import dataclass, field

from funreason.records import Sample, Verdict
from funreason.refine.answer import Answer


@dataclass(frozen=True)
class Outcome:
    """A row after a step: its ledger line, and the sample where it goes on. `answers` are those of its questions."""

    verdict: Verdict
    sample: Sample | None
    answers: list[Answer] = field(default_factory=list)


def reasons(outcomes: list[Outcome]) -> dict[str, int]:
    """How often each reason was given, by name."""
    return counted(Counter(outcome.verdict.reason for outcome in outcomes))


def counted(found: Counter) -> dict[str, int]:
    return dict(sorted((reason, count) for reason, count in found.items() if reason))
