"""All rows through one check: the questions of a block of rows are put together, pass by pass."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from funreason.config import FcdrParams
from funreason.core.records import Sample
from funreason.ledger.results import CheckResult
from funreason.refine.checks import Check, check_row
from funreason.refine.guard import Guard
from funreason.refine.judge import Question
from funreason.refine.metrics import CheckMetrics
from funreason.refine.modes import Decider
from funreason.refine.panel import PanelVerdict
from funreason.refine.watch import JudgeWatch

BLOCK = 10_000  # rows at a time: enough for an engine, and little memory


def run(
    check: Check,
    samples: Iterable[Sample],
    decider: Decider,
    fcdr: FcdrParams,
    metrics: CheckMetrics,
    watch: JudgeWatch | None = None,
) -> Iterator[CheckResult]:
    """Take all rows through one check, `BLOCK` rows at a time, so that a million fit into memory.

    Args:
        check: The check.
        samples: The rows that the step before passed on.
        decider: Who answers the questions.
        fcdr: The parameters of the checks.
        metrics: Counts verdicts and results.
        watch: Watches the judges.

    Returns:
        One result per row, in the order of the rows.

    Raises:
        DataError: The check removes, or leaves undecided, more rows than fcdr.max_removed and max_undecided allow.
    """
    samples, number, guard = iter(samples), 0, Guard(check.name, fcdr)
    while block := list(islice(samples, BLOCK)):
        number += 1
        if watch:
            watch.look(check, block)
        rows = [_RowInCheck(check, sample, fcdr) for sample in block]
        _put_questions(check, rows, decider, "" if number == 1 else f", block {number}")
        for row in rows:
            result = row.finished()
            metrics.add(result, row.verdicts)
            guard.add(result)
            if watch:
                watch.add(check, row.verdicts)
            yield result
        guard.stop_if_emptying()


def _put_questions(check: Check, rows: list["_RowInCheck"], decider: Decider, block: str) -> None:
    """Each pass puts the open questions of all rows at once, until no row has one."""
    number, open_rows = 1, [(row, row.question) for row in rows if row.question]
    while open_rows:
        desc = f"{check.name}{block}" if number == 1 else f"{check.name}{block}, pass {number}"
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
            heuristics=heuristic.to_row() if heuristic else None,
            sample=replace(result.sample, regenerated=self.sample.regenerated or changed),
        )
