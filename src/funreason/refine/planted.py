"""Where the source has hidden labels (the desk world's planted defects): which of them each check took out."""

from collections import Counter

from funreason.refine.pools import Fate

# A query without its tool or a value is so for every answer; the other defects are those of a given response.
OF_THE_QUERY = ("unsolvable", "missing_value")


def planted(fates: list[Fate], labels: dict[str, str | None], given: set[str]) -> dict:
    """{defect: {rows, kept, regenerated, statement, left: {check: rows}}}, by row id.

    `clean` are given responses without a defect; `sampled` are responses that somebody wrote since, of which the
    labels say nothing.
    """
    table: dict[str, dict] = {}
    for fate in fates:
        name = _group(fate.id, labels, given)
        empty = {"rows": 0, "kept": 0, "regenerated": 0, "statement": 0, "left": Counter()}
        entry = table.setdefault(name, empty)
        entry["rows"] += 1
        if fate.fate in entry:
            entry[fate.fate] += 1
        else:
            entry["left"][fate.check] += 1
    return {name: {**entry, "left": dict(entry["left"])} for name, entry in sorted(table.items())}


def _group(name: str, labels: dict[str, str | None], given: set[str]) -> str:
    defect = labels.get(name)
    if defect in OF_THE_QUERY or (defect and name in given):
        return defect
    return "clean" if name in given else "sampled"
