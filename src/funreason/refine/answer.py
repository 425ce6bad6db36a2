"""What is asked about a row, and what comes back: a question, the votes on it, the finding of the rules, the answer."""

from dataclasses import dataclass, field

from funreason.core.records import Sample
from funreason.heuristics.result import HeuristicResult


@dataclass(frozen=True)
class Question:
    """One judging: the prompt of `check` filled in with `sample`."""

    check: str
    sample: Sample


@dataclass(frozen=True)
class Vote:
    """One text of one judge; `value` None where no verdict could be read in it."""

    judge: str
    value: bool | None
    text: str


@dataclass(frozen=True)
class Answer:
    """What was said to a question. `value` None: nothing decisive in as many asks as are allowed.

    `ballot` has the value of each judge of the panel, in its order, `votes` all their texts, and `said` is what the
    panel made of them. `finding` is what the rules say, `by_rules` whether they decided; the panel may have been asked
    all the same, for the new call.
    """

    value: bool | None
    new_call: str | None = None
    problem: str = ""
    votes: list[Vote] = field(default_factory=list)
    ballot: tuple[bool | None, ...] = ()
    said: bool | None = None
    finding: HeuristicResult | None = None
    by_rules: bool = False
