"""The shape all checks share: what is asked, and what each verdict does to the row.

A row goes through a check as a generator: it yields the questions it needs, is sent their answers, and returns a
decision. The loop in `run` puts the questions of all rows to the judge together, round by round.
"""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from funreason.calls import CallSyntaxError, parse
from funreason.config import FcdrParams
from funreason.core.records import Sample
from funreason.refine.answer import Answer, Question
from funreason.refine.verdict import replacement


@dataclass(frozen=True)
class Decision:
    """The fate of a row in one check; the fields are those of `records.Verdict`, `sample` is the row after it."""

    verdict: str
    action: str
    reason: str
    sample: Sample


Flow = Generator[Question, Answer, Decision]


@dataclass(frozen=True)
class Check:
    """One of the five. `name` is also its prompt's and its files'.

    `flow` is one of the functions below; `on_false` decides about a False that is not mended, and `refuse` says
    why a new answer cannot stand for the old one ("" if it can).
    """

    name: str
    flow: Callable[["Check", Sample, FcdrParams], Flow]
    on_false: Callable[[Sample], Decision]
    refuse: Callable[[str, str], str] = lambda old, new: ""

    def decide(self, sample: Sample, fcdr: FcdrParams) -> Flow:
        return self.flow(self, sample, fcdr)


def judged(check: Check, sample: Sample, fcdr: FcdrParams) -> Flow:
    """Ask once; True keeps the row, False does what the check says."""
    answer = yield Question(check.name, sample)
    if answer.value is None:
        return undecided(answer, sample, fcdr)
    return Decision("pass", "keep", "", sample) if answer.value else check.on_false(sample)


def judged_and_mended(check: Check, sample: Sample, fcdr: FcdrParams) -> Flow:
    """As `judged`, but on False the judge's new answer takes the old one's place and is judged again."""
    left, current = getattr(fcdr, check.name).max_regen, sample
    while True:
        answer = yield Question(check.name, current)
        if answer.value is None:
            return undecided(answer, current, fcdr)
        if answer.value:
            break
        if not left:
            return check.on_false(current)
        text, problem = replacement(answer.new_call)
        if problem := problem or check.refuse(current.answer, text):
            return replace(check.on_false(current), reason=problem)
        left, current = left - 1, replace(current, answer=text)
    return Decision("pass", "keep", "", current)


def undecided(answer: Answer, sample: Sample, fcdr: FcdrParams) -> Decision:
    return Decision("undecided", fcdr.undecided, answer.problem, sample)


def canonical(text: str) -> str | None:
    """The calls of an answer as comparable text (the order of arguments left out), None where it does not parse.

    Text, because Python's == takes True for 1 and 1.0 for 1.
    """
    try:
        return json.dumps([call.to_row() for call in parse(text)], sort_keys=True)
    except CallSyntaxError:
        return None
