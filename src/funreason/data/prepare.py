"""Read the data sources, sort their rows into tasks and quarantine, and count both."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from funreason.core.errors import DataError
from funreason.data.xlam import Ids, Quarantined, read

Write = Callable[[dict], None]
SUMMED = ("rows", "tasks", "quarantined", "conversations", "turns", "with_response", "without_call")


def read_rows(source: dict, split: str, limit: int | None) -> Iterator[tuple[int, bytes | dict]]:
    """Yield (row number from 1, row) of a descriptor (data/source.json). Raises DataError."""
    rows = _hub_rows(source, split) if source["kind"] == "hub" else _file_rows(Path(source["path"]))
    return islice(rows, limit)


def sources_of(descriptor: dict) -> dict[str, dict]:
    """The sources that data/source.json describes, by their blocks in params.yaml."""
    second = descriptor.get("multi_turn")
    return {"data": descriptor} | ({"data.multi_turn": second} if second else {})


def name_of(source: dict) -> str:
    return source.get("path") or source["hub"]


def sort_rows(rows: Iterable[tuple[int, bytes | dict]], source: str, ids: Ids, good: Write, bad: Write) -> dict:
    """Give the tasks of each row to `good`, or the row to `bad`, in the order of the source. Returns the metrics.

    rows = single queries + conversations + quarantined; tasks = single queries + turns, the tasks of conversations;
    `reasons` says why rows were quarantined.
    """
    found, reasons = Counter(), Counter()
    for row in read(rows, source, ids):
        found["rows"] += 1
        if isinstance(row, Quarantined):
            bad(row.to_row())
            reasons[row.kind] += 1
            continue
        for task in row.tasks:
            good(task.to_row())
            found["with_response"] += task.response is not None
            found["without_call"] += not task.answers
        found["tasks"] += len(row.tasks)
        found["conversations"] += row.conversation
        found["turns"] += len(row.tasks) * row.conversation
    found["quarantined"] = reasons.total()
    return _metrics(found, reasons)


def summed(sources: dict[str, dict]) -> dict:
    """The metrics of all sources together, with those of each by its name."""
    found, reasons = Counter(), Counter()
    for counts in sources.values():
        found.update({name: counts[name] for name in SUMMED})
        reasons.update(counts["reasons"])
    return _metrics(found, reasons) | {"sources": sources}


def _metrics(found: Counter[str], reasons: Counter[str]) -> dict:
    counts = {name: found[name] for name in SUMMED}
    bad_share = round(found["quarantined"] / found["rows"], 6) if found["rows"] else 0.0
    return counts | {"bad_share": bad_share, "reasons": dict(sorted(reasons.items()))}


def check_share(metrics: dict, max_bad_fraction: float, source: str) -> None:
    """Raise DataError where too many rows of a source are malformed, or none is left."""
    if metrics["rows"] == 0:
        raise DataError(f"{source} holds no rows; give another source (path or hub, see `data` in params.yaml)")
    if metrics["bad_share"] > max_bad_fraction or metrics["tasks"] == 0:
        reasons = ", ".join(f"{count} {kind}" for kind, count in metrics["reasons"].items())
        raise DataError(
            f"{source}: {metrics['quarantined']} of {metrics['rows']} rows are malformed ({reasons}), "
            f"prepare.max_bad_fraction allows a share of {max_bad_fraction}; see data/quarantine.jsonl, "
            "then mend the source or raise the parameter"
        )


def _file_rows(path: Path) -> Iterator[tuple[int, bytes | dict]]:
    if path.suffix == ".jsonl":
        return _lines(path)
    if path.suffix == ".json":
        return _elements(path)
    raise DataError(f"{path} ends in {path.suffix!r}; .jsonl (an object a line) and .json (a list) are read")


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
        raise DataError(f"data set {source['hub']!r}, split {split!r} does not load: {reason}") from None
    return enumerate(rows, 1)
