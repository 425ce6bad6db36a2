"""Where the source has hidden labels (the toy world's planted defects): which of them each check took out.

A labels file has {"id", "defect", "check"} for each task: the defect's name (null: none) and the check that is to
catch it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from funreason.core.jsonio import read_jsonl
from funreason.ledger.pools import Fate

# A query without its tool or a value is so for every answer; the other defects are those of a given response.
OF_THE_QUERY = ("unsolvable", "missing_value")
NONE = "none"


@dataclass(frozen=True)
class Labels:
    """Hidden labels: the defect of a task, where it has one, and the check that is to catch a defect."""

    defects: dict[str, str]
    checks: dict[str, str]

    @classmethod
    def read(cls, path: str | Path) -> "Labels":
        defects, checks = {}, {}
        for row in read_jsonl(path):
            if row["defect"]:
                defects[row["id"]] = row["defect"]
                checks[row["defect"]] = row["check"]
        return cls(defects, checks)

    def group(self, task: str, given: bool) -> str:
        """The defect of a row of `task`; `clean` for a response that the source brought along without one (`given`);
        `sampled` where somebody wrote the response since, of which the labels say nothing.
        """
        defect = self.defects.get(task)
        if defect in OF_THE_QUERY or (defect and given):
            return defect
        return "clean" if given else "sampled"


class Planted:
    """Counts, for rows that pass by, which of the planted defects were found, and by which check."""

    def __init__(self, labels: Labels):
        self.labels = labels
        self.groups: dict[str, dict] = {}
        self.pairs: Counter[tuple[str, str]] = Counter()  # (check that should have caught it, check that did) → rows

    def add(self, group: str, fate: Fate, mended: str) -> None:
        """`mended` is the check that gave the row a new answer. What the last step took out was found there."""
        empty = {"rows": 0, "kept": 0, "regenerated": 0, "statement": 0, "left": Counter()}
        entry = self.groups.setdefault(group, empty)
        entry["rows"] += 1
        stays = fate.fate in entry
        if stays:
            entry[fate.fate] += 1
        else:
            entry["left"][fate.check] += 1
        if group != "sampled":
            self.pairs[self.labels.checks.get(group, NONE), mended if stays else fate.check] += 1

    def metrics(self) -> dict:
        """{defect, clean or sampled: {rows, kept, regenerated, statement, left: {check: rows}}}."""
        return {name: {**entry, "left": dict(entry["left"])} for name, entry in sorted(self.groups.items())}

    def confusion(self) -> Iterator[dict[str, str]]:
        """{"planted", "found"} of every labelled row."""
        for (planted, found), rows in sorted(self.pairs.items()):
            yield from [{"planted": planted, "found": found}] * rows
