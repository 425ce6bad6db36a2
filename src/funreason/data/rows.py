"""The tasks that each row of a data source gives, or why it gives none."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from funreason.calls.marks import has_marks
from funreason.calls.names import NameMap
from funreason.core.records import Task
from funreason.data import formats, xlam
from funreason.data.calltext import CallReader
from funreason.data.cleaning import NullCleaner
from funreason.data.dialogue import tools_field
from funreason.data.fields import BadRow, SkippedRow, carries_text, row_id
from funreason.data.files import SourceRow
from funreason.data.jsontext import REPEATED, RepeatedKey, loads
from funreason.data.messages import Message, read_message, unknown_texts
from funreason.data.naming import with_identifiers
from funreason.data.tools import RowTools, read_tools
from funreason.data.turns import turn_tasks

AUTO = "auto"
_ID_DIGITS = 16


@dataclass
class AcceptedRow:
    """A row that became tasks: one, or for a conversation one per turn of the assistant.

    Attributes:
        tasks: The tasks.
        is_conversation: Whether the tasks are turns.
        format: The name of the row's format.
        left_out: Turns that are left out, by reason.
        texts: Turns whose text beside calls is left out.
        nulls: Null-filled keys that were removed from tools and calls.
        made_id: Whether the row had no id.
        marks: Whether a text of the row spells a control token.
        unread: The texts of types of its tools that cannot be read.
        ignored: The fields with a text that nothing reads.
    """

    tasks: list[Task]
    is_conversation: bool
    format: str
    left_out: Counter[str] = field(default_factory=Counter)
    texts: int = 0
    nulls: int = 0
    made_id: bool = False
    marks: bool = False
    unread: list[str] = field(default_factory=list)
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that cannot become a task.

    Attributes:
        source: The file or data set that it comes from.
        row: Its number in the source, from 1; in a text file the number of the line.
        kind: The short reason that metrics count.
        reason: The whole reason.
        raw: The text of the row.
        skipped: Whether the row is in order, and only holds nothing to learn calls from.
        format: The name of the row's format, None where it is not known.
    """

    source: str
    row: int
    kind: str
    reason: str
    raw: str
    skipped: bool = False
    format: str | None = None

    def to_row(self) -> dict[str, Any]:
        """The row of data/quarantine.jsonl."""
        return {"source": self.source, "row": self.row, "reason": self.reason, "raw": self.raw}


class TaskIds:
    """The ids of the tasks so far, of all sources. A row that repeats an id is a bad row."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, int]] = {}  # source → id → row
        self._drawn: dict[str, str] = {}  # the id whose completions could be named so → an id of that name

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
                if (task := _task_of(name)) in rows:
                    raise BadRow(
                        "duplicate id", f"{name!r} is a completion's id of {task!r}, row {rows[task]} of {other}"
                    )
            if name in self._drawn:
                raise BadRow(
                    "duplicate id", f"a completion of {name!r} would have the id {self._drawn[name]!r} of a row"
                )
        self._rows.setdefault(source, {}).update(dict.fromkeys(ids, row))
        self._drawn |= {task: name for name in ids if (task := _task_of(name)) is not None}


def _task_of(name: str) -> str | None:
    """The id of the task whose completion has the id `name` where several are drawn, see `ledger.files.row_ids`."""
    task, mark, number = name.rpartition("#")
    return task if mark and number.isdecimal() else None


def read_tasks(
    rows: Iterable[tuple[Any, ...]], source: str, ids: TaskIds, format: str = AUTO
) -> Iterator[AcceptedRow | QuarantinedRow]:
    """Turn rows into tasks, in order.

    Args:
        rows: The rows of a source, each a `SourceRow` or the beginning of one.
        source: The name of the source, for the quarantine and the ids that are made.
        ids: The ids of earlier tasks; those of these rows are added.
        format: The format of the rows, `auto` to find it out row by row.
    """
    for values in rows:
        row = SourceRow(*values)
        where = f"{source}/{row.file}" if row.file else source
        reader = _RowReader(row, source, format)
        try:
            accepted = reader.read()
            try:
                ids.add([task.id for task in accepted.tasks], where, row.number)
            except BadRow as bad:
                if accepted.made_id:
                    raise SkippedRow("repeated row", str(bad)) from None
                raise
            yield accepted
        except BadRow as bad:
            skipped = isinstance(bad, SkippedRow)
            yield QuarantinedRow(where, row.number, bad.kind, str(bad), _raw_text(row.raw), skipped, reader.format)


class _RowReader:
    """Reads one row."""

    def __init__(self, row: SourceRow, source: str, format: str):
        self.row, self.source = row, source
        self.format = None if format == AUTO else format
        raw = row.raw if isinstance(row.raw, bytes) else None
        self.cleaner = NullCleaner(row.table, raw is None or b"null" in raw or b"None" in raw)
        # Only these make values that JSON cannot hold; to write all rows out to find them took a third of the time.
        self.risky = raw is None or b"NaN" in raw or b"Infinity" in raw or (b"\\u" in raw and b"\\ud" in raw.lower())

    def read(self) -> AcceptedRow:
        row = _decoded(self.row.raw)
        name, made = self._id(row)
        self.format = self.format or formats.detect(row)
        accepted = self._single(row, name) if self.format == "xlam" else self._dialogue(row, name)
        accepted.made_id, accepted.nulls = made, self.cleaner.removed
        # The last turn of a conversation has the others before it.
        accepted.marks = _may_have_marks(self.row.raw) and has_marks(accepted.tasks[-1].to_row())
        if self.risky:
            _check_writable(accepted.tasks)
        return accepted

    def _id(self, row: dict[str, Any]) -> tuple[str, bool]:
        """The id of the row, and whether it was made from its source and content."""
        name = row_id(row)
        made = name is None
        if name is None:
            content = json.dumps([self.source, self.row.file, row], sort_keys=True, default=str)
            name = hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()[:_ID_DIGITS]
        return (f"{self.row.file}:{name}" if self.row.file else name), made

    def _single(self, row: dict[str, Any], name: str) -> AcceptedRow:
        read = read_tools(tools_field(row)[0], self.cleaner)
        tools, names = read.tools, NameMap({}) if read.plain else NameMap.of(read.tools)
        query, answers = xlam.read_query(row), xlam.read_answers(row, names.parse)
        _check_tools(read, bool(answers))
        answers = self.cleaner.calls(names.undo_calls(answers), tools)
        answers = names.calls(answers)
        tasks = [Task(name, query, tools, answers, xlam.read_response(row, answers))]
        tasks = tasks if read.plain else with_identifiers(tasks, tools)
        return AcceptedRow(tasks, False, "xlam", unread=read.unread, ignored=_ignored(row, xlam.USED, ()))

    def _dialogue(self, row: dict[str, Any], name: str) -> AcceptedRow:
        dialogue = formats.read(row, self.format or "")
        read = read_tools(dialogue.tools, self.cleaner)
        _check_tools(read, not read.known and any(map(_calls, dialogue.messages)))
        tools, names = read.tools, NameMap({}) if read.plain else NameMap.of(read.tools)
        turns = turn_tasks(name, tools, self._messages(dialogue.messages, tools, names), dialogue.only_last)
        return AcceptedRow(
            turns.tasks if read.plain else with_identifiers(turns.tasks, tools),
            not dialogue.only_last,
            self.format or "",
            turns.left_out,
            turns.texts,
            unread=read.unread,
            ignored=_ignored(row, dialogue.used | {"id"}, dialogue.messages),
        )

    def _messages(self, raw: list[Any], tools: list[dict[str, Any]], names: NameMap) -> list[Message]:
        """The messages, read; their calls have identifiers in the place of names that calls cannot write."""
        reader = CallReader(names.parse, {tool["name"] for tool in tools} | names.originals.keys())
        messages = [read for message in raw for read in read_message(message, reader)]
        return [self._cleaned(message, tools, names) if message.calls else message for message in messages]

    def _cleaned(self, message: Message, tools: list[dict[str, Any]], names: NameMap) -> Message:
        calls = names.calls(self.cleaner.calls(names.undo_calls(message.calls), tools))
        return replace(message, calls=calls, written=message.written if calls == message.calls else None)


def _check_tools(read: RowTools, calls: bool) -> None:
    """Refuse a row without tools, as malformed if it has calls. Raises BadRow, SkippedRow."""
    if not read.known and calls:
        raise BadRow("no tools", "the row has calls, and its list of tools is empty or missing")
    if not read.known:
        raise SkippedRow("without tools", "the list of tools is empty or missing")


def _calls(message: Any) -> bool:
    """Whether a message as published makes calls, as far as can be told without tools."""
    reader = CallReader(NameMap({}).parse, ())
    return any(read.calls for read in read_message(message, reader))


def _ignored(row: dict[str, Any], used: set[str], messages: Iterable[Any]) -> tuple[str, ...]:
    """The fields of a row and of its messages that carry a text which nothing reads."""
    fields = [key for key in row.keys() - used if carries_text(row[key])]
    inner = {f"messages.{key}" for message in messages for key in unknown_texts(message)}
    return (*sorted(fields), *sorted(inner))


def _may_have_marks(raw: Any) -> bool:
    """Whether a row may spell a control token: they begin with `<`, or end like `[INST]`. Saves a walk of each row."""
    if not isinstance(raw, bytes):
        return True
    return b"<" in raw or b"T]" in raw or b"S]" in raw or b"K]" in raw or b"\\u00" in raw


def _check_writable(tasks: list[Task]) -> None:
    """JSON text can hold what a JSON file cannot: NaN, 1e999, half of a surrogate pair."""
    try:
        for task in tasks:
            json.dumps(task.to_row(), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRow("unwritable value", str(error)) from None


def _decoded(raw: Any) -> dict[str, Any]:
    try:
        row = loads(raw.decode("utf-8")) if isinstance(raw, bytes) else raw
    except UnicodeDecodeError as error:
        raise BadRow("not UTF-8", f"{error.reason} at byte {error.start}") from None
    except RepeatedKey as error:
        raise BadRow(REPEATED, str(error)) from None
    except (ValueError, RecursionError) as error:
        raise BadRow("not JSON", str(error)) from None
    if not isinstance(row, dict):
        raise BadRow("not an object", f"it is a {type(row).__name__}")
    return row


def _raw_text(raw: Any) -> str:
    if isinstance(raw, bytes):
        return raw.decode("utf-8", errors="backslashreplace")
    return json.dumps(raw, default=str)
