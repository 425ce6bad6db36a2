"""What needs no judge: each call parses and fits its tool's schema, and no row is there twice or once too often."""

import json
import re
from collections import Counter
from hashlib import blake2b

from funreason.assemble.selection import chosen
from funreason.calls import CallSyntaxError, parse, validate
from funreason.core.errors import DataError
from funreason.core.records import Sample, Verdict
from funreason.ledger.pools import Way
from funreason.refine.check import canonical

NAME = "validate"
# How `calls.validate` words its findings → the kinds that metrics count.
_KINDS = (
    (re.compile(r"no such function"), "unknown function"),
    (re.compile(r"(in parameter .*, )?missing "), "missing parameter"),
    (re.compile(r"(in parameter .*, )?undeclared "), "undeclared parameter"),
    (re.compile(r"parameter "), "wrong value"),
)


class Validator:
    """Sorts out the samples of one query: misfits are hard, of the others some are chosen, repeats are dropped.

    `statements`: whether one is let through as it is. Not in an HDR round: its queries passed the checks of query and
    tools, so a call is wanted, and nobody has checked a statement. `kinds` counts how many rows have each kind of
    problem (a row may have several). Of the rows before, only a hash and the id are kept: those of a million fit into
    memory.
    """

    def __init__(self, choice: str, statements: bool = True):
        self.choice, self.statements = choice, statements
        self.kinds: Counter[str] = Counter()
        self._first: dict[bytes, str] = {}  # hash of (what is asked, answer) → the row that had them first

    def verdicts(self, ways: list[Way]) -> list[Verdict]:
        """One a way, in their order; a statement is let through as it is."""
        refused = {way.id: verdict for way in ways if (verdict := self._misfit(way.sample))}
        fit = [way for way in ways if way.id not in refused]
        taken = [way.id for way in chosen(fit, self.choice)]
        return [refused.get(way.id) or self._verdict(way.sample, taken) for way in ways]

    def _misfit(self, sample: Sample) -> Verdict | None:
        said = sample.kind == "statement"
        found = ([] if self.statements else ["no call: a statement"]) if said else problems(sample)
        self.kinds.update({problem.partition(":")[0] for problem in found})
        return Verdict(sample.id, NAME, "fail", "hard", "; ".join(found)) if found else None

    def _verdict(self, sample: Sample, taken: list[str]) -> Verdict:
        if sample.id not in taken:
            return Verdict(sample.id, NAME, "pass", "spare", f"{self.choice}: {taken[0]} was chosen")
        statement = sample.kind == "statement"
        asked = [sample.history, sample.query, sample.steps]
        key = json.dumps([asked, sample.answer if statement else canonical(sample.answer)])
        first = self._first.setdefault(blake2b(key.encode(), digest_size=16).digest(), sample.id)
        if first != sample.id:
            return Verdict(sample.id, NAME, "fail", "drop", f"duplicate of {first}")
        return Verdict(sample.id, NAME, *(("skip", "keep", "statement") if statement else ("pass", "keep", "")))


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
