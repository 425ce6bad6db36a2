"""The loop all checks share: samples in, one outcome each, in the same order."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from funreason.params import FcdrParams
from funreason.records import Sample, Verdict
from funreason.refine.check import Answer, Check, Decision, Flow, Question, canonical
from funreason.refine.checks import CHECKS
from funreason.refine.outcome import Outcome

STAYS = ("keep", "regenerate")


class Asked(Protocol):
    """What answers questions: a `Judge`, or whatever takes its place."""

    def ask(self, questions: list[Question], desc: str) -> list[Answer]: ...


def run(check: Check, samples: Iterable[Sample], judge: Asked, fcdr: FcdrParams) -> list[Outcome]:
    """All samples through one check. Each round puts the open questions of all rows to the judge at once."""
    rows = [_Row(check, sample, fcdr) for sample in samples]
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
        self.votes: list[str] = []
        self.failures = 0
        self._flow = through(check, sample, fcdr)
        self._go_on(None)

    def take(self, answer: Answer) -> None:
        self.votes += answer.votes
        self.failures += answer.failures
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
        verdict = Verdict(
            self.sample.id, self.check.name, decision.verdict, action, decision.reason,
            asks=len(self.votes), votes=self.votes,
            old_answer=old if changed else None, new_answer=new if changed else None,
        )  # fmt: skip
        sample = replace(decision.sample, regenerated=self.sample.regenerated or changed)
        return Outcome(verdict, sample if action in STAYS else None, self.failures)


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
