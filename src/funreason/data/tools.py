"""The tools of a row: read, without what Arrow tables add, each name once."""

from typing import Any

from funreason.calls.tools import distinct_tools, read_tool, unread_types
from funreason.core.errors import DataError
from funreason.data.cleaning import NullCleaner
from funreason.data.fields import BadRow
from funreason.data.jsontext import decoded

_MAY_BE_TEXT = ("function", "parameters", "arguments", "input_schema", "inputSchema")
_unread: dict[int, tuple[dict[str, Any], list[str]]] = {}  # by the tool's identity; the tool keeps it taken
_MAX_KNOWN = 32768


def read_tools(values: list[Any], cleaner: NullCleaner) -> list[dict[str, Any]]:
    """The tools of a row, in its order, each with a name and parameters that describe a schema.

    Args:
        values: The tools as published, decoded.
        cleaner: Removes what Arrow tables add.

    Returns:
        The tools; one that stands twice, word for word, once.

    Raises:
        BadRow: One of them cannot be read, or two that differ have one name.
    """
    try:
        tools = [read_tool(value) for value in cleaner.tools([_decoded(value) for value in values])]
    except BadRow:
        raise
    except DataError as error:
        raise BadRow("bad tool", str(error)) from None
    try:
        return distinct_tools(tools)
    except DataError as error:
        raise BadRow("repeated tool", str(error)) from None


def unread_texts(tools: list[dict[str, Any]]) -> list[str]:
    """The texts of types that cannot be read, of tools of `read_tools`, which are one object where they are equal."""
    return [text for tool in tools for text in _unread_texts(tool)]


def _unread_texts(tool: dict[str, Any]) -> list[str]:
    known = _unread.get(id(tool))
    if known is None or known[0] is not tool:
        if len(_unread) >= _MAX_KNOWN:
            _unread.clear()
        known = _unread[id(tool)] = (tool, unread_types(tool))
    return known[1]


def _decoded(value: Any) -> Any:
    """A tool whose parts that are JSON text are decoded: there, too, a key that stands twice is an error."""
    if not isinstance(value, dict) or not any(isinstance(value.get(key), str) for key in _MAY_BE_TEXT):
        inner = value.get("function") if isinstance(value, dict) else None
        return {**value, "function": _decoded(inner)} if isinstance(inner, dict) else value
    return {
        key: decoded(item, key)
        if key in _MAY_BE_TEXT and isinstance(item, str) and item.startswith(("{", "["))
        else item
        for key, item in value.items()
    }
