"""Calls against the tools they may use, with `jsonschema`: what is wrong, in words a person can act on."""

import json
from functools import lru_cache

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend

from funreason.calls.schema import to_json_schema
from funreason.calls.text import Call
from funreason.core.errors import DataError

# As BFCL's checker sees values: a tuple is a list, and 5.0 is no integer (JSON Schema says it is one).
_TYPES = Draft202012Validator.TYPE_CHECKER.redefine_many(
    {
        "array": lambda checker, value: isinstance(value, (list, tuple)),
        "integer": lambda checker, value: isinstance(value, int) and not isinstance(value, bool),
    }
)
_Validator = extend(Draft202012Validator, type_checker=_TYPES)


def validate(calls: "list[Call | dict]", tools: list[dict]) -> list[str]:
    """The problems of `calls` against `tools` (xLAM's or BFCL's form), none where all are right.

    Each problem is one line that names call, function, parameter, the value seen and the values allowed.
    Raises `DataError` on a tool that is no object with a name, and on one called that describes no valid schema.
    """
    by_name = _by_name(tools)
    problems = []
    for number, item in enumerate(calls, 1):
        call = Call.of(item)
        if call.name in by_name:
            found = _problems(call, by_name[call.name])
        else:
            found = [f"no such function, allowed: {_listed(by_name) or 'none'}"]
        problems += [f"call {number}, {call.name}: {problem}" for problem in found]
    return problems


def _by_name(tools: list[dict]) -> dict[str, dict]:
    """The tools by name; of several with one name the first counts."""
    if not isinstance(tools, list):
        raise DataError(f"tools are {tools!r:.80}: give a list of tools")
    by_name: dict[str, dict] = {}
    for tool in tools:
        if not (isinstance(tool, dict) and isinstance(tool.get("name"), str)):
            raise DataError(f"tool {tool!r:.80}: give it a name (text) and parameters (an object)")
        by_name.setdefault(tool["name"], tool)
    return by_name


def _problems(call: Call, tool: dict) -> list[str]:
    """What is wrong with the arguments of one call; jsonschema reports each missing name, we report once."""
    try:
        validator = _validator(json.dumps(tool))
        return list(dict.fromkeys(_worded(error) for error in validator.iter_errors(call.arguments)))
    except RecursionError:
        raise DataError(f"tool {call.name!r:.80}: nested too deeply: flatten its parameters") from None


@lru_cache(maxsize=16384)
def _validator(tool_text: str) -> Draft202012Validator:
    """The validator of a tool, kept by the tool's text: the same few thousand tools come again and again."""
    tool = json.loads(tool_text)
    schema = to_json_schema(tool)
    try:
        _Validator.check_schema(schema)
    except SchemaError as error:
        problem = f"{error.message:.200} at {error.json_path:.200}"
        raise DataError(f"tool {tool['name']!r:.80}: {problem}: mend the tool") from None
    return _Validator(schema)


def _worded(error: ValidationError) -> str:
    """One violation as a line: parameter, value seen, values allowed."""
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f"{_inside(error)}missing {_listed(missing)}, required: {_listed(error.validator_value)}"
    if error.validator == "additionalProperties":
        allowed = error.schema.get("properties", ())
        extra = [f"{key!r} = {_shown(value)}" for key, value in error.instance.items() if key not in allowed]
        return f"{_inside(error)}undeclared {', '.join(extra)}, allowed: {_listed(allowed) or 'none'}"
    seen = f"parameter {_path(error)!r} is {_shown(error.instance)}"
    if error.validator == "type":
        kinds = error.validator_value
        return f"{seen}, allowed: {kinds if isinstance(kinds, str) else ' or '.join(kinds)}"
    if error.validator == "enum":
        return f"{seen}, allowed: {_listed(error.validator_value)}"
    return f"{seen}, allowed: {error.validator} {error.validator_value!r:.200}"


def _inside(error: ValidationError) -> str:
    """Where inside the arguments an object lacks or exceeds its keys."""
    return f"in parameter {_path(error)!r}, " if error.absolute_path else ""


def _path(error: ValidationError) -> str:
    """The parameter, with the way into its value: `stops[0].city`."""
    first, *rest = error.absolute_path
    return str(first) + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)


def _shown(value: object) -> str:
    """A value as it stands in the call, shortened."""
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _listed(values: object, limit: int = 20) -> str:
    """Allowed values as a line; a long list is cut, with the count of the rest."""
    values = list(values)
    shown = ", ".join(map(repr, values[:limit]))
    return shown if len(values) <= limit else f"{shown} and {len(values) - limit} more"
