"""Tools from one form to another: xLAM's to BFCL's, and either to JSON Schema. `funreason.calls` shows both forms."""

from typing import Any

from funreason.calls.typenames import JSON_TYPES, read_type
from funreason.core.errors import DataError

# JSON Schema's own constraints, which some tools of BFCL carry.
_CONSTRAINTS = ("minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength")


def is_bfcl(tool: Any) -> bool:
    """Whether a tool is in BFCL's form. In xLAM's, `type` and `properties` would be parameters, each an object."""
    parameters = tool.get("parameters") if isinstance(tool, dict) else None
    return (
        isinstance(parameters, dict)
        and isinstance(parameters.get("type"), str)
        and isinstance(parameters.get("properties"), dict)
    )


def to_bfcl(tool: dict[str, Any]) -> dict[str, Any]:
    """The tool in BFCL's form. One that has this form already is returned as it is.

    A parameter of xLAM's form is required where it has no default and its type does not say optional.

    Raises:
        DataError: The tool is in neither form, or one of its parameters is not an object.
    """
    if is_bfcl(tool):
        return tool
    name, parameters = (tool.get("name"), tool.get("parameters")) if isinstance(tool, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(parameters, dict):
        raise DataError(f"tool {tool!r:.200}: give it a name and parameters, in xLAM's or BFCL's form")
    properties: dict[str, Any] = {}
    required: list[str] = []
    for key, spec in parameters.items():
        if not isinstance(spec, dict):
            raise DataError(f"tool {name!r}, parameter {key!r} is {spec!r:.80}: give it type and description")
        bfcl_type, optional = read_type(spec.get("type"))
        properties[key] = _property(bfcl_type, spec)
        if "default" not in spec and not optional:
            required.append(key)
    return {
        "name": name,
        "description": tool.get("description", ""),
        "parameters": {"type": "dict", "properties": properties, "required": required},
    }


def _property(bfcl_type: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """One parameter, its keys in the order that most of BFCL's own tools have."""
    out: dict[str, Any] = {key: bfcl_type[key] for key in ("type", "items") if key in bfcl_type}
    out["description"] = spec.get("description", "")
    values = {**bfcl_type, **spec}
    out.update({key: values[key] for key in ("enum", "default") if key in values})
    return out


def to_json_schema(tool: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema (2020-12) of the arguments that a tool takes; undeclared arguments are not allowed.

    Types without a counterpart (`any`) admit every value; a parameter whose default is null admits null.

    Args:
        tool: A tool in xLAM's or BFCL's form.

    Returns:
        `{"type": "object", "properties", "required", "additionalProperties": False}`.

    Raises:
        DataError: The tool is in neither form, its `required` holds something that is not a name, or it is nested too
            deeply.
    """
    try:
        schema = _object_schema(to_bfcl(tool)["parameters"])
    except _SchemaProblem as problem:
        raise DataError(f"tool {tool.get('name')!r:.80}: {problem}") from None
    except RecursionError:
        raise DataError(f"tool {tool.get('name')!r:.80}: nested too deeply: flatten its parameters") from None
    return {**schema, "additionalProperties": False}


class _SchemaProblem(Exception):
    """Why no schema can be made; `to_json_schema` adds the name of the tool."""


def _object_schema(spec: dict[str, Any]) -> dict[str, Any]:
    """The schema of a dict. One that declares keys admits no others; one that declares none admits all."""
    properties = spec.get("properties")
    if not isinstance(properties, dict) or not properties:
        return {"type": "object"}
    required = _required(spec.get("required"))
    return {
        "type": "object",
        "properties": {key: _value_schema(value) for key, value in properties.items()},
        "required": [key for key in required if key in properties],  # some tools require what they do not declare
        "additionalProperties": False,
    }


def _required(names: object) -> list[str]:
    """The required names, each once. Some tools of BFCL have a truth value here, which requires nothing."""
    names = names if isinstance(names, list) else []
    if not_names := [name for name in names if not isinstance(name, str)]:
        raise _SchemaProblem(f"`required` holds {not_names[0]!r:.80}, allowed are names of parameters: mend the tool")
    return list(dict.fromkeys(names))


def _value_schema(spec: object) -> dict[str, Any]:
    """The schema of one parameter, list item or dict entry."""
    if not isinstance(spec, dict):
        return {}
    names = spec.get("type")
    types = [_type_schema(name, spec) for name in (names if isinstance(names, list) else [names])]
    schema: dict[str, Any] = types[0] if len(types) == 1 else {"anyOf": types}
    schema.update({key: spec[key] for key in _CONSTRAINTS if key in spec})
    values = spec.get("enum")
    if isinstance(values, list) and values:
        # Tools put the allowed values of a list's items beside the list.
        of_items = schema.get("type") == "array" and not any(isinstance(value, list) for value in values)
        (schema["items"] if of_items else schema)["enum"] = list(values)
    if "default" in spec and spec["default"] is None:
        schema = _with_null(schema)
    return schema


def _type_schema(name: object, spec: dict[str, Any]) -> dict[str, Any]:
    """The schema of one type name, with the items or entries that the parameter declares."""
    json_type = JSON_TYPES.get(name.lower()) if isinstance(name, str) else None
    if json_type == "object":
        return _object_schema(spec)
    if json_type == "array":
        return {"type": "array", "items": _value_schema(spec.get("items"))}
    return {"type": json_type} if json_type else {}


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with null allowed. A new `anyOf` around it would hide which value of an enum or type is wrong."""
    if "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if "anyOf" in schema:
        schema["anyOf"].append({"type": "null"})
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"].append(None)
    return schema
