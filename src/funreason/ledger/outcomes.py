"""Where every row ended: exactly one outcome each, or the stage fails.

kept and regenerated rows are BalanceSFT's *qualified* pool (regenerated: call or format was mended), *hard* rows
passed the first three checks and failed one of the others, *dropped* rows failed earlier. Statements are kept apart,
and so are rows where another sample of their query was selected (*not_selected*): by generate, where samples must
agree, or after all checks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from funreason.core.errors import DataError
from funreason.core.records import Sample
from funreason.ledger.results import CheckResult

OUTCOMES = ("kept", "regenerated", "statement", "not_selected", "dropped", "hard")
POOLS = {"qualified": ("kept", "regenerated"), "hard": ("hard",), "dropped": ("dropped",),
         "statement": ("statement",), "not_selected": ("not_selected",)}  # fmt: skip
LEFT = {"drop": "dropped", "hard": "hard", "not_selected": "not_selected"}  # action → outcome
_RERUN = "rerun the stages of the round"

_Row = TypeVar("_Row", CheckResult, Sample)


@dataclass(frozen=True)
class Outcome:
    """Where a row ended: one of `OUTCOMES`, the step where it left (or the last one), and why it left."""

    name: str
    check: str
    reason: str

    def to_row(self) -> dict[str, str]:
        """The outcome as pools and `funreason ledger diff` have it."""
        return {"outcome": self.name, "check": self.check, "reason": self.reason}


@dataclass(frozen=True)
class RowHistory:
    """What happened to one row, step by step.

    Attributes:
        id: The id of the row.
        results: One per step that the row came to, in their order.
        sample: The last state of the row; None where generate dropped it or selected another sample.
    """

    id: str
    results: list[CheckResult]
    sample: Sample | None

    @property
    def goes_on(self) -> bool:
        """Whether the row goes on after the last of its steps."""
        return self.results[-1].goes_on

    @property
    def passed(self) -> bool:
        """Whether the row was accepted: trained on, or by validate not selected or found to repeat another row."""
        last = self.results[-1]
        return self.goes_on or (last.check == "validate" and last.action in ("not_selected", "drop"))

    def then(self, result: CheckResult) -> "RowHistory":
        """The history with one more step, which changed nothing in the sample."""
        return RowHistory(self.id, [*self.results, result], self.sample)

    def outcome(self) -> Outcome:
        """Where the row ended, if this is all of its history."""
        last = self.results[-1]
        if last.action in LEFT:
            return Outcome(LEFT[last.action], last.check, last.reason)
        if self.sample and self.sample.kind == "statement":
            return Outcome("statement", last.check, "")
        return Outcome("regenerated" if self.sample and self.sample.regenerated else "kept", last.check, "")

    def to_pool_row(self) -> dict:
        """The last state of the row with its outcome, as a line of a pool."""
        return {**(self.sample.to_row() if self.sample else {"id": self.id}), **self.outcome().to_row()}


def is_left_hard(histories: list[RowHistory], any_failure: bool) -> bool:
    """Whether a query is left to HDR: none of its samples passed, and one of them is hard.

    Args:
        histories: The samples of the query.
        any_failure: Whether a dropped sample counts like a hard one. It does in an HDR round: its queries stay hard.
    """
    if any(history.passed for history in histories):
        return False
    return any_failure or any(history.outcome().name == "hard" for history in histories)


@dataclass(frozen=True)
class StepFiles:
    """The two files of a step: a result for each row that came in, and the samples that went on.

    Both are read once, row by row: a round of a million rows does not fit into memory.
    """

    name: str
    results: Iterable[CheckResult]
    samples: Iterable[Sample]


class HistoryReader:
    """Reads the files of all steps side by side, each as far as the rows asked for, in the order of the rows."""

    def __init__(self, steps: list[StepFiles]):
        self._steps = [
            (_InOrder(f"{step.name}'s ledger", step.results), _InOrder(f"{step.name}'s samples", step.samples))
            for step in steps
        ]

    def read(self, name: str) -> RowHistory:
        """Follow the next row, `name`. Raises DataError where it is lost on its way, or another one is in its place."""
        results: list[CheckResult] = []
        sample: Sample | None = None
        for ledger, samples in self._steps:
            results.append(ledger.take(name))
            if not results[-1].goes_on:
                break
            sample = samples.take(name)
        return RowHistory(name, results, sample)

    def end(self) -> None:
        """Raises DataError where a file has rows that nobody asked for."""
        for ledger, samples in self._steps:
            ledger.end()
            samples.end()


class _InOrder(Generic[_Row]):
    """Rows of a file that must be those that came in, in their order: a lost, doubled or strange row fails."""

    def __init__(self, what: str, rows: Iterable[_Row]):
        self.what, self.count = what, 0
        self.rows: Iterator[_Row] = iter(rows)

    def take(self, name: str) -> _Row:
        row, self.count = next(self.rows, None), self.count + 1
        if row is None or row.id != name:
            raise self._wrong(row, f"{name!r} came in")
        return row

    def end(self) -> None:
        if (row := next(self.rows, None)) is not None:
            self.count += 1
            raise self._wrong(row, "no more came in")

    def _wrong(self, row: _Row | None, expected: str) -> DataError:
        seen = "missing" if row is None else repr(row.id)
        return DataError(
            f"{self.what}: row {self.count} is {seen}, {expected}. Every row must have exactly one outcome: {_RERUN} "
            "from generate on"
        )


def check_outcomes(counts: dict[str, int], rows: int) -> None:
    """Check that there are as many outcomes as rows that entered the round.

    Args:
        counts: Rows per outcome.
        rows: Rows that entered the round.

    Raises:
        DataError: The counts do not add up.
    """
    if sum(counts.values()) != rows:
        raise DataError(f"{sum(counts.values())} outcomes {counts} of {rows} rows: the counts do not add up; {_RERUN}")


def check_source(tasks: int, prepared: dict) -> None:
    """Check that every row of the sources is a task, skipped or quarantined, by prepare's own counts.

    tasks - turns + conversations + skipped + quarantined = rows: a conversation is one row of a source, and a task per
    turn.

    Args:
        tasks: Tasks of the round.
        prepared: The metrics of prepare.

    Raises:
        DataError: The counts do not add up.
    """
    rows, quarantined, skipped, turns, conversations = (
        prepared[name] for name in ("rows", "quarantined", "skipped", "turns", "conversations")
    )
    if tasks - turns + conversations + skipped + quarantined != rows:
        raise DataError(
            f"{tasks} tasks, of which {turns} are turns of {conversations} conversations, {quarantined} "
            f"quarantined and {skipped} skipped of {rows} rows of the sources: the counts do not add up; rerun prepare "
            "and the stages of the round"
        )
