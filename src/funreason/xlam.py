"""Rows in xLAM's format → tasks, or a reason why not.

A row is {"id", "query", "tools", "answers", "response"?}: `tools` and `answers` are JSON text (as published)
or already decoded, `response` is {"cot", "answer"} of an already distilled set. Further columns are left out.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from funreason.calls import to_json_schema
from funreason.errors import DataError
from funreason.records import Task


class BadRow(DataError):
    """`kind` is the short reason that metrics count, `detail` what was seen."""

    def __init__(self, kind: str, detail: str = ""):
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


@dataclass(frozen=True)
class Quarantined:
    """A row that is no task. `row` counts from 1, in a text file by lines; `raw` is the row as it came."""

    row: int
    kind: str
    reason: str
    raw: str

    def to_row(self) -> dict:
        return {"row": self.row, "reason": self.reason, "raw": self.raw}


def tasks(rows: Iterable[tuple[int, bytes | dict]]) -> Iterator[Task | Quarantined]:
    """Read (row number, JSON text or object) pairs, in order. An id taken by an earlier row is a bad row."""
    first: dict[str, int] = {}
    for number, raw in rows:
        try:
            task = _task(_decoded(raw))
            if task.id in first:
                raise BadRow("duplicate id", f"{task.id!r} is the id of row {first[task.id]}")
            first[task.id] = number
            yield task
        except BadRow as bad:
            yield Quarantined(number, bad.kind, str(bad), _readable(raw))


def _task(row: dict) -> Task:
    task = Task(
        id=_id(row),
        query=_query(row),
        tools=[_tool(tool) for tool in _list(row, "tools")],
        answers=[_call(call) for call in _list(row, "answers")],
        response=_response(row.get("response")),
    )
    if not task.tools:
        raise BadRow("no tools", "the list is empty")
    try:  # what JSON text can hold and a JSON file cannot: NaN, 1e999, half of a surrogate pair
        json.dumps(task.to_row(), ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadRow("unwritable value", str(error)) from None
    return task


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
    value = _field(row, "id")
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise BadRow("bad id", f"{value!r}, expected a whole number or a text")
    return str(value)


def _query(row: dict) -> str:
    value = _field(row, "query")
    if not isinstance(value, str) or not value.strip():
        raise BadRow("bad query", f"{value!r}, expected a text that is not empty")
    return value


def _list(row: dict, name: str) -> list:
    value = _parsed(_field(row, name), name)
    if not isinstance(value, list):
        raise BadRow(f"{name} not a list", f"a {type(value).__name__}")
    return value


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


def _call(call) -> dict:
    if not isinstance(call, dict) or not isinstance(call.get("name"), str) or not call["name"]:
        raise BadRow("bad answer", f"{call!r:.80}, expected an object with name and arguments")
    arguments = _parsed(call.get("arguments"), "arguments")
    if not isinstance(arguments, dict):
        raise BadRow("bad answer", f"arguments of {call['name']!r} are {arguments!r:.80}, expected an object")
    return {"name": call["name"], "arguments": arguments}


def _response(value) -> dict | None:
    if value is None:
        return None
    value = _parsed(value, "response")
    if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in ("cot", "answer")):
        raise BadRow("bad response", f"{value!r:.80}, expected an object with the texts cot and answer")
    return {"cot": value["cot"], "answer": value["answer"]}


def _field(row: dict, name: str):
    if row.get(name) is None:
        raise BadRow(f"no {name}", "the field is missing or null")
    return row[name]


def _parsed(value, name: str):
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise BadRow(f"{name} not JSON", f"{error}, in {value!r:.80}") from None


def _readable(raw: bytes | dict) -> str:
    if isinstance(raw, bytes):
        return raw.decode("utf-8", errors="backslashreplace")
    return json.dumps(raw, default=str)
