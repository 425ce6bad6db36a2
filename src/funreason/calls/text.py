"""Calls as text: `[f(a=1, b='x'), g()]`, the language of BFCL's prompt mode, in one canonical spelling.

Values are Python literals (`repr`), so that quotes and escapes survive. `render` refuses what `parse` could not read
back: a row that no scorer can decode must not be written.
"""

import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from funreason.core.errors import DataError

# Python's parser gives up at 200 open brackets; no tool nests its arguments anywhere near this deep.
MAX_DEPTH = 64
MAX_BITS = 1024  # of an integer
_UNWRITABLE = ("True", "False", "None")


@dataclass(frozen=True, slots=True)
class Call:
    """One function call.

    Attributes:
        name: The function's name, with dots where it has any: `math.sqrt`.
        arguments: The keyword arguments: parameter name → JSON value or tuple.
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, item: "Call | dict[str, Any]") -> "Call":
        """The call of a row `{"name", "arguments"}` (xLAM's form). A `Call` is returned as it is.

        Raises:
            DataError: The row has no name that is a text, or no arguments that are an object.
        """
        if isinstance(item, Call):
            return item
        name, arguments = (item.get("name"), item.get("arguments")) if isinstance(item, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise DataError(f"{item!r:.200} is not a call: give it a name (text) and arguments (an object)")
        return cls(name, arguments)

    def to_row(self) -> dict[str, Any]:
        """The call as a row `{"name", "arguments"}` (xLAM's form)."""
        return {"name": self.name, "arguments": self.arguments}


def render(calls: Iterable[Call | dict[str, Any]]) -> str:
    """The text of `calls`, each a `Call` or `{"name", "arguments"}`; `[]` for none.

    Raises:
        DataError: A name is not an identifier (with dots), or a value is not a JSON value.
    """
    return f"[{', '.join([_render_call(Call.of(item)) for item in calls])}]"


def _render_call(call: Call) -> str:
    """The text of one call."""
    for part in call.name.split("."):
        if not is_name(part):
            raise DataError(f"function name {call.name!r} cannot be called: use identifiers joined by dots")
    written = []
    for key, value in call.arguments.items():
        if not is_name(key):
            raise DataError(f"{call.name}: parameter name {key!r} cannot be written: use an identifier")
        try:
            written.append(f"{key}={_literal(value, 0)}")
        except DataError as error:
            raise DataError(f"{call.name}: parameter {key!r}: {error}") from None
    return f"{call.name}({', '.join(written)})"


@lru_cache(maxsize=65536)
def is_name(text: object) -> bool:
    """Whether Python's parser hands `text` back unchanged as a name (it folds identifiers to NFKC)."""
    return (
        isinstance(text, str)
        and text.isidentifier()
        and text not in _UNWRITABLE
        and unicodedata.normalize("NFKC", text) == text
    )


def _literal(value: Any, depth: int) -> str:
    """`repr` of a JSON value or tuple, built level by level so that every part is checked."""
    kind = type(value)
    if kind is str:
        return repr(checked_text(value))
    if value is None or kind is bool:
        return repr(value)
    if kind is int or kind is float:
        return repr(checked_number(value))
    if depth == MAX_DEPTH:
        raise DataError(f"nested deeper than the {MAX_DEPTH} levels allowed: flatten it")
    if kind is list:
        return f"[{', '.join([_literal(item, depth + 1) for item in value])}]"
    if kind is tuple:
        inner = ", ".join([_literal(item, depth + 1) for item in value])
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if kind is dict and all(type(key) is str for key in value):
        items = [f"{_literal(key, 0)}: {_literal(item, depth + 1)}" for key, item in value.items()]
        return f"{{{', '.join(items)}}}"
    raise DataError(f"{value!r:.80} is not a JSON value: use text, numbers, True, False, None, lists and dicts")


def checked_number(value: float) -> float:
    """Return `value` if JSON can hold it: not nan, not an infinity, not an integer that readers refuse.

    Raises:
        DataError: JSON cannot hold it.
    """
    if type(value) is int:
        if value.bit_length() > MAX_BITS:
            raise DataError(f"an integer of {value.bit_length()} bits: use {MAX_BITS} at most")
    elif not math.isfinite(value):
        raise DataError(f"{value!r} is not a JSON value: use a finite number")
    return value


def checked_text(value: str) -> str:
    """Return `value` if UTF-8 can hold it: half a surrogate pair would break the file it is written to.

    Raises:
        DataError: UTF-8 cannot hold it.
    """
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise DataError(f"{value!r:.80} holds half a surrogate pair: use whole characters") from None
    return value
