"""What needs no judge: each call parses and fits the schema of its tool, and no row is there twice."""

import re
from collections import Counter
from collections.abc import Iterable

from funreason.calls import CallSyntaxError, parse, validate
from funreason.errors import DataError
from funreason.records import Sample, Verdict
from funreason.refine.check import canonical
from funreason.refine.outcome import Outcome

NAME = "validate"
# How `calls.validate` words its findings → the kinds that metrics count.
_KINDS = (
    (re.compile(r"no such function"), "unknown function"),
    (re.compile(r"(in parameter .*, )?missing "), "missing parameter"),
    (re.compile(r"(in parameter .*, )?undeclared "), "undeclared parameter"),
    (re.compile(r"parameter "), "wrong value"),
)


def validated(samples: Iterable[Sample]) -> tuple[list[Outcome], Counter]:
    """One outcome a sample: a statement is let through, a call that does not fit is hard, a repeat is dropped.

    The counter says how many rows have each kind of problem (a row may have several).
    """
    seen: dict[tuple[str, str | None], str] = {}
    outcomes, kinds = [], Counter()
    for sample in samples:
        found = [] if sample.kind == "statement" else problems(sample)
        kinds.update({problem.partition(":")[0] for problem in found})
        outcomes.append(_refused(sample, found) if found else _unless_repeated(sample, seen))
    return outcomes, kinds


def _refused(sample: Sample, found: list[str]) -> Outcome:
    return Outcome(Verdict(sample.id, NAME, "fail", "hard", "; ".join(found)), None)


def _unless_repeated(sample: Sample, seen: dict[tuple[str, str | None], str]) -> Outcome:
    """`seen` maps (query, answer) to the id of the row that had them first."""
    statement = sample.kind == "statement"
    key = (sample.query, sample.answer if statement else canonical(sample.answer))
    if (first := seen.setdefault(key, sample.id)) != sample.id:
        return Outcome(Verdict(sample.id, NAME, "fail", "drop", f"duplicate of {first}"), None)
    if statement:
        return Outcome(Verdict(sample.id, NAME, "skip", "keep", "statement"), sample)
    return Outcome(Verdict(sample.id, NAME, "pass", "keep", ""), sample)


def problems(sample: Sample) -> list[str]:
    """What is wrong with the answer, each as `kind: detail`."""
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
    finding = problem.partition(": ")[2]
    return next((kind for pattern, kind in _KINDS if pattern.match(finding)), "other")
