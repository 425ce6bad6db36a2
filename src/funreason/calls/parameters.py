"""The parameters of a tool as published data spells them → in xLAM's or BFCL's form, under `parameters`."""

import json
from typing import Any

from funreason.calls.json_schema import BRANCHES, spec_of
from funreason.calls.typenames import JSON_TYPES
from funreason.core.errors import DataError

ABSENT = (None, "", "null", "None")
# ACEBench says `arguments`, Anthropic's API `input_schema`, MCP `inputSchema`, Google's `parametersJsonSchema`.
PARAMETERS = ("parameters", "arguments", "input_schema", "inputSchema", "parametersJsonSchema", "args_schema")
_DEFINITIONS = ("$defs", "definitions")
_TOOLBENCH = ("required_parameters", "optional_parameters")
# Where a parameter has no `type`, what other sources call it.
_TYPE_KEYS = ("dtype", "data_type", "dataType", "param_type", "Type", "schema")
SCHEMA_KEYS = {
    "type",
    "properties",
    "required",
    "description",
    "title",
    "default",
    "examples",
    "nullable",
    *_DEFINITIONS,
}


def decoded(value: Any, name: str) -> Any:
    """The value of a field that may be JSON text.

    Raises:
        DataError: The text is not JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise DataError(f"{name} is {value!r:.80}, expected an object or JSON text of one ({error})") from None


def parameters_of(tool: dict[str, Any]) -> dict[str, Any]:
    """The tool with its parameters under `parameters`, as an object in one of the two forms.

    Args:
        tool: A tool with a name. One that is in one of the two forms is returned equal, its keys in their order.

    Raises:
        DataError: The parameters do not describe a schema.
    """
    tool = _gathered(tool)
    name = f"{tool['name']!r:.80}"
    present = [key for key in PARAMETERS if tool.get(key) not in ABSENT]
    key = next((key for key in present if tool[key] not in ({}, "{}")), next(iter(present), "parameters"))
    given = decoded(tool[key], f"{name}: {key}") if present else {}
    if isinstance(given, dict) and list(given) == ["json"] and key in ("inputSchema", "input_schema"):  # Amazon's
        given = given["json"]
    parameters = _by_name(given, name) if isinstance(given, list) else given
    if not isinstance(parameters, dict):
        raise DataError(f"{name}: {key} are {parameters!r:.80}, expected an object")
    parameters, beside = _formed(parameters, tool)
    rest = {field for field in tool if field not in (*PARAMETERS, "required")}
    clean = {field: parameters if field == key else value for field, value in tool.items() if field in {key, *rest}}
    if key != "parameters":
        clean = {"parameters" if field == key else field: value for field, value in clean.items()}
    clean.setdefault("parameters", parameters)
    return clean | beside


def _gathered(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool that has its schema's keys beside its name, or ToolBench's two lists, with `parameters`."""
    if any(tool.get(key) not in (*ABSENT, {}) for key in PARAMETERS):
        return tool
    if isinstance(tool.get("properties"), dict):
        moved = [
            key for key in ("type", "properties", "required", "additionalProperties", *_DEFINITIONS) if key in tool
        ]
        rest = {key: value for key, value in tool.items() if key not in (*moved, *PARAMETERS)}
        return rest | {"parameters": {key: tool[key] for key in moved} | {"type": "object"}}
    required, optional = (tool.get(key) for key in _TOOLBENCH)
    if isinstance(required, list) and isinstance(optional, list | None):
        rest = {key: value for key, value in tool.items() if key not in (*_TOOLBENCH, *PARAMETERS)}
        asked = list(_by_name(required, f"{tool['name']!r:.80}"))
        return rest | {"parameters": [*required, *(optional or [])], "required": asked}
    return tool


def _by_name(given: list[Any], tool: str) -> dict[str, Any]:
    """Parameters in a list, each with its name."""
    if bad := [spec for spec in given if not isinstance(spec, dict) or not isinstance(spec.get("name"), str)]:
        raise DataError(f"{tool}: parameter {bad[0]!r:.80}, expected an object with a name")
    parameters = {spec["name"]: {key: value for key, value in spec.items() if key != "name"} for spec in given}
    if len(parameters) < len(given):
        raise DataError(f"{tool}: two parameters have one name, of {[spec['name'] for spec in given]}")
    return parameters


def _formed(parameters: dict[str, Any], tool: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters in one of the two forms, and what belongs beside them in xLAM's."""
    name = f"{tool['name']!r:.80}"
    if not _is_schema(parameters):
        beside = {key: tool["required"] for key in ("required",) if tool.get(key) is not None}
        for key in (*_DEFINITIONS, "required"):
            if _is_beside(key, parameters.get(key)):
                beside[key] = parameters[key]
                parameters = {other: value for other, value in parameters.items() if other != key}
        specs = _specs(parameters, name)
        asked = _names(beside.pop("required", None), specs)
        return specs, beside | ({"required": asked} if asked is not None else {})
    parameters = _lifted(_rooted(parameters))
    properties = _properties(parameters, tool, name)
    if properties is not parameters.get("properties"):
        parameters = {"type": "object", **parameters, "properties": properties}
    if not isinstance(parameters.get("type"), str) or JSON_TYPES.get(parameters["type"].lower()) != "object":
        parameters = {**parameters, "type": "object"}
    given = parameters.get("required")
    asked = _names(given if given is not None else tool.get("required"), properties)
    if asked is not None and asked is not given:
        parameters = {**parameters, "required": asked}
    return parameters, {}


def _is_beside(key: str, value: Any) -> bool:
    """Whether a key among xLAM's parameters is not a parameter: a list of required ones, or definitions."""
    if key == "required":
        return isinstance(value, list)
    return isinstance(value, dict) and bool(value) and all(isinstance(one, dict) for one in value.values())


def _names(required: Any, declared: dict[str, Any]) -> list[Any] | None:
    """The list of required parameters, where it is a list, or a text or object that means one."""
    if isinstance(required, list):
        return required
    if isinstance(required, dict) and required and all(isinstance(value, bool) for value in required.values()):
        return [key for key, value in required.items() if value]
    if isinstance(required, str) and required.strip():
        try:
            read = json.loads(required)
        except ValueError:
            read = [part.strip() for part in required.split(",")]
        if isinstance(read, list) and all(isinstance(key, str) and key in declared for key in read):
            return read
    return None


def _is_schema(parameters: dict[str, Any]) -> bool:
    """Whether the parameters are a JSON Schema or BFCL's: the names of its keys would be parameters in xLAM's form."""
    kind, properties = parameters.get("type"), parameters.get("properties")
    kinds = kind if isinstance(kind, list) else [kind]
    if any(isinstance(name, str) and JSON_TYPES.get(name.lower()) == "object" for name in kinds):
        return True
    if "$ref" in parameters or any(isinstance(parameters.get(key), list) for key in BRANCHES):
        return True
    if isinstance(properties, dict) and not isinstance(kind, dict):  # a parameter of this name has a type as text
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


def _lifted(parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters whose list `required` stands among the properties by mistake."""
    properties = parameters.get("properties")
    if isinstance(properties, dict) and isinstance(properties.get("required"), list) and "required" not in parameters:
        rest = {key: spec for key, spec in properties.items() if key != "required"}
        return {**parameters, "properties": rest, "required": properties["required"]}
    return parameters


def _properties(parameters: dict[str, Any], tool: dict[str, Any], name: str) -> dict[str, Any]:
    """The declared parameters of a schema; those of its alternatives where it has none itself."""
    given = parameters.get("properties")
    if given in ABSENT:
        beside = {key: spec for key, spec in parameters.items() if isinstance(spec, dict) and "type" in spec
                  and key not in SCHEMA_KEYS and key != "additionalProperties"}  # fmt: skip
        given = beside
    given = decoded(given, f"{name}: properties")
    if isinstance(given, list):
        return _by_name(given, name)
    if not isinstance(given, dict):
        raise DataError(f"{name}: properties are {given!r:.80}, expected an object")
    if not given and any(parameters.get(key) for key in BRANCHES):
        return _of_branches(parameters, 0) or given
    return given if all(isinstance(spec, dict) for spec in given.values()) else _specs(given, name)


def _of_branches(schema: dict[str, Any], depth: int) -> dict[str, Any]:
    """The parameters that the alternatives of a schema declare."""
    out: dict[str, Any] = {}
    branches = [branch for key in BRANCHES if isinstance(schema.get(key), list) for branch in schema[key]]
    for branch in branches if depth < 8 else []:
        if isinstance(branch, dict):
            root = _rooted({**{key: schema[key] for key in _DEFINITIONS if key in schema}, **branch})
            declared = root.get("properties")
            out = {**_of_branches(root, depth + 1), **(declared if isinstance(declared, dict) else {}), **out}
    return out


def _specs(parameters: dict[str, Any], tool: str) -> dict[str, Any]:
    """Parameters, each an object: a bare type text becomes one, null ones are left out."""
    out = {}
    for key, spec in parameters.items():
        if spec is None or spec is False:
            continue
        spec = {"description": "", "type": spec} if isinstance(spec, str) else {} if spec is True else spec
        if not isinstance(spec, dict):
            raise DataError(f"{tool}: parameter {key!r} is {spec!r:.80}, expected an object with a type")
        out[key] = _typed(spec)
    return out


def _typed(spec: dict[str, Any]) -> dict[str, Any]:
    """A parameter with its type under `type`, and without absent values."""
    if any(name in spec and spec[name] is None for name in ("description", "type")):
        spec = {name: value for name, value in spec.items() if value is not None or name not in ("description", "type")}
    if isinstance(spec.get("type"), dict):
        return {**{key: value for key, value in spec.items() if key != "type"}, **spec["type"]}
    other = next((key for key in _TYPE_KEYS if key in spec), None)
    if "type" in spec or other is None or any(key in spec for key in ("$ref", *BRANCHES)):
        return spec
    inner = spec_of(spec[other])
    return {**{key: value for key, value in spec.items() if key != other}, **(inner if isinstance(inner, dict) else {})}
