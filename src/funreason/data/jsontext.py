"""JSON of data sources: the same key twice is an error, and a text may hold what is expected as a value.

Python's `json` keeps the last of two equal keys without a word, so that a tool would silently lose a parameter.
"""

import ast
import json
import math
from collections.abc import Iterator
from typing import Any

from funreason.data.fields import BadRow

REPEATED = "repeated key"  # the reason of rows in which a key stands twice
ABSENT = (None, "", "null", "None")  # as texts, JSON columns write a value that is not there
_MAX_TEXTS = 4  # how often JSON text may hold JSON text


class RepeatedKey(ValueError):
    """An object of JSON in which a key stands twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise RepeatedKey(f"the key {twice!r:.80} stands twice in one object; leave one of them out")
    return out


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text:.80} is too large for JSON; write a smaller one")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite)
loads = _DECODER.decode  # raises ValueError (RepeatedKey too) and RecursionError
raw_decode = _DECODER.raw_decode


def decoded(value: Any, name: str) -> Any:
    """The value of a field that may be JSON text.

    Args:
        value: JSON text, or a value that is decoded already.
        name: The name of the field, for the reason.

    Raises:
        BadRow: The text is not JSON, or a key stands twice in it.
    """
    if not isinstance(value, str):
        return value
    try:
        return loads(value)
    except RepeatedKey as error:
        raise BadRow(REPEATED, f"in {name}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise BadRow(f"{name} not JSON", f"{error}, in {value!r:.80}") from None


def unwrapped(value: Any, name: str) -> Any:
    """The value of a field that may be JSON text, also several times over, or a way to write that there is none.

    Args:
        value: A value, JSON text or JSON text of JSON text.
        name: The name of the field, for the reason.

    Returns:
        The value; None where it is null, an empty text or the text `null`.

    Raises:
        BadRow: The text is not JSON, or a key stands twice in it.
    """
    for _ in range(_MAX_TEXTS):
        if not isinstance(value, str):
            return value
        value = value.strip()
        if value in ABSENT:
            return None
        value = decoded(value, name)
    return value


def either(value: Any, name: str) -> Any:
    """As `unwrapped`; a text may also be a Python literal, as `str(tools)` gives it. Raises BadRow."""
    try:
        return unwrapped(value, name)
    except BadRow as bad:
        if bad.kind == REPEATED:
            raise
        try:
            return loose(value)
        except ValueError:
            raise bad from None


def loose(text: str) -> Any:
    """The value of JSON text, or of a Python literal, which some publishers write in its place.

    Raises:
        BadRow: A key stands twice.
        ValueError: The text is neither.
    """
    try:
        return loads(text)
    except RepeatedKey as error:
        raise BadRow(REPEATED, str(error)) from None
    except (ValueError, RecursionError):
        pass
    try:
        tree = ast.parse(text.strip(), mode="eval")
        value = ast.literal_eval(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                keys = _unique([(ast.literal_eval(key), None) for key in node.keys if key])
                if not all(isinstance(key, str) for key in keys):
                    raise ValueError("a key is not a text")
        written = json.dumps(value, ensure_ascii=False, allow_nan=False)  # refuses what JSON does not have: sets, inf
        return json.loads(written.encode())
    except RepeatedKey as error:
        raise BadRow(REPEATED, str(error)) from None
    except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError):
        raise ValueError(f"neither JSON nor a Python literal: {text!r:.80}") from None


def values_in(text: str) -> Iterator[tuple[Any, int, int]]:
    """The objects and lists of JSON that stand in a text, in their order, each with its beginning and end.

    Raises:
        BadRow: A key stands twice.
    """
    at = 0
    while (start := _next_bracket(text, at)) >= 0:
        try:
            value, at = raw_decode(text, start)
            yield value, start, at
        except RepeatedKey as error:
            raise BadRow(REPEATED, str(error)) from None
        except (ValueError, RecursionError):
            at = start + 1


def _next_bracket(text: str, at: int) -> int:
    places = [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]
    return min(places, default=-1)
