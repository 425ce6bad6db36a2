"""Probes of a judge: rows that a check should pass, and the same rows with one planted defect that it should fail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from funreason.calls import Call, CallSyntaxError, parse
from funreason.core.records import Sample
from funreason.heuristics import heuristic_result
from funreason.refine.defects import OF_CHECKS
from funreason.refine.first_look import evenly
from funreason.refine.judge import Question


@dataclass(frozen=True)
class Probe:
    """A question with a known verdict.

    Attributes:
        question: What the judge is asked.
        sound: The verdict that is right.
        defect: What was planted; "" in a sound row.
    """

    question: Question
    sound: bool
    defect: str = ""


def make_probes(check: str, samples: Sequence[Sample], rows: int) -> list[Probe]:
    """Make probes of rows that the heuristics clearly accept.

    Args:
        check: The name of the check.
        samples: Rows to choose from; the sound ones that can carry a defect are taken in their order.
        rows: How many sound rows at most.

    Returns:
        Two probes per row, the sound one first. The kinds of defects take turns.
    """
    sound = [
        sample for sample in samples
        if sample.kind == "call" and _calls(sample) and heuristic_result(check, sample).value
    ]  # fmt: skip
    probes: list[Probe] = []
    for at, sample in enumerate(sound):
        if len(probes) >= 2 * rows:
            break
        others = [*sound[at + 1 :], *sound[:at]]
        if planted := _planted(check, sample, others, len(probes) // 2):
            probes += [Probe(Question(check, sample), True), planted]
    return probes


def _planted(check: str, sample: Sample, others: list[Sample], turn: int) -> Probe | None:
    """The row with a defect of the check: the kind whose turn it is, or the next that the row can carry."""
    kinds, rng = list(OF_CHECKS[check].items()), Random(f"probes/{check}/{sample.id}")
    for name, plant in kinds[turn % len(kinds) :] + kinds[: turn % len(kinds)]:
        for other in others[:20] or [sample]:
            bad = plant(sample, other, rng)
            if bad is not None:
                return Probe(Question(check, bad), False, name)
    return None


def _calls(sample: Sample) -> list[Call]:
    try:
        return parse(sample.answer)
    except CallSyntaxError:
        return []


def spread(samples: Sequence[Sample], number: int) -> Iterator[Sample]:
    """Rows of all sizes: evenly spaced in the order of calls, tools and length, `number` at most."""
    yield from evenly(
        sorted(samples, key=lambda sample: (len(_calls(sample)), len(sample.tools), len(sample.query))), number
    )
