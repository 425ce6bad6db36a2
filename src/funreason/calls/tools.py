"""Tools as published data spells them → tools in xLAM's or BFCL's form, which everything else reads."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from funreason.calls.schema import is_bfcl, is_pattern, to_json_schema
from funreason.calls.typenames import JSON_TYPES, read_type
from funreason.core.errors import DataError

# ACEBench says `arguments`, Anthropic's API `input_schema`, MCP `inputSchema`.
_PARAMETERS = ("parameters", "arguments", "input_schema", "inputSchema")
_ABSENT = (None, "", "null", "None")
NO_TYPE = "(none)"


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
    if tool.get("description") in _ABSENT and "description" in tool:
        tool = {**tool, "description": ""}
    if not isinstance(tool.get("description", ""), str):
        raise DataError(f"{tool['name']!r:.80}: description is {tool['description']!r:.80}, expected a text")
    tool = _with_parameters(tool)
    to_json_schema(tool)
    return tool


def _unwrapped(value: Any) -> Any:
    """The function inside OpenAI's wrapper."""
    if isinstance(value, dict) and "name" not in value and "function" in value:
        inner = value["function"]
        return _decoded(inner, "function")
    return value


def _decoded(value: Any, name: str) -> Any:
    """The value of a field that may be JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise DataError(f"{name} is {value!r:.80}, expected an object or JSON text of one ({error})") from None


def _with_parameters(tool: dict[str, Any]) -> dict[str, Any]:
    """The tool with its parameters under `parameters`, as an object in one of the two forms."""
    present = [key for key in _PARAMETERS if tool.get(key) not in _ABSENT]
    key = present[0] if present else "parameters"
    given = _decoded(tool[key], f"{tool['name']!r:.80}: {key}") if present else {}
    parameters = _by_name(given, tool["name"]) if isinstance(given, list) else given
    if not isinstance(parameters, dict):
        raise DataError(f"{tool['name']!r:.80}: {key} are {parameters!r:.80}, expected an object")
    parameters, beside = _formed(parameters, tool)
    rest = {name: value for name, value in tool.items() if name not in (*_PARAMETERS, "required")}
    clean = {name: parameters if name == key else value for name, value in tool.items() if name == key or name in rest}
    if key != "parameters":
        clean = {"parameters" if name == key else name: value for name, value in clean.items()}
    clean.setdefault("parameters", parameters)
    return clean | ({"required": beside} if beside is not None else {})


def _by_name(given: list[Any], tool: str) -> dict[str, Any]:
    """Parameters in a list, each with its name."""
    if bad := [spec for spec in given if not isinstance(spec, dict) or not isinstance(spec.get("name"), str)]:
        raise DataError(f"{tool!r:.80}: parameter {bad[0]!r:.80}, expected an object with a name")
    parameters = {spec["name"]: {key: value for key, value in spec.items() if key != "name"} for spec in given}
    if len(parameters) < len(given):
        raise DataError(f"{tool!r:.80}: two parameters have one name, of {[spec['name'] for spec in given]}")
    return parameters


def _formed(parameters: dict[str, Any], tool: dict[str, Any]) -> tuple[dict[str, Any], list[Any] | None]:
    """The parameters in one of the two forms, and the list of required ones where it belongs beside them."""
    beside = tool.get("required")
    beside = beside if isinstance(beside, list) else None
    if not _is_schema(parameters):
        inside = parameters.get("required")
        if isinstance(inside, list):
            parameters = {key: value for key, value in parameters.items() if key != "required"}
            beside = inside
        return _specs(parameters, tool["name"]), beside
    parameters = _rooted(parameters)
    if not isinstance(parameters.get("properties"), dict):
        parameters = {"type": "object", **parameters, "properties": {}}
    if not isinstance(parameters.get("type"), str):
        parameters = {**parameters, "type": "object"}
    if beside is not None and not isinstance(parameters.get("required"), list):
        parameters = {**parameters, "required": beside}
    return parameters, None


def _is_schema(parameters: dict[str, Any]) -> bool:
    """Whether the parameters are a JSON Schema or BFCL's: the names of its keys would be parameters in xLAM's form."""
    kind, properties = parameters.get("type"), parameters.get("properties")
    kinds = kind if isinstance(kind, list) else [kind]
    if any(isinstance(name, str) and JSON_TYPES.get(name.lower()) == "object" for name in kinds):
        return True
    if "$ref" in parameters or any(isinstance(parameters.get(key), list) for key in ("anyOf", "oneOf", "allOf")):
        return True
    if isinstance(properties, dict) and kind is None:  # without a type; a parameter of this name has a type as text
        return all(isinstance(spec, dict) for spec in properties.values())
    return False


def _rooted(parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters that are a reference as a whole: the definition that it names, with all definitions."""
    for _ in range(8):
        name = parameters.get("$ref")
        if not isinstance(name, str) or not name.startswith("#/"):
            break
        target: Any = parameters
        for part in name[2:].split("/"):
            target = target.get(part) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            raise DataError(f"`$ref` is {name!r:.80}, allowed are definitions of the tool itself: mend the tool")
        parameters = {**{key: value for key, value in parameters.items() if key != "$ref"}, **target}
    return parameters


def _specs(parameters: dict[str, Any], tool: str) -> dict[str, Any]:
    """Parameters in xLAM's form: a bare type text becomes an object, null ones are left out."""
    out = {}
    for key, spec in parameters.items():
        if spec is None:
            continue
        spec = {"description": "", "type": spec} if isinstance(spec, str) else spec
        if not isinstance(spec, dict):
            raise DataError(f"{tool!r:.80}: parameter {key!r} is {spec!r:.80}, expected an object with a type")
        if any(name in spec and spec[name] is None for name in ("description", "type")):
            spec = {
                name: value for name, value in spec.items() if value is not None or name not in ("description", "type")
            }
        out[key] = spec
    return out


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


def unread_types(tool: dict[str, Any]) -> list[str]:
    """The type texts of a tool that have no counterpart, so that any value is admitted there.

    Args:
        tool: A tool as `read_tool` gives it.

    Returns:
        The texts, each as often as it occurs: type names, NO_TYPE where a parameter has none, and regular expressions
        that Python does not read.
    """
    parameters = tool["parameters"]
    specs = parameters["properties"] if is_bfcl(tool) else parameters
    return [text for spec in specs.values() for text in _unread(spec, 0)]


def _unread(spec: Any, depth: int) -> Iterator[str]:
    if not isinstance(spec, dict) or depth > 64:
        return
    names = spec.get("type")
    for name in names if isinstance(names, list) else [names]:
        if isinstance(name, str) and name.lower() not in JSON_TYPES and read_type(name).unread:
            yield name[:80]
    says = ("enum", "const", "anyOf", "oneOf", "allOf", "$ref", "properties", "items")
    if names in (None, "", []) and not any(key in spec for key in says):
        yield NO_TYPE
    if "pattern" in spec and not is_pattern(spec["pattern"]):
        yield f"pattern {spec['pattern']!r:.80}"
    inner = spec.get("properties")
    for child in [*(inner.values() if isinstance(inner, dict) else ()), spec.get("items")]:
        yield from _unread(child, depth + 1)
