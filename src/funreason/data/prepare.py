"""Sorts the rows of the data sources into tasks and quarantined rows, and counts both."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from funreason.core import paths
from funreason.core.errors import DataError
from funreason.data.formats import FORMATS
from funreason.data.rows import AUTO, AcceptedRow, QuarantinedRow, TaskIds, read_tasks

Write = Callable[[dict[str, Any]], None]
COUNTS = ("rows", "tasks", "quarantined", "skipped", "conversations", "turns", "with_response", "without_call",
          "made_ids", "renamed", "texts_left_out", "nulls_removed", "with_control_tokens")  # fmt: skip
# Counts by name: why rows are quarantined and skipped and turns left out, formats, fields and types that are not read.
BY_NAME = ("reasons", "skipped_reasons", "turns_left_out", "formats", "ignored_fields", "unread_types")
_SHOWN_REASONS = 3


@dataclass
class Tally:
    """What became of the rows of a source, counted row by row.

    Attributes:
        counts: The counts of `COUNTS`.
        by_name: The counts of `BY_NAME`.
        examples: The first quarantined row of each reason: its number and its whole reason.
    """

    counts: Counter[str] = field(default_factory=Counter)
    by_name: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in BY_NAME})
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, row: AcceptedRow | QuarantinedRow) -> None:
        """Count a row."""
        self.counts["rows"] += 1
        if row.format:
            self.by_name["formats"][row.format] += 1
        if isinstance(row, QuarantinedRow):
            self._add_refused(row)
            return
        counts, turns = self.counts, len(row.tasks)
        counts["tasks"] += turns
        counts["with_response"] += sum(task.response is not None for task in row.tasks)
        counts["without_call"] += sum(not task.answers for task in row.tasks)
        if row.is_conversation:
            counts["conversations"] += 1
            counts["turns"] += turns
        if row.tasks[0].names:
            counts["renamed"] += turns
        counts["made_ids"] += row.made_id
        counts["texts_left_out"] += row.texts
        counts["nulls_removed"] += row.nulls
        counts["with_control_tokens"] += row.marks
        for name, found in (
            ("turns_left_out", row.left_out),
            ("ignored_fields", row.ignored),
            ("unread_types", row.unread),
        ):
            if found:
                self.by_name[name].update(found)

    def _add_refused(self, row: QuarantinedRow) -> None:
        self.counts["skipped" if row.skipped else "quarantined"] += 1
        self.by_name["skipped_reasons" if row.skipped else "reasons"][row.kind] += 1
        self.examples.setdefault(row.kind, f"row {row.row}: {row.reason}")

    def metrics(self) -> dict[str, Any]:
        """The counts as metrics, with the fraction of quarantined rows."""
        of_rows = {name: self.counts[name] for name in COUNTS}
        fraction = round(of_rows["quarantined"] / of_rows["rows"], 6) if of_rows["rows"] else 0.0
        by_name = {name: dict(sorted(counts.items())) for name, counts in self.by_name.items()}
        return of_rows | {"bad_fraction": fraction} | by_name

    def summary(self) -> str:
        """In which formats the rows are, in one line."""
        formats = [f"{FORMATS[name].title} ({count:,} rows)" for name, count in self.by_name["formats"].most_common()]
        refused = f", {self.counts['quarantined']:,} quarantined" if self.counts["quarantined"] else ""
        skipped = f", {self.counts['skipped']:,} skipped" if self.counts["skipped"] else ""
        return f"reads as {', '.join(formats) or 'no known format'}: {self.counts['tasks']:,} tasks{refused}{skipped}"


def sources_of(descriptor: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The sources that data/source.json describes, by the names of their blocks in params.yaml."""
    second = descriptor.get("multi_turn")
    return {"data": descriptor} | ({"data.multi_turn": second} if second else {})


def source_name(source: dict[str, Any]) -> str:
    """The path or hub id of a descriptor."""
    return source.get("path") or source["hub"]


def sort_rows(
    rows: Iterable[tuple[Any, ...]],
    source: str,
    ids: TaskIds,
    write_task: Write,
    write_quarantined: Write,
    format: str = AUTO,
) -> Tally:
    """Write the tasks of each row, or the row to the quarantine, in the order of the source.

    Args:
        rows: The numbered rows of the source.
        source: The name of the source.
        ids: The ids of earlier tasks; those of these rows are added.
        write_task: Writes one task.
        write_quarantined: Writes one quarantined row.
        format: The format of the rows, `auto` to find it out row by row.

    Returns:
        The counts: rows = single queries + conversations + skipped + quarantined, tasks = single queries + turns.
    """
    tally = Tally()
    for row in read_tasks(rows, source, ids, format):
        tally.add(row)
        if isinstance(row, AcceptedRow):
            for task in row.tasks:
                write_task(task.to_row())
        elif not row.skipped:
            write_quarantined(row.to_row())
    return tally


def total_metrics(tallies: dict[str, Tally]) -> dict[str, Any]:
    """The metrics of all sources together, with the metrics of each by its name under `sources`."""
    total = Tally()
    for tally in tallies.values():
        total.counts.update(tally.counts)
        for name, counts in tally.by_name.items():
            total.by_name[name].update(counts)
    return total.metrics() | {"sources": {name: tally.metrics() for name, tally in tallies.items()}}


def check_bad_fraction(tally: Tally, max_bad_fraction: float, source: str) -> None:
    """Refuse a source with too many malformed rows.

    Args:
        tally: The counts of the source.
        max_bad_fraction: The greatest fraction of its rows that may be quarantined.
        source: The name of the source.

    Raises:
        DataError: More rows are malformed, or the source has no task.
    """
    counts = tally.counts
    if counts["rows"] == 0:
        raise DataError(f"{source} holds no rows; give another source (path or hub, see `data` in params.yaml)")
    if counts["skipped"] and counts["skipped"] == counts["rows"]:
        reasons = _reasons(tally, "skipped_reasons")
        raise DataError(f"{source}: all {counts['rows']} rows are skipped ({reasons}); give rows with tools and calls")
    if counts["quarantined"] > max_bad_fraction * counts["rows"] or counts["tasks"] == 0:
        raise DataError(
            f"{source}: {counts['quarantined']} of {counts['rows']} rows are malformed ({_reasons(tally, 'reasons')}), "
            f"prepare.max_bad_fraction allows a fraction of {max_bad_fraction}; see {paths.QUARANTINE}, "
            "then correct the source, set prepare.format or raise the parameter"
        )


def _reasons(tally: Tally, name: str) -> str:
    """The commonest reasons, each with its count and one row."""
    return ", ".join(
        f"{count} {kind}, as {tally.examples[kind]:.200}"
        for kind, count in tally.by_name[name].most_common(_SHOWN_REASONS)
    )
