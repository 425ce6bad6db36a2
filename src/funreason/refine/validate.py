"""What needs no judge: each call parses and fits the schema of its tool, and no row is there twice."""

import json
import re
from collections import Counter
from hashlib import blake2b

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


class Validator:
    """One outcome a sample: a statement is let through, a call that does not fit is hard, a repeat is dropped.

    `kinds` counts how many rows have each kind of problem (a row may have several). Of the rows before, only a hash
    and the id are kept: those of a million fit into memory.
    """

    def __init__(self):
        self.kinds: Counter[str] = Counter()
        self._first: dict[bytes, str] = {}  # hash of (what is asked, answer) → the row that had them first

    def outcome(self, sample: Sample) -> Outcome:
        found = [] if sample.kind == "statement" else problems(sample)
        self.kinds.update({problem.partition(":")[0] for problem in found})
        return _refused(sample, found) if found else self._unless_repeated(sample)

    def _unless_repeated(self, sample: Sample) -> Outcome:
        statement = sample.kind == "statement"
        asked = [sample.history, sample.query, sample.steps]
        key = json.dumps([asked, sample.answer if statement else canonical(sample.answer)])
        first = self._first.setdefault(blake2b(key.encode(), digest_size=16).digest(), sample.id)
        if first != sample.id:
            return Outcome(Verdict(sample.id, NAME, "fail", "drop", f"duplicate of {first}"), None)
        if statement:
            return Outcome(Verdict(sample.id, NAME, "skip", "keep", "statement"), sample)
        return Outcome(Verdict(sample.id, NAME, "pass", "keep", ""), sample)


def _refused(sample: Sample, found: list[str]) -> Outcome:
    return Outcome(Verdict(sample.id, NAME, "fail", "hard", "; ".join(found)), None)


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
