"""Where the source has hidden labels (the toy world's planted defects): which of them each check took out.

A labels file has {"id", "defect", "check"} for each task: the name of the defect (null: none) and the check that
should catch it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from funreason.core.jsonio import read_jsonl
from funreason.ledger.outcomes import Outcome

# A query without its tool or a value is so for every answer; the other defects are those of a given response.
OF_THE_QUERY = ("unsolvable", "missing_value")
NONE = "none"


@dataclass(frozen=True)
class Labels:
    """Hidden labels: task → its defect, for those that have one; defect → the check that should catch it."""

    defects: dict[str, str]
    checks: dict[str, str]

    @classmethod
    def read(cls, path: str | Path) -> "Labels":
        """The labels of a file."""
        defects, checks = {}, {}
        for row in read_jsonl(path):
            if row["defect"]:
                defects[row["id"]] = row["defect"]
                checks[row["defect"]] = row["check"]
        return cls(defects, checks)

    def group(self, task: str, given: bool) -> str:
        """What the labels say of a row.

        Args:
            task: The id of its task.
            given: Whether its response came with the source.

        Returns:
            The defect; `clean` for a response of the source without one; `sampled` for a response that was generated
            later, of which the labels say nothing.
        """
        defect = self.defects.get(task)
        if defect in OF_THE_QUERY or (defect and given):
            return defect
        return "clean" if given else "sampled"


class PlantedMetrics:
    """Counts, for rows that pass by, which planted defects were caught, and by which check."""

    def __init__(self, labels: Labels):
        self.labels = labels
        self.groups: dict[str, dict] = {}
        self.pairs: Counter[tuple[str, str]] = Counter()  # (check that should have caught it, check that did) → rows

    def add(self, group: str, outcome: Outcome, mended: str) -> None:
        """Count one row.

        Args:
            group: What `Labels.group` says of it.
            outcome: Where it ended.
            mended: The check that gave the row a new answer, or `NONE`.
        """
        empty = {"rows": 0, "kept": 0, "regenerated": 0, "statement": 0, "left": Counter()}
        entry = self.groups.setdefault(group, empty)
        entry["rows"] += 1
        stays = outcome.name in entry
        if stays:
            entry[outcome.name] += 1
        else:
            entry["left"][outcome.check] += 1
        if group != "sampled":
            self.pairs[self.labels.checks.get(group, NONE), mended if stays else outcome.check] += 1

    def metrics(self) -> dict:
        """{defect, clean or sampled: {rows, kept, regenerated, statement, left: {check: rows}}}."""
        return {name: {**entry, "left": dict(entry["left"])} for name, entry in sorted(self.groups.items())}

    def confusion(self) -> Iterator[dict[str, str]]:
        """{"planted", "caught_by"} of every labelled row: the check that a defect is for, and the one that acted."""
        for (planted, caught_by), rows in sorted(self.pairs.items()):
            yield from [{"planted": planted, "caught_by": caught_by}] * rows
