"""Checks calls against the tools they may use, with `jsonschema`, and words each problem as one line."""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import regex
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend

from funreason.calls.schema import to_json_schema
from funreason.calls.text import Call
from funreason.core.errors import DataError

# As in BFCL's checker, a tuple is a list, and 5.0 is not an integer (in JSON Schema it is one).
_TYPES = Draft202012Validator.TYPE_CHECKER.redefine_many(
    {
        "array": lambda checker, value: isinstance(value, (list, tuple)),
        "integer": lambda checker, value: isinstance(value, int) and not isinstance(value, bool),
    }
)
PATTERN_S = 0.2  # for one pattern on one text: a tool's pattern may take for ever


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """jsonschema's check of `pattern`, bounded in time; a pattern that takes longer says nothing."""
    try:
        if isinstance(instance, str) and not regex.search(pattern, instance, timeout=PATTERN_S):
            yield ValidationError(f"{instance!r} does not match {pattern!r}")
    except TimeoutError:
        return


_Validator = extend(Draft202012Validator, {"pattern": _pattern}, type_checker=_TYPES)


def validate(calls: Iterable[Call | dict[str, Any]], tools: list[dict[str, Any]]) -> list[str]:
    """Check calls against their tools.

    Args:
        calls: Each a `Call` or `{"name", "arguments"}`.
        tools: The tools that may be called, in xLAM's or BFCL's form.

    Returns:
        The problems, none where all calls are right. Each is one line with the number of the call, the function, the
        parameter, the value seen and the values allowed.

    Raises:
        DataError: A tool is not an object with a name, or a called tool does not describe a valid schema.
    """
    by_name = tools_by_name(tools)
    problems: list[str] = []
    for number, item in enumerate(calls, 1):
        call = Call.of(item)
        if call.name in by_name:
            of_call = _problems(call, by_name[call.name])
        else:
            of_call = [f"no such function, allowed: {_listed(by_name) or 'none'}"]
        problems += [f"call {number}, {call.name}: {problem}" for problem in of_call]
    return problems


def tools_by_name(tools: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The tools by name; the first of several with the same name counts."""
    if not isinstance(tools, list):
        raise DataError(f"tools are {tools!r:.80}: give a list of tools")
    by_name: dict[str, dict[str, Any]] = {}
    for tool in tools:
        if not (isinstance(tool, dict) and isinstance(tool.get("name"), str)):
            raise DataError(f"tool {tool!r:.80}: give it a name (text) and parameters (an object)")
        by_name.setdefault(tool["name"], tool)
    return by_name


def argument_validator(tool: dict[str, Any]) -> Draft202012Validator:
    """The validator of a tool's arguments, for many calls. Raises DataError where it describes no valid schema."""
    return _validator(json.dumps(tool))


def _problems(call: Call, tool: dict[str, Any]) -> list[str]:
    """The problems of one call's arguments, each once: jsonschema reports an object again for each missing name."""
    try:
        validator = argument_validator(tool)
        return list(dict.fromkeys(_worded(error) for error in validator.iter_errors(call.arguments)))
    except RecursionError:
        raise DataError(f"tool {call.name!r:.80}: nested too deeply: flatten its parameters") from None


@lru_cache(maxsize=16384)
def _validator(tool_text: str) -> Draft202012Validator:
    """The validator of a tool. Cached by the tool's text, because the same few thousand tools occur again and again."""
    tool = json.loads(tool_text)
    schema = to_json_schema(tool)
    try:
        _Validator.check_schema(schema, format_checker=FormatChecker(formats=()))  # patterns are read already
    except SchemaError as error:
        problem = f"{error.message:.200} at {error.json_path:.200}"
        raise DataError(f"tool {tool['name']!r:.80}: {problem}: mend the tool") from None
    return _Validator(schema)


def _worded(error: ValidationError) -> str:
    """One violation as a line: parameter, value seen, values allowed."""
    allowed: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "required":
        missing = [key for key in allowed if key not in instance]
        return f"{_inside(error)}missing {_listed(missing)}, required: {_listed(allowed)}"
    if error.validator == "additionalProperties":
        schema: Any = error.schema
        declared, patterns = schema.get("properties", ()), schema.get("patternProperties", ())
        extra = [
            f"{key!r} = {_shown(value)}" for key, value in instance.items()
            if key not in declared and not any(regex.search(pattern, key) for pattern in patterns)
        ]  # fmt: skip
        return f"{_inside(error)}undeclared {', '.join(extra)}, allowed: {_listed(declared) or 'none'}"
    seen = (
        f"parameter {_path(error)!r} is {_shown(instance)}" if error.absolute_path else f"arguments {_shown(instance)}"
    )
    if error.validator == "type":
        return f"{seen}, allowed: {allowed if isinstance(allowed, str) else ' or '.join(allowed)}"
    if error.validator == "enum":
        return f"{seen}, allowed: {_listed(allowed)}"
    if error.validator == "not":
        return f"{seen}, allowed: anything but {_branch(allowed)}"
    if error.validator == "dependentRequired":
        return f"{seen}, {error.message:.200}"
    if error.validator == "anyOf":
        return f"{seen}, allowed: {' or '.join(map(_branch, allowed))}"[:400]
    words = _WORDS.get(str(error.validator), f"{error.validator} {{}}")
    return f"{seen}, allowed: {words.format(f'{allowed!r:.200}')}"


# What a constraint allows, in words.
_WORDS = {
    "const": "{}", "pattern": "texts that match {}", "minimum": "minimum {}", "maximum": "maximum {}",
    "exclusiveMinimum": "above {}", "exclusiveMaximum": "below {}", "multipleOf": "multiples of {}",
    "minLength": "minLength {}", "maxLength": "maxLength {}", "minItems": "minItems {}", "maxItems": "maxItems {}",
    "uniqueItems": "items that differ from each other", "minProperties": "{} entries or more",
    "maxProperties": "{} entries at most", "items": "no further items", "contains": "lists with an item such as {}",
}  # fmt: skip


def _branch(schema: Any) -> str:
    """One alternative of an `anyOf` in words."""
    if not isinstance(schema, dict):
        return repr(schema)
    for key in ("enum", "const", "type"):
        if key in schema:
            value = schema[key]
            return _listed(value) if key == "enum" else str(value) if key == "type" else repr(value)
    if "required" in schema:
        return f"with {_listed(schema['required'])}"
    return f"{schema!r:.80}"


def _inside(error: ValidationError) -> str:
    """The beginning of a line about an object inside the arguments; empty for the arguments themselves."""
    return f"in parameter {_path(error)!r}, " if error.absolute_path else ""


def _path(error: ValidationError) -> str:
    """The parameter with the path into its value: `stops[0].city`."""
    first, *rest = error.absolute_path
    return str(first) + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)


def _shown(value: object) -> str:
    """A value as it is in the call, shortened."""
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _listed(values: Iterable[object], limit: int = 20) -> str:
    """Values as one line; a long list is cut, with the count of the rest."""
    listed = list(values)
    shown = ", ".join(map(repr, listed[:limit]))
    return shown if len(listed) <= limit else f"{shown} and {len(listed) - limit} more"
