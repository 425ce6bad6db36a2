"""Where every row ended: exactly one fate each, or the stage fails.

kept and regenerated rows are BalanceSFT's *qualified* pool (regenerated: call or format was mended), *hard* rows
passed the first three checks and failed the others, *dropped* rows failed earlier; statements are kept apart, and so
are *spare* rows, which passed all checks where another sample of their query was chosen.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from funreason.core.errors import DataError
from funreason.core.records import Sample, Verdict

FATES = ("kept", "regenerated", "statement", "spare", "dropped", "hard")
POOLS = {"qualified": ("kept", "regenerated"), "hard": ("hard",), "dropped": ("dropped",),
         "statement": ("statement",), "spare": ("spare",)}  # fmt: skip
LEFT = {"drop": "dropped", "hard": "hard", "spare": "spare"}


@dataclass(frozen=True)
class Step:
    """One step of the chain as its files tell it: a verdict for each row that came in, the samples that went on.

    Both are read once, row by row: a set of a million rows does not fit into memory.
    """

    name: str
    verdicts: Iterable[Verdict]
    samples: Iterable[Sample]


@dataclass(frozen=True)
class Way:
    """What happened to one row, step by step; `sample` is its last state, if it had any."""

    id: str
    verdicts: list[Verdict]
    sample: Sample | None

    @property
    def goes_on(self) -> bool:
        return self.verdicts[-1].action not in LEFT

    @property
    def passed(self) -> bool:
        """Whether the row was accepted, be it trained on, spare or a repeat of another row."""
        last = self.verdicts[-1]
        return self.goes_on or last.action == "spare" or (last.check == "validate" and last.action == "drop")

    def then(self, verdict: Verdict) -> "Way":
        """The way with one more step, which changed nothing in the sample."""
        return Way(self.id, [*self.verdicts, verdict], self.sample)

    def fate(self) -> "Fate":
        last = self.verdicts[-1]
        fate = LEFT.get(last.action) or _staying(self.sample)
        return Fate(self.id, fate, last.check, last.reason if last.action in LEFT else "", self.sample)


@dataclass(frozen=True)
class Fate:
    """`check` is the step where the row left, or the last one; `sample` is its last state, if it had any."""

    id: str
    fate: str
    check: str
    reason: str
    sample: Sample | None

    def to_row(self) -> dict:
        """The sample with the step and the reason of its fate; a pool file's row."""
        return {**(self.sample.to_row() if self.sample else {"id": self.id}),
                "fate": self.fate, "check": self.check, "reason": self.reason}  # fmt: skip


def left_hard(ways: list[Way], whatever_failed: bool) -> bool:
    """Whether a query is left to HDR: no sample of it passed, and one of them is hard.

    `whatever_failed`: in an HDR round a query stays in the pool whichever check its samples failed.
    """
    return not any(way.passed for way in ways) and (whatever_failed or any(way.fate().fate == "hard" for way in ways))


def _staying(sample: Sample) -> str:
    if sample.kind == "statement":
        return "statement"
    return "regenerated" if sample.regenerated else "kept"


class Chain:
    """The files of all steps side by side: each is read as far as the rows asked for, in their order."""

    def __init__(self, steps: list[Step]):
        self._steps = [
            (_InOrder(f"{step.name}'s ledger", step.verdicts), _InOrder(f"{step.name}'s samples", step.samples))
            for step in steps
        ]

    def way(self, name: str) -> Way:
        """Follow the next row. Raises DataError where it is lost on its way, or where another one is in its place."""
        verdicts, sample = [], None
        for ledger, samples in self._steps:
            verdicts.append(ledger.take(name))
            if verdicts[-1].action in LEFT:
                break
            sample = samples.take(name)
        return Way(name, verdicts, sample)

    def end(self) -> None:
        """Raises DataError where a file has rows that no one asked for."""
        for ledger, samples in self._steps:
            ledger.end()
            samples.end()


class _InOrder:
    """Rows of a file that must be those that came in, in their order: a lost, doubled or strange row fails."""

    def __init__(self, what: str, rows: Iterable[Verdict | Sample]):
        self.what, self.rows, self.count = what, iter(rows), 0

    def take(self, name: str) -> Verdict | Sample:
        row, self.count = next(self.rows, None), self.count + 1
        if row is None or row.id != name:
            raise self._wrong(row, f"{name!r} came in")
        return row

    def end(self) -> None:
        if (row := next(self.rows, None)) is not None:
            self.count += 1
            raise self._wrong(row, "no more came in")

    def _wrong(self, row: Verdict | Sample | None, expected: str) -> DataError:
        seen = "missing" if row is None else repr(row.id)
        return DataError(
            f"{self.what}: row {self.count} is {seen}, {expected}. Every row must have exactly one fate: rerun the "
            "set's stages from generate on"
        )


def check_fates(counted: dict[str, int], rows: int) -> None:
    """As many fates as rows that entered the set. Raises DataError."""
    if sum(counted.values()) != rows:
        raise DataError(
            f"{sum(counted.values())} fates {counted} of {rows} rows: the counts do not add up; rerun the set's stages"
        )


def check_source(tasks: int, prepared: dict) -> None:
    """tasks - turns + conversations + quarantined = rows of the sources, by prepare's own count: a conversation is one
    row there, and as many tasks as it has turns. Raises DataError.
    """
    source, quarantined, turns, talks = (prepared[name] for name in ("rows", "quarantined", "turns", "conversations"))
    if tasks - turns + talks + quarantined != source:
        raise DataError(
            f"{tasks} tasks, of which {turns} are turns of {talks} conversations, and {quarantined} quarantined of "
            f"{source} rows of the source: the counts do not add up; rerun prepare and the set's stages"
        )
