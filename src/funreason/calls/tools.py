"""Tools as published data spells them → tools in xLAM's or BFCL's form, which everything else reads."""

import json
from functools import lru_cache
from typing import Any

from funreason.calls.parameters import ABSENT, decoded, parameters_of
from funreason.calls.schema import to_json_schema
from funreason.calls.unread import NO_TYPE, unread_types
from funreason.core.errors import DataError

__all__ = ["NO_TYPE", "distinct_tools", "read_tool", "unread_types"]


def read_tool(value: Any) -> dict[str, Any]:
    """Read one tool in any published spelling.

    OpenAI's wrapper `{"type": "function", "function": …}`, JSON text in the place of an object, other names for
    `parameters`, parameters as a list, and absent values (missing, null, "", "null") are read.

    Args:
        value: The tool, or JSON text of it.

    Returns:
        The tool with `name` and `parameters` in xLAM's or BFCL's form; a list `required` of the source stands beside
        `parameters` in xLAM's form, inside in BFCL's. A tool that is so already is returned equal, its keys in their
        order. Equal tools are one object: do not change it.

    Raises:
        DataError: The value is not a tool, or its parameters do not describe a schema.
    """
    try:
        return _read(value if isinstance(value, str) else json.dumps(value))
    except (ValueError, TypeError) as error:
        raise DataError(f"{value!r:.80} is not JSON: {error}") from None
    except RecursionError:
        raise DataError(f"{value!r:.80}: nested too deeply: flatten its parameters") from None


@lru_cache(maxsize=32768)
def _read(text: str) -> dict[str, Any]:
    """Cached by the tool's text, because the same few thousand tools occur again and again."""
    tool = _unwrapped(json.loads(text))
    if not isinstance(tool, dict) or not isinstance(tool.get("name"), str) or not tool["name"].strip():
        raise DataError(f"{tool!r:.80}, expected an object with a name (text) and parameters")
    if tool.get("description") in ABSENT and "description" in tool:
        tool = {**tool, "description": ""}
    if not isinstance(tool.get("description", ""), str):
        raise DataError(f"{tool['name']!r:.80}: description is {tool['description']!r:.80}, expected a text")
    tool = parameters_of(tool)
    to_json_schema(tool)
    return tool


def _unwrapped(value: Any) -> Any:
    """The function inside OpenAI's wrapper, or the one of Amazon's Converse API."""
    if isinstance(value, dict) and not value.get("name"):
        for key in ("function", "toolSpec"):
            if value.get(key) not in ABSENT:
                return decoded(value[key], key)
    return value


def distinct_tools(tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tools, each once.

    Raises:
        DataError: Two different tools have one name.
    """
    by_name: dict[str, dict[str, Any]] = {}
    for tool in tools:
        if by_name.setdefault(tool["name"], tool) != tool:
            raise DataError(f"two different tools are called {tool['name']!r:.80}; rename or delete one")
    return list(by_name.values()) if len(by_name) < len(tools) else tools
