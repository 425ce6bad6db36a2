"""Where the source has hidden labels (the desk world's planted defects): which of them each check took out.

A labels file has {"id", "defect", "check"} for each task: the defect's name (null: none) and the check that is to
catch it.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from funreason.records import read_jsonl
from funreason.refine.pools import Fate

# A query without its tool or a value is so for every answer; the other defects are those of a given response.
OF_THE_QUERY = ("unsolvable", "missing_value")
NONE = "none"


@dataclass(frozen=True)
class Labels:
    """Hidden labels by row id. `given` are the rows whose response the source brought along."""

    defects: dict[str, str | None]
    checks: dict[str, str]
    given: set[str]

    @classmethod
    def read(cls, path: str | Path, tasks: dict[str, str], given: set[str]) -> "Labels":
        """`tasks` maps a row to its task: the labels are the source's, a task may have become several rows."""
        found = {row["id"]: row for row in read_jsonl(path)}
        defects = {row: found[task]["defect"] for row, task in tasks.items() if task in found}
        checks = {row["defect"]: row["check"] for row in found.values() if row["defect"]}
        return cls(defects, checks, given)

    def group(self, name: str) -> str:
        """The defect of a row; `clean` for a given response without one; `sampled` where somebody wrote the response
        since, of which the labels say nothing.
        """
        defect = self.defects.get(name)
        if defect in OF_THE_QUERY or (defect and name in self.given):
            return defect
        return "clean" if name in self.given else "sampled"


def planted(fates: list[Fate], labels: Labels) -> dict:
    """{defect, clean or sampled: {rows, kept, regenerated, statement, left: {check: rows}}}."""
    table: dict[str, dict] = {}
    for fate in fates:
        empty = {"rows": 0, "kept": 0, "regenerated": 0, "statement": 0, "left": Counter()}
        entry = table.setdefault(labels.group(fate.id), empty)
        entry["rows"] += 1
        if fate.fate in entry:
            entry[fate.fate] += 1
        else:
            entry["left"][fate.check] += 1
    return {name: {**entry, "left": dict(entry["left"])} for name, entry in sorted(table.items())}


def confusion(fates: list[Fate], mended: dict[str, str], labels: Labels) -> list[dict[str, str]]:
    """[{"planted", "found"}] of the labelled rows: the check that should have caught it, and the one that did.

    `mended` maps a row to the check that gave it a new answer. A row that the last step took out was found there.
    """
    rows = []
    for fate in fates:
        if (group := labels.group(fate.id)) != "sampled":
            found = mended.get(fate.id, NONE) if fate.fate in ("kept", "regenerated", "statement") else fate.check
            rows.append({"planted": labels.checks.get(group, NONE), "found": found})
    return sorted(rows, key=lambda row: (row["planted"], row["found"]))
