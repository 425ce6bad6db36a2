"""What a parameter says of its value beside the type: JSON Schema's constraints, as published data spells them."""

import math
import re
import warnings
from collections.abc import Iterator
from typing import Any

import regex

_NUMBERS = ("minimum", "maximum", "multipleOf")
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties", "minContains",
           "maxContains")  # fmt: skip
CONSTRAINTS = (*_NUMBERS, *_COUNTS, "uniqueItems", "const", "exclusiveMinimum", "exclusiveMaximum", "pattern")
# Constraints that are not checked; they are counted as unread.
_UNCHECKED = ("if", "dependentSchemas", "dependencies", "propertyNames", "unevaluatedProperties", "unevaluatedItems")


def constraints(spec: dict[str, Any]) -> dict[str, Any]:
    """The constraints of a parameter, in JSON Schema's spelling; those that are absent or cannot be read stay out."""
    if spec.keys().isdisjoint(CONSTRAINTS):
        return {}  # nearly all
    out: dict[str, Any] = {key: value for key in _NUMBERS if (value := _number(spec.get(key))) is not None}
    out |= {key: int(value) for key in _COUNTS if (value := _number(spec.get(key))) is not None and _is_count(value)}
    if out.get("multipleOf", 1) <= 0:
        del out["multipleOf"]
    if isinstance(spec.get("uniqueItems"), bool):
        out["uniqueItems"] = spec["uniqueItems"]
    if spec.get("const") is not None:
        out["const"] = spec["const"]
    if is_pattern(spec.get("pattern")):
        out["pattern"] = _python(spec["pattern"])
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if spec.get(exclusive) is True and bound in out:  # as before draft 6
            out[exclusive] = out.pop(bound)
        elif (value := _number(spec.get(exclusive))) is not None:
            out[exclusive] = value
    return out


def unread_constraints(spec: dict[str, Any]) -> Iterator[str]:
    """The constraints of a parameter that are not checked: `pattern '('`, `minimum 'low'`, `if`."""
    read = constraints(spec)
    for key in CONSTRAINTS:
        if spec.get(key) not in (None, "") and key not in read and not isinstance(spec[key], bool):
            yield f"{key} {spec[key]!r:.80}"
    yield from (key for key in _UNCHECKED if spec.get(key) is not None)
    if spec.get("patternProperties") is not None and not are_key_patterns(spec["patternProperties"]):
        yield f"patternProperties {spec['patternProperties']!r:.80}"
    if spec.get("enum") not in (None, "") and not isinstance(spec["enum"], list):
        yield f"enum {spec['enum']!r:.80}"


def _number(value: Any) -> int | float | None:
    """A number, or the number that a text spells."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
        value = int(value) if math.isfinite(value) and value.is_integer() else value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and math.isfinite(value) else None


def _is_count(value: int | float) -> bool:
    return value >= 0 and value == int(value)


def is_pattern(text: object) -> bool:
    """Whether a text is a regular expression that can be read."""
    try:
        return isinstance(text, str) and bool(text) and bool(regex.compile(_python(text)))
    except (regex.error, RecursionError, OverflowError):
        return False


def are_key_patterns(value: object) -> bool:
    """Whether the keys of `patternProperties` are regular expressions that jsonschema, which uses `re`, reads."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # `[[a]` may mean another set some day
            return isinstance(value, dict) and all(re.compile(key) for key in value)
    except (re.error, RecursionError, OverflowError):
        return False


def _python(pattern: str) -> str:
    """A regular expression of JavaScript, JSON Schema's language, as Python writes it."""
    return pattern.replace(r"\k<", r"\g<")
