"""All rows through one check: the questions of all rows are put together, pass by pass."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from itertools import islice

from funreason.config import FcdrParams
from funreason.core.records import Sample
from funreason.ledger.results import CheckResult
from funreason.refine.checks import Check, check_row
from funreason.refine.judge import Question
from funreason.refine.metrics import CheckMetrics
from funreason.refine.modes import Decider
from funreason.refine.panel import PanelVerdict

BLOCK = 10_000  # rows at a time where no engine is asked


def run(
    check: Check, samples: Iterable[Sample], decider: Decider, fcdr: FcdrParams, metrics: CheckMetrics
) -> Iterator[CheckResult]:
    """Take all rows through one check.

    Where no engine is asked (the mode `heuristics`), `BLOCK` rows at a time, so that a million fit into memory; else
    the questions of all rows are put together.

    Args:
        check: The check.
        samples: The rows that the step before passed on.
        decider: Who answers the questions.
        fcdr: The parameters of the checks.
        metrics: Counts verdicts and results.

    Returns:
        One result per row, in the order of the rows.
    """
    samples, block = iter(samples), BLOCK if fcdr.mode == "heuristics" else None
    while rows := [_RowInCheck(check, sample, fcdr) for sample in islice(samples, block)]:
        _put_questions(check, rows, decider)
        for row in rows:
            result = row.finished()
            metrics.add(result, row.verdicts)
            yield result


def _put_questions(check: Check, rows: list["_RowInCheck"], decider: Decider) -> None:
    """Each pass puts the open questions of all rows at once, until no row has one."""
    number, open_rows = 1, [(row, row.question) for row in rows if row.question]
    while open_rows:
        desc = check.name if number == 1 else f"{check.name}, pass {number}"
        verdicts = decider.ask([question for _, question in open_rows], desc)
        for (row, _), verdict in zip(open_rows, verdicts, strict=True):
            row.take(verdict)
        number, open_rows = number + 1, [(row, row.question) for row, _ in open_rows if row.question]


class _RowInCheck:
    """One row on its way: the question it waits for, the verdicts so far, and in the end the result."""

    def __init__(self, check: Check, sample: Sample, fcdr: FcdrParams):
        self.sample = sample
        self.question: Question | None = None
        self.verdicts: list[PanelVerdict] = []
        self._result: CheckResult | None = None
        self._flow = check_row(check, sample, fcdr)
        self._advance(None)

    def take(self, verdict: PanelVerdict) -> None:
        """Go on with the verdict on the open question."""
        self.verdicts.append(verdict)
        self._advance(verdict)

    def _advance(self, verdict: PanelVerdict | None) -> None:
        try:
            self.question = self._flow.send(verdict) if verdict else next(self._flow)
        except StopIteration as end:
            self.question, self._result = None, end.value

    def finished(self) -> CheckResult:
        """The result as the ledger has it: with all texts, and both answers where there is a new one."""
        result = self._result
        assert result is not None and result.sample is not None
        old, new = self.sample.answer, result.sample.answer
        changed = new != old
        votes = [reply.to_row() for verdict in self.verdicts for reply in verdict.replies]
        heuristic = self.verdicts[0].heuristic if self.verdicts else None
        return replace(
            result,
            action="regenerate" if result.action == "keep" and changed else result.action,
            attempts=len(votes),
            votes=votes,
            old_answer=old if changed else None,
            new_answer=new if changed else None,
            heuristics=asdict(heuristic) if heuristic else None,
            sample=replace(result.sample, regenerated=self.sample.regenerated or changed),
        )
