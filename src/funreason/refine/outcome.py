"""What a step did with a row, and the numbers over all rows."""

from collections import Counter
from dataclasses import dataclass

from funreason.records import Sample, Verdict


@dataclass(frozen=True)
class Outcome:
    """A row after a step: its ledger line, and the sample where it goes on. `failures` are unreadable votes."""

    verdict: Verdict
    sample: Sample | None
    failures: int = 0


def counts(outcomes: list[Outcome]) -> dict:
    """in = pass + fail + undecided + skip = out + dropped + hard; `regenerated` are among those that go on.

    `asks` are the judge's answers, `parse_failures` those without a readable verdict. All numbers are the same for
    every run over the same responses.
    """
    verdicts = Counter(outcome.verdict.verdict for outcome in outcomes)
    actions = Counter(outcome.verdict.action for outcome in outcomes)
    return {
        "in": len(outcomes),
        "pass": verdicts["pass"],
        "fail": verdicts["fail"],
        "undecided": verdicts["undecided"],
        "skip": verdicts["skip"],
        "regenerated": actions["regenerate"],
        "dropped": actions["drop"],
        "hard": actions["hard"],
        "out": sum(outcome.sample is not None for outcome in outcomes),
        "asks": sum(outcome.verdict.asks for outcome in outcomes),
        "parse_failures": sum(outcome.failures for outcome in outcomes),
        "reasons": reasons(outcomes),
    }


def reasons(outcomes: list[Outcome]) -> dict[str, int]:
    """How often each reason was given, by name."""
    found = Counter(outcome.verdict.reason for outcome in outcomes if outcome.verdict.reason)
    return dict(sorted(found.items()))
