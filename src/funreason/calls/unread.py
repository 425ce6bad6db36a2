"""What a tool says of its parameters that cannot be read, for the metrics: nothing becomes "any" without a count."""

from collections.abc import Iterator
from typing import Any

from funreason.calls.constraints import unread_constraints
from funreason.calls.json_schema import spec_of
from funreason.calls.schema import is_bfcl
from funreason.calls.typenames import JSON_TYPES, read_type

NO_TYPE = "(none)"
_SAYS = ("enum", "const", "anyOf", "oneOf", "allOf", "$ref", "properties", "items", "prefixItems", "required", "not")


def unread_types(tool: dict[str, Any]) -> list[str]:
    """The type texts of a tool that have no counterpart, so that any value is admitted there.

    Args:
        tool: A tool as `read_tool` gives it.

    Returns:
        The texts, each as often as it occurs: type names, NO_TYPE where a parameter has none, and constraints that are
        not checked (a pattern that Python does not read, `maximum 'x'`, `if`).
    """
    parameters = tool["parameters"]
    if is_bfcl(tool):
        found = [*unread_constraints(parameters), *_inside(parameters, 0)]
    else:
        found = [text for spec in parameters.values() for text in _unread(spec, 0)]
    return found + [text for key in ("$defs", "definitions") for text in _of_all(tool.get(key), 0)]


def _unread(spec: Any, depth: int) -> Iterator[str]:
    spec = spec_of(spec)
    if not isinstance(spec, dict) or depth > 64:
        return
    names = spec.get("type")
    for name in names if isinstance(names, list) else [names]:
        if isinstance(name, str) and name and name.lower() not in JSON_TYPES and read_type(name).unread:
            if not (name.lower() == "enum" and isinstance(spec.get("enum"), list)):
                yield name[:80]
        elif name not in (None, "") and not isinstance(name, str):
            yield f"{name!r:.80}"
    if names in (None, "", []) and not any(key in spec for key in _SAYS):
        yield NO_TYPE
    yield from unread_constraints(spec)
    yield from _inside(spec, depth)


def _inside(spec: dict[str, Any], depth: int) -> Iterator[str]:
    """What cannot be read in the schemas inside of a schema."""
    for key in ("properties", "patternProperties", "$defs", "definitions"):
        yield from _of_all(spec.get(key), depth)
    for key in ("items", "prefixItems", "contains", "additionalProperties", "not", "anyOf", "oneOf", "allOf"):
        value = spec.get(key)
        for child in value if isinstance(value, list) else [value]:
            if child not in (None, {}):
                yield from _unread(child, depth + 1)


def _of_all(children: Any, depth: int) -> Iterator[str]:
    for child in children.values() if isinstance(children, dict) else ():
        yield from _unread(child, depth + 1)
