"""The loop all checks share: samples in, one outcome each, in the same order."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from itertools import islice
from typing import Protocol

from funreason.config import FcdrParams
from funreason.core.records import Sample, Verdict
from funreason.ledger.outcome import Outcome
from funreason.refine.answer import Answer, Question
from funreason.refine.check import Check, Decision, Flow, canonical
from funreason.refine.checks import CHECKS

STAYS = ("keep", "regenerate")


class Asked(Protocol):
    """What answers questions: a `panel.Panel`, the rules before it, or whatever takes its place."""

    def ask(self, questions: list[Question], desc: str) -> list[Answer]: ...


def run(
    check: Check, samples: Iterable[Sample], judge: Asked, fcdr: FcdrParams, block: int | None = None
) -> Iterator[Outcome]:
    """All samples through one check, in their order.

    `block` rows at a time where nobody has to wait for an engine (the rules alone), so that a million fit into
    memory; None puts the questions of all rows to the judge together.
    """
    samples = iter(samples)
    while rows := [_Row(check, sample, fcdr) for sample in islice(samples, block)]:
        yield from _together(check, rows, judge)


def _together(check: Check, rows: list["_Row"], judge: Asked) -> list[Outcome]:
    """Each round puts the open questions of all rows to the judge at once."""
    number, asking = 1, [row for row in rows if row.question]
    while asking:
        desc = check.name if number == 1 else f"{check.name}, round {number}"
        answers = judge.ask([row.question for row in asking], desc)
        for row, answer in zip(asking, answers, strict=True):
            row.take(answer)
        number, asking = number + 1, [row for row in asking if row.question]
    return [row.outcome() for row in rows]


class _Row:
    """One sample on its way: the question it waits for, what was said so far, and in the end the decision."""

    def __init__(self, check: Check, sample: Sample, fcdr: FcdrParams):
        self.check, self.sample = check, sample
        self.question: Question | None = None
        self.decision: Decision | None = None
        self.answers: list[Answer] = []
        self._flow = through(check, sample, fcdr)
        self._go_on(None)

    def take(self, answer: Answer) -> None:
        self.answers.append(answer)
        self._go_on(answer)

    def _go_on(self, answer: Answer | None) -> None:
        try:
            self.question = self._flow.send(answer)
        except StopIteration as end:
            self.question, self.decision = None, end.value

    def outcome(self) -> Outcome:
        """The verdict, with both answers where there is a new one, be it accepted or not."""
        decision, old, new = self.decision, self.sample.answer, self.decision.sample.answer
        changed = new != old
        action = "regenerate" if decision.action == "keep" and changed else decision.action
        votes = [asdict(vote) for answer in self.answers for vote in answer.votes]
        finding = self.answers[0].finding if self.answers else None
        verdict = Verdict(
            self.sample.id, self.check.name, decision.verdict, action, decision.reason,
            asks=len(votes), votes=votes, old_answer=old if changed else None, new_answer=new if changed else None,
            rules=asdict(finding) if finding else None,
        )  # fmt: skip
        sample = replace(decision.sample, regenerated=self.sample.regenerated or changed)
        return Outcome(verdict, sample if action in STAYS else None, self.answers)


def through(check: Check, sample: Sample, fcdr: FcdrParams) -> Flow:
    """One row through one check, and through the CoT check again where the calls are new ones.

    The reasoning was judged together with the old calls: it may lead to them still.
    """
    if sample.kind == "statement":
        return Decision("skip", "keep", "statement", sample)
    decision = yield from check.decide(sample, fcdr)
    changed = decision.sample.answer != sample.answer
    if decision.action != "keep" or not changed or not fcdr.recheck_cot:
        return decision
    if canonical(decision.sample.answer) == canonical(sample.answer):
        return decision
    again = yield from CHECKS["cot"].decide(decision.sample, fcdr)
    return replace(again, reason=f"new answer: {again.reason}") if again.reason else again
