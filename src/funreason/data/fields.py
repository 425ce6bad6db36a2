"""The fields of a source row that single queries and conversations share, each read or refused with a reason."""

import json
from typing import Any

from funreason.calls import to_json_schema
from funreason.core.errors import DataError


class BadRow(DataError):
    """A row that cannot become a task.

    Attributes:
        kind: The short reason that metrics count.
    """

    def __init__(self, kind: str, detail: str = ""):
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


def row_id(row: dict[str, Any]) -> str:
    """The id of a row, as a text. Raises BadRow."""
    value = required(row, "id")
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise BadRow("bad id", f"{value!r}, expected an integer or a text")
    return str(value)


def row_tools(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The tools of a row, each with a name and parameters that describe a schema. Raises BadRow."""
    tools = [_tool(tool) for tool in list_field(row, "tools")]
    if not tools:
        raise BadRow("no tools", "the list is empty")
    return tools


def _tool(tool: Any) -> dict[str, Any]:
    if not isinstance(tool, dict) or not isinstance(tool.get("parameters"), dict):
        raise BadRow("bad tool", f"{tool!r:.80}, expected an object with name and parameters")
    if not isinstance(tool.get("description", ""), str) or not tool.get("name"):
        raise BadRow("bad tool", f"{tool!r:.80}, name and description must be texts")
    try:
        to_json_schema(tool)
    except DataError as error:
        raise BadRow("bad tool", str(error)) from None
    return tool


def required(row: dict[str, Any], name: str) -> Any:
    """The value of a field. Raises BadRow where it is missing or null."""
    if row.get(name) is None:
        raise BadRow(f"no {name}", "the field is missing or null")
    return row[name]


def decoded(value: Any, name: str) -> Any:
    """The value of a field that may be JSON text.

    Args:
        value: JSON text, or a value that is decoded already.
        name: The name of the field, for the reason.

    Raises:
        BadRow: The text is not JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise BadRow(f"{name} not JSON", f"{error}, in {value!r:.80}") from None


def list_field(row: dict[str, Any], name: str) -> list[Any]:
    """The value of a field that must be a list, or JSON text of one. Raises BadRow."""
    value = decoded(required(row, name), name)
    if not isinstance(value, list):
        raise BadRow(f"{name} not a list", f"it is a {type(value).__name__}")
    return value


def call_row(value: Any) -> dict[str, Any]:
    """A call in xLAM's form, `{"name", "arguments"}`; its arguments may be JSON text. Raises BadRow."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str) or not value["name"]:
        raise BadRow("bad answer", f"{value!r:.80}, expected an object with name and arguments")
    arguments = decoded(value.get("arguments"), "arguments")
    if not isinstance(arguments, dict):
        raise BadRow("bad answer", f"arguments of {value['name']!r} are {arguments!r:.80}, expected an object")
    return {"name": value["name"], "arguments": arguments}
