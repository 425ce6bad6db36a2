"""Read the data source, sort its rows into tasks and quarantine, and count both."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from funreason.errors import DataError
from funreason.records import Task
from funreason.xlam import Quarantined, tasks

Write = Callable[[dict], None]


def read_rows(source: dict, split: str, limit: int | None) -> Iterator[tuple[int, bytes | dict]]:
    """Yield (row number from 1, row) of a descriptor (data/source.json). Raises DataError."""
    rows = _hub_rows(source, split) if source["kind"] == "hub" else _file_rows(Path(source["path"]))
    return islice(rows, limit)


def sort_rows(rows: Iterable[tuple[int, bytes | dict]], good: Write, bad: Write) -> dict:
    """Give each row to exactly one of `good` and `bad`, in the order of the source. Returns the metrics.

    rows = tasks + quarantined; `reasons` says why rows were quarantined.
    """
    found, reasons = Counter(), Counter()
    for row in tasks(rows):
        (good if isinstance(row, Task) else bad)(row.to_row())
        found["rows"] += 1
        if isinstance(row, Quarantined):
            reasons[row.kind] += 1
        else:
            found["with_response"] += row.response is not None
            found["without_call"] += not row.answers
    total, quarantined = found["rows"], reasons.total()
    return {
        "rows": total,
        "tasks": total - quarantined,
        "quarantined": quarantined,
        "bad_share": round(quarantined / total, 6) if total else 0.0,
        "with_response": found["with_response"],
        "without_call": found["without_call"],
        "reasons": dict(sorted(reasons.items())),
    }


def check_share(metrics: dict, max_bad_share: float, source: dict) -> None:
    """Raise DataError where too many rows are malformed, or none is left."""
    name = source.get("path") or source.get("hub")
    if metrics["rows"] == 0:
        raise DataError(f"{name} holds no rows; give another source (data.path or data.hub)")
    if metrics["bad_share"] > max_bad_share or metrics["tasks"] == 0:
        reasons = ", ".join(f"{count} {kind}" for kind, count in metrics["reasons"].items())
        raise DataError(
            f"{name}: {metrics['quarantined']} of {metrics['rows']} rows are malformed ({reasons}), "
            f"prepare.max_bad_share allows a share of {max_bad_share}; see data/quarantine.jsonl, "
            "then mend the source or raise the parameter"
        )


def _file_rows(path: Path) -> Iterator[tuple[int, bytes | dict]]:
    if path.suffix == ".jsonl":
        return _lines(path)
    if path.suffix == ".json":
        return _elements(path)
    raise DataError(f"data.path: {str(path)!r} ends in {path.suffix!r}; .jsonl (an object a line) or .json (a list)")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            line = line.removeprefix(b"\xef\xbb\xbf").strip()
            if line:
                yield number, line


def _elements(path: Path) -> Iterator[tuple[int, dict]]:
    try:
        rows = json.loads(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error}); mend it, or give one object a line as .jsonl") from None
    if not isinstance(rows, list):
        raise DataError(f"{path} holds a {type(rows).__name__}, expected a list of rows")
    return enumerate(rows, 1)


def _hub_rows(source: dict, split: str) -> Iterator[tuple[int, dict]]:
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import HTTPError

    try:
        rows = load_dataset(source["hub"], revision=source["revision"], split=split)
    except (DatasetsError, HTTPError, OSError, ValueError) as error:  # ValueError: no such split
        if getattr(error, "errno", None):  # this machine's trouble (a full disk), not the hub's
            raise
        reason = " ".join(str(error).split())
        raise DataError(f"data.hub: {source['hub']!r}, split {split!r} does not load: {reason}") from None
    return enumerate(rows, 1)
