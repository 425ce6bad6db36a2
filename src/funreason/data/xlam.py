"""Rows in xLAM's format → tasks, or a reason why not.

A row is {"id", "query", "tools", "answers", "response"?}: `tools` and `answers` are JSON text (as published)
or already decoded, `response` is {"cot", "answer"} of an already distilled set. A conversation has `messages` in the
place of query and answers (see `conversations`). Further columns are left out.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from funreason.calls import to_json_schema
from funreason.core.errors import DataError
from funreason.core.records import Task
from funreason.data.conversations import is_conversation, turns
from funreason.data.fields import BadRow, call, field, listed, parsed


@dataclass(frozen=True)
class Accepted:
    """What a row gives: one task, or for a conversation one for each turn of the assistant."""

    tasks: list[Task]
    conversation: bool


@dataclass(frozen=True)
class Quarantined:
    """A row that is no task. `row` counts from 1, in a text file by lines; `raw` is the row as it came."""

    source: str
    row: int
    kind: str
    reason: str
    raw: str

    def to_row(self) -> dict:
        return {"source": self.source, "row": self.row, "reason": self.reason, "raw": self.raw}


class Ids:
    """The ids of the tasks so far, over all sources: one that comes again is a bad row's."""

    def __init__(self):
        self._rows: dict[str, dict[str, int]] = {}  # source → id → row

    def take(self, names: list[str], source: str, row: int) -> None:
        """All of them, or none. Raises BadRow."""
        for name in names:
            for other, rows in self._rows.items():
                if name in rows:
                    raise BadRow("duplicate id", f"{name!r} is taken by row {rows[name]} of {other}")
        self._rows.setdefault(source, {}).update(dict.fromkeys(names, row))


def read(rows: Iterable[tuple[int, bytes | dict]], source: str, ids: Ids) -> Iterator[Accepted | Quarantined]:
    """Read (row number, JSON text or object) pairs of `source`, in order."""
    for number, raw in rows:
        try:
            accepted = _accepted(_decoded(raw))
            ids.take([task.id for task in accepted.tasks], source, number)
            yield accepted
        except BadRow as bad:
            yield Quarantined(source, number, bad.kind, str(bad), _readable(raw))


def _accepted(row: dict) -> Accepted:
    conversation = is_conversation(row)
    tasks = _turns(row) if conversation else [_task(row)]
    try:  # what JSON text can hold and a JSON file cannot: NaN, 1e999, half of a surrogate pair
        for task in tasks:
            json.dumps(task.to_row(), ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadRow("unwritable value", str(error)) from None
    return Accepted(tasks, conversation)


def _task(row: dict) -> Task:
    return Task(
        id=_id(row),
        query=_query(row),
        tools=_tools(row),
        answers=[call(value) for value in listed(row, "answers")],
        response=_response(row.get("response")),
    )


def _turns(row: dict) -> list[Task]:
    return turns(_id(row), _tools(row), row)


def _decoded(raw: bytes | dict) -> dict:
    try:
        row = json.loads(raw.decode("utf-8")) if isinstance(raw, bytes) else raw
    except UnicodeDecodeError as error:
        raise BadRow("not UTF-8", f"{error.reason} at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise BadRow("not JSON", str(error)) from None
    if not isinstance(row, dict):
        raise BadRow("not an object", f"a {type(row).__name__}")
    return row


def _id(row: dict) -> str:
    value = field(row, "id")
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise BadRow("bad id", f"{value!r}, expected a whole number or a text")
    return str(value)


def _query(row: dict) -> str:
    value = field(row, "query")
    if not isinstance(value, str) or not value.strip():
        raise BadRow("bad query", f"{value!r}, expected a text that is not empty")
    return value


def _tools(row: dict) -> list[dict]:
    tools = [_tool(tool) for tool in listed(row, "tools")]
    if not tools:
        raise BadRow("no tools", "the list is empty")
    return tools


def _tool(tool) -> dict:
    if not isinstance(tool, dict) or not isinstance(tool.get("parameters"), dict):
        raise BadRow("bad tool", f"{tool!r:.80}, expected an object with name and parameters")
    if not isinstance(tool.get("description", ""), str) or not tool.get("name"):
        raise BadRow("bad tool", f"{tool!r:.80}, name and description must be texts")
    try:
        to_json_schema(tool)
    except DataError as error:
        raise BadRow("bad tool", str(error)) from None
    return tool


def _response(value) -> dict | None:
    if value is None:
        return None
    value = parsed(value, "response")
    if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in ("cot", "answer")):
        raise BadRow("bad response", f"{value!r:.80}, expected an object with the texts cot and answer")
    return {"cot": value["cot"], "answer": value["answer"]}


def _readable(raw: bytes | dict) -> str:
    if isinstance(raw, bytes):
        return raw.decode("utf-8", errors="backslashreplace")
    return json.dumps(raw, default=str)
