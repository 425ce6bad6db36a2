"""The last step, which needs no judge: calls must parse and fit the schemas of their tools, and repeats are dropped."""

import json
import re
from collections import Counter
from hashlib import blake2b

from funreason.assemble.training_set import select
from funreason.calls import CallSyntaxError, canonical, parse, validate
from funreason.core.errors import DataError
from funreason.core.records import Sample
from funreason.ledger.outcomes import RowHistory
from funreason.ledger.results import CheckResult

NAME = "validate"
# How `calls.validate` words a problem → the kind that metrics count.
_KINDS = (
    (re.compile(r"no such function"), "unknown function"),
    (re.compile(r"(in parameter .*, )?missing "), "missing parameter"),
    (re.compile(r"(in parameter .*, )?undeclared "), "undeclared parameter"),
    (re.compile(r"parameter "), "wrong value"),
)


class Validator:
    """Validates the samples of one query after the other: misfits are hard, some others are selected, repeats dropped.

    Of the rows before only a hash and the id are kept: those of a million rows fit into memory.

    Args:
        selection: Which of several accepted samples of a query are trained on; see `training_set.select`.
        statements: Whether statements are let through. Not in an HDR round: its queries passed the checks of query and
            tools, so that a call is wanted, and no check has judged a statement.

    Attributes:
        kinds: Rows per kind of problem; a row may have several.
    """

    def __init__(self, selection: str, statements: bool = True):
        self.selection, self.statements = selection, statements
        self.kinds: Counter[str] = Counter()
        self._first: dict[bytes, str] = {}  # hash of (what is asked, answer) → the row that had them first

    def results(self, histories: list[RowHistory]) -> list[CheckResult]:
        """One result per sample of a query, in their order."""
        misfits = {history.id: result for history in histories if (result := self._misfit(_sample(history)))}
        fitting = [history for history in histories if history.id not in misfits]
        selected = [history.id for history in select(fitting, self.selection)]
        return [misfits.get(history.id) or self._result(_sample(history), selected) for history in histories]

    def _misfit(self, sample: Sample) -> CheckResult | None:
        if sample.kind == "statement":
            problems = [] if self.statements else ["no call: a statement"]
        else:
            problems = call_problems(sample)
        self.kinds.update({problem.partition(":")[0] for problem in problems})
        return CheckResult(sample.id, NAME, "fail", "hard", "; ".join(problems)) if problems else None

    def _result(self, sample: Sample, selected: list[str]) -> CheckResult:
        if sample.id not in selected:
            reason = f"{self.selection}: {selected[0]} was selected"
            return CheckResult(sample.id, NAME, "pass", "not_selected", reason)
        statement = sample.kind == "statement"
        asked = [sample.history, sample.query, sample.steps]
        key = json.dumps([asked, sample.answer if statement else canonical(sample.answer)])
        first = self._first.setdefault(blake2b(key.encode(), digest_size=16).digest(), sample.id)
        if first != sample.id:
            return CheckResult(sample.id, NAME, "fail", "drop", f"duplicate of {first}")
        return CheckResult(sample.id, NAME, *(("skip", "keep", "statement") if statement else ("pass", "keep", "")))


def _sample(history: RowHistory) -> Sample:
    """The last state of a row that came to this step, which has one."""
    assert history.sample is not None
    return history.sample


def call_problems(sample: Sample) -> list[str]:
    """What is wrong with the calls of a row, each as `kind: detail`."""
    try:
        calls = parse(sample.answer)
    except CallSyntaxError as error:
        return [f"unreadable answer: {error}"]
    if not calls:
        return ["no call: the list is empty"]
    try:
        return [f"{_kind(problem)}: {problem}" for problem in validate(calls, sample.tools)]
    except DataError as error:
        return [f"bad tool: {error}"]


def _kind(problem: str) -> str:
    text = problem.partition(": ")[2]
    return next((kind for pattern, kind in _KINDS if pattern.match(text)), "other")
