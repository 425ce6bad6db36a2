"""The tools of a row: read, without what Arrow tables add, each name once.

Data sets repeat a few thousand tools in tens of thousands of rows: what is found out about a tool is kept.
"""

import marshal
from typing import Any, NamedTuple

from funreason.calls.names import NameMap
from funreason.calls.tools import distinct_tools, read_tool, unread_types
from funreason.core.errors import DataError
from funreason.data.cleaning import NullCleaner
from funreason.data.fields import BadRow
from funreason.data.jsontext import decoded, either

_MAY_BE_TEXT = ("function", "parameters", "arguments", "input_schema", "inputSchema")
_MAX_KNOWN = 32768
_FORMAT = 2  # of marshal: the first without references, which would tell equal tools apart


class KnownTool(NamedTuple):
    """A tool and what is known of it.

    Attributes:
        tool: As `read_tool` gives it.
        plain: Whether calls can write all its names.
        unread: The texts of its types that cannot be read.
    """

    tool: dict[str, Any]
    plain: bool
    unread: list[str]


class RowTools(NamedTuple):
    """The tools of a row, those that stand twice, word for word, once."""

    known: list[KnownTool]

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools, in the order of the row."""
        return [known.tool for known in self.known]

    @property
    def plain(self) -> bool:
        """Whether calls can write all names."""
        return all(known.plain for known in self.known)

    @property
    def unread(self) -> list[str]:
        """The texts of types that cannot be read."""
        return [text for known in self.known for text in known.unread]


_known: dict[bytes, KnownTool] = {}


def read_tools(values: list[Any], cleaner: NullCleaner) -> RowTools:
    """The tools of a row, each with a name and parameters that describe a schema.

    Args:
        values: The tools as published, decoded.
        cleaner: Removes what Arrow tables add.

    Raises:
        BadRow: One of them cannot be read, or two that differ have one name.
    """
    known = [_known_tool(value) for value in cleaner.tools(values)]
    if len({one.tool["name"] for one in known}) == len(known):
        return RowTools(known)
    try:
        distinct = distinct_tools([one.tool for one in known])
    except DataError as error:
        raise BadRow("repeated tool", str(error)) from None
    return RowTools([next(one for one in known if one.tool is tool) for tool in distinct])


def _known_tool(value: Any) -> KnownTool:
    try:
        key = marshal.dumps(value, _FORMAT)
    except ValueError as error:
        raise BadRow("bad tool", f"{value!r:.80} is not JSON: {error}") from None
    known = _known.get(key)
    if known is None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        known = _known[key] = _read(value)
    return known


def _read(value: Any) -> KnownTool:
    try:
        tool = read_tool(_decoded(value))
        return KnownTool(tool, not NameMap.of([tool]), unread_types(tool))
    except BadRow:
        raise
    except DataError as error:
        raise BadRow("bad tool", str(error)) from None


def _decoded(value: Any) -> Any:
    """A tool whose parts that are JSON text are decoded: there, too, a key that stands twice is an error."""
    if not isinstance(value, dict):
        return decoded(value, "tool")
    out = {key: _part(item, key) if key in _MAY_BE_TEXT else item for key, item in value.items()}
    return out | {"function": _decoded(out["function"])} if isinstance(out.get("function"), dict) else out


def _part(item: Any, name: str) -> Any:
    return either(item, name) if isinstance(item, str) and item.lstrip().startswith(("{", "[")) else item
