"""The rows of a data source, and the tasks that each of them gives, or why it gives none."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from funreason.core.errors import DataError
from funreason.core.records import Task
from funreason.data.conversations import conversation_turns, is_conversation
from funreason.data.fields import BadRow
from funreason.data.naming import with_identifiers
from funreason.data.xlam import single_query

NumberedRow = tuple[int, bytes | dict[str, Any]]  # number from 1 (in a text file the line), JSON text or object


@dataclass(frozen=True)
class AcceptedRow:
    """A row that became tasks: one, or for a conversation one per turn of the assistant."""

    tasks: list[Task]
    is_conversation: bool


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that cannot become a task.

    Attributes:
        source: The file or data set that it comes from.
        row: Its number in the source, from 1; in a text file the number of the line.
        kind: The short reason that metrics count.
        reason: The whole reason.
        raw: The text of the row.
    """

    source: str
    row: int
    kind: str
    reason: str
    raw: str

    def to_row(self) -> dict[str, Any]:
        """The row of data/quarantine.jsonl."""
        return {"source": self.source, "row": self.row, "reason": self.reason, "raw": self.raw}


class TaskIds:
    """The ids of the tasks so far, of all sources. A row that repeats an id is a bad row."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, int]] = {}  # source → id → row

    def add(self, ids: list[str], source: str, row: int) -> None:
        """Add the ids of a row, all or none.

        Args:
            ids: The ids of the row's tasks.
            source: The source of the row.
            row: The number of the row.

        Raises:
            BadRow: One of the ids has been added before.
        """
        for name in ids:
            for other, rows in self._rows.items():
                if name in rows:
                    raise BadRow("duplicate id", f"{name!r} is taken by row {rows[name]} of {other}")
        self._rows.setdefault(source, {}).update(dict.fromkeys(ids, row))


def read_rows(source: dict[str, Any], split: str, limit: int | None) -> Iterator[NumberedRow]:
    """Yield the rows of a source with their numbers.

    Args:
        source: A descriptor (see `sources`).
        split: The split of a data set of the hub; files have none.
        limit: The number of rows to read, None for all.

    Raises:
        DataError: The source cannot be read.
    """
    rows = _hub_rows(source, split) if source["kind"] == "hub" else _file_rows(Path(source["path"]))
    return islice(rows, limit)


def read_tasks(rows: Iterable[NumberedRow], source: str, ids: TaskIds) -> Iterator[AcceptedRow | QuarantinedRow]:
    """Turn rows into tasks, in order.

    Args:
        rows: The numbered rows of a source.
        source: The name of the source, for the quarantine.
        ids: The ids of earlier tasks; those of these rows are added.
    """
    for number, raw in rows:
        try:
            accepted = _accepted(_row(raw))
            ids.add([task.id for task in accepted.tasks], source, number)
            yield accepted
        except BadRow as bad:
            yield QuarantinedRow(source, number, bad.kind, str(bad), _raw_text(raw))


def _accepted(row: dict[str, Any]) -> AcceptedRow:
    conversation = is_conversation(row)
    tasks = conversation_turns(row) if conversation else [single_query(row)]
    tasks = with_identifiers(tasks, tasks[0].tools)
    try:  # JSON text can hold what a JSON file cannot: NaN, 1e999, half of a surrogate pair
        for task in tasks:
            json.dumps(task.to_row(), ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadRow("unwritable value", str(error)) from None
    return AcceptedRow(tasks, conversation)


def _row(raw: bytes | dict[str, Any]) -> dict[str, Any]:
    try:
        row = json.loads(raw.decode("utf-8")) if isinstance(raw, bytes) else raw
    except UnicodeDecodeError as error:
        raise BadRow("not UTF-8", f"{error.reason} at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise BadRow("not JSON", str(error)) from None
    if not isinstance(row, dict):
        raise BadRow("not an object", f"it is a {type(row).__name__}")
    return row


def _raw_text(raw: bytes | dict[str, Any]) -> str:
    if isinstance(raw, bytes):
        return raw.decode("utf-8", errors="backslashreplace")
    return json.dumps(raw, default=str)


def _file_rows(path: Path) -> Iterator[NumberedRow]:
    if path.suffix == ".jsonl":
        return _lines(path)
    if path.suffix == ".json":
        return _elements(path)
    raise DataError(f"{path} ends in {path.suffix!r}; use .jsonl (one object per line) or .json (a list)")


def _lines(path: Path) -> Iterator[NumberedRow]:
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            line = line.removeprefix(b"\xef\xbb\xbf").strip()
            if line:
                yield number, line


def _elements(path: Path) -> Iterator[NumberedRow]:
    try:
        rows = json.loads(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error}); correct it, or write one object per line as .jsonl") from None
    if not isinstance(rows, list):
        raise DataError(f"{path} holds a {type(rows).__name__}, expected a list of rows")
    return iter(enumerate(rows, 1))


def _hub_rows(source: dict[str, Any], split: str) -> Iterator[NumberedRow]:
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import HTTPError

    try:
        rows = load_dataset(source["hub"], revision=source["revision"], split=split)
    except (DatasetsError, HTTPError, OSError, ValueError) as error:  # ValueError: the split does not exist
        if getattr(error, "errno", None):  # a problem of this machine (a full disk), not of the hub
            raise
        reason = " ".join(str(error).split())
        raise DataError(f"data set {source['hub']!r}, split {split!r} does not load: {reason}") from None
    return iter(enumerate(rows, 1))
