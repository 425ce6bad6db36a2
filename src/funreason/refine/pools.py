"""Where every row ended: exactly one fate each, or the stage fails.

kept and regenerated rows are BalanceSFT's *qualified* pool (regenerated: call or format was mended), *hard* rows
passed the first three checks and failed the others, *dropped* rows failed earlier; statements are kept apart.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from funreason.errors import DataError
from funreason.records import Sample, Verdict

FATES = ("kept", "regenerated", "statement", "dropped", "hard")
POOLS = {"qualified": ("kept", "regenerated"), "hard": ("hard",), "dropped": ("dropped",),
         "statement": ("statement",)}  # fmt: skip
_LEFT = {"drop": "dropped", "hard": "hard"}


@dataclass(frozen=True)
class Step:
    """One step of the chain as its files tell it: a verdict for each row that came in, the samples that went on."""

    name: str
    verdicts: list[Verdict]
    samples: list[Sample]


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


def fates(ids: list[str], steps: list[Step]) -> list[Fate]:
    """Follow `ids`, the rows that entered the first step, to their ends. Raises DataError where one is lost."""
    found, last, alive = {}, {}, ids
    for step in steps:
        _expect_same(f"{step.name}'s ledger", [verdict.id for verdict in step.verdicts], alive)
        for verdict in step.verdicts:
            if verdict.action in _LEFT:
                left = (_LEFT[verdict.action], step.name, verdict.reason, last.get(verdict.id))
                found[verdict.id] = Fate(verdict.id, *left)
        alive = [verdict.id for verdict in step.verdicts if verdict.action not in _LEFT]
        _expect_same(f"{step.name}'s samples", [sample.id for sample in step.samples], alive)
        last.update((sample.id, sample) for sample in step.samples)
    for name in alive:
        found[name] = Fate(name, _staying(last[name]), steps[-1].name, "", last[name])
    return [found[name] for name in ids]


def _staying(sample: Sample) -> str:
    if sample.kind == "statement":
        return "statement"
    return "regenerated" if sample.regenerated else "kept"


def _expect_same(what: str, seen: list[str], expected: list[str]) -> None:
    """The same rows in the same order: a lost, a doubled or a strange row all fail."""
    if seen == expected:
        return
    difference = Counter(expected)
    difference.subtract(seen)
    wrong = [name for name, count in difference.items() if count] or ["the order"]
    raise DataError(
        f"{what}: {len(seen)} rows, {len(expected)} came in; first difference is {wrong[0]!r}. "
        "Every row must have exactly one fate: rerun the set's stages from generate on"
    )


def count(all_fates: Iterable[Fate]) -> dict[str, int]:
    found = Counter(fate.fate for fate in all_fates)
    return {name: found[name] for name in FATES}


def check_sum(counted: dict[str, int], rows: int, tasks: int, prepared: dict) -> None:
    """Fates = rows that entered the set, and tasks + quarantined = rows of the source by prepare's own count."""
    source, quarantined = prepared["rows"], prepared["quarantined"]
    if sum(counted.values()) != rows or tasks + quarantined != source:
        raise DataError(
            f"{sum(counted.values())} fates {counted} of {rows} rows; {tasks} tasks and {quarantined} quarantined "
            f"of {source} rows of the source: the counts do not add up; rerun prepare and the set's stages"
        )
