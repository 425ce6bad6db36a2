"""Sorts the rows of the data sources into tasks and quarantined rows, and counts both."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from funreason.core import paths
from funreason.core.errors import DataError
from funreason.data.rows import NumberedRow, QuarantinedRow, TaskIds, read_tasks

Write = Callable[[dict[str, Any]], None]
COUNTS = ("rows", "tasks", "quarantined", "conversations", "turns", "with_response", "without_call")


def sources_of(descriptor: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The sources that data/source.json describes, by the names of their blocks in params.yaml."""
    second = descriptor.get("multi_turn")
    return {"data": descriptor} | ({"data.multi_turn": second} if second else {})


def source_name(source: dict[str, Any]) -> str:
    """The path or hub id of a descriptor."""
    return source.get("path") or source["hub"]


def sort_rows(
    rows: Iterable[NumberedRow], source: str, ids: TaskIds, write_task: Write, write_quarantined: Write
) -> dict[str, Any]:
    """Write the tasks of each row, or the row to the quarantine, in the order of the source.

    Args:
        rows: The numbered rows of the source.
        source: The name of the source.
        ids: The ids of earlier tasks; those of these rows are added.
        write_task: Writes one task.
        write_quarantined: Writes one quarantined row.

    Returns:
        The metrics of the source: `COUNTS`, `bad_fraction` and `reasons` (of quarantined rows). rows = single queries +
        conversations + quarantined; tasks = single queries + turns, which are the tasks of conversations.
    """
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for row in read_tasks(rows, source, ids):
        counts["rows"] += 1
        if isinstance(row, QuarantinedRow):
            write_quarantined(row.to_row())
            reasons[row.kind] += 1
            continue
        for task in row.tasks:
            write_task(task.to_row())
            counts["with_response"] += task.response is not None
            counts["without_call"] += not task.answers
        counts["tasks"] += len(row.tasks)
        counts["conversations"] += row.is_conversation
        counts["turns"] += len(row.tasks) * row.is_conversation
    counts["quarantined"] = reasons.total()
    return _metrics(counts, reasons)


def total_metrics(sources: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The metrics of all sources together, with the metrics of each by its name under `sources`."""
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for metrics in sources.values():
        counts.update({name: metrics[name] for name in COUNTS})
        reasons.update(metrics["reasons"])
    return _metrics(counts, reasons) | {"sources": sources}


def _metrics(counts: Counter[str], reasons: Counter[str]) -> dict[str, Any]:
    bad_fraction = round(counts["quarantined"] / counts["rows"], 6) if counts["rows"] else 0.0
    of_rows = {name: counts[name] for name in COUNTS}
    return of_rows | {"bad_fraction": bad_fraction, "reasons": dict(sorted(reasons.items()))}


def check_bad_fraction(metrics: dict[str, Any], max_bad_fraction: float, source: str) -> None:
    """Refuse a source with too many malformed rows.

    Args:
        metrics: The metrics of the source.
        max_bad_fraction: The greatest fraction of its rows that may be quarantined.
        source: The name of the source.

    Raises:
        DataError: More rows are malformed, or the source has no task.
    """
    if metrics["rows"] == 0:
        raise DataError(f"{source} holds no rows; give another source (path or hub, see `data` in params.yaml)")
    if metrics["bad_fraction"] > max_bad_fraction or metrics["tasks"] == 0:
        reasons = ", ".join(f"{count} {kind}" for kind, count in metrics["reasons"].items())
        raise DataError(
            f"{source}: {metrics['quarantined']} of {metrics['rows']} rows are malformed ({reasons}), "
            f"prepare.max_bad_fraction allows a fraction of {max_bad_fraction}; see {paths.QUARANTINE}, "
            "then correct the source or raise the parameter"
        )
