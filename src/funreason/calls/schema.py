"""A tool's parameters in the vocabularies in use: xLAM's form to BFCL's, and either to JSON Schema.

xLAM: `{"name", "description", "parameters": {param: {"description", "type", "default"?, "enum"?}}}`, whose
types are Python annotations. BFCL: `"parameters": {"type": "dict", "properties": {…}, "required": […]}`, with
type names of its own. A tool in OpenAI's form (`"type": "object"`) reads like BFCL's.
"""

from funreason.calls.typenames import JSON_TYPES, read_type
from funreason.core.errors import DataError

# JSON Schema's own constraints, which some tools of BFCL carry.
_CONSTRAINTS = ("minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength")


def is_bfcl(tool: dict) -> bool:
    """Whether the tool's parameters are in BFCL's form (in xLAM's, each value describes a parameter)."""
    parameters = tool.get("parameters") if isinstance(tool, dict) else None
    return (
        isinstance(parameters, dict)
        and isinstance(parameters.get("type"), str)
        and isinstance(parameters.get("properties"), dict)
    )


def to_bfcl(tool: dict) -> dict:
    """The tool in BFCL's form; one that already is in it comes back as it is.

    A parameter is required where it has no default and its type does not say optional. Raises `DataError`.
    """
    if is_bfcl(tool):
        return tool
    name, parameters = (tool.get("name"), tool.get("parameters")) if isinstance(tool, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(parameters, dict):
        raise DataError(f"tool {tool!r:.200}: give it a name and parameters, in xLAM's or BFCL's form")
    properties, required = {}, []
    for key, spec in parameters.items():
        if not isinstance(spec, dict):
            raise DataError(f"tool {name!r}, parameter {key!r} is {spec!r:.80}: give it type and description")
        kind, optional = read_type(spec.get("type"))
        properties[key] = _property(kind, spec)
        if "default" not in spec and not optional:
            required.append(key)
    return {
        "name": name,
        "description": tool.get("description", ""),
        "parameters": {"type": "dict", "properties": properties, "required": required},
    }


def _property(kind: dict, spec: dict) -> dict:
    """One parameter, its keys in the order that most of BFCL's own tools have."""
    out = {key: kind[key] for key in ("type", "items") if key in kind}
    out["description"] = spec.get("description", "")
    values = {**kind, **spec}
    out.update({key: values[key] for key in ("enum", "default") if key in values})
    return out


def to_json_schema(tool: dict) -> dict:
    """JSON Schema (2020-12) of the arguments of a tool in xLAM's or BFCL's form; no others are allowed.

    Types without a counterpart (`any`) admit every value; a parameter whose default is null admits null. Raises
    `DataError` on a tool that declares none, requires what is no name, or is nested too deeply.
    """
    try:
        schema = _object_schema(to_bfcl(tool)["parameters"])
    except _Odd as odd:
        raise DataError(f"tool {tool.get('name')!r:.80}: {odd}") from None
    except RecursionError:
        raise DataError(f"tool {tool.get('name')!r:.80}: nested too deeply: flatten its parameters") from None
    return {**schema, "additionalProperties": False}


class _Odd(Exception):
    """What no schema can be made of; the tool's name is told by who knows it."""


def _object_schema(spec: dict) -> dict:
    """The schema of a dict: one that declares its keys admits no others, one that has none admits all."""
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
    """The required names, each once; some tools of BFCL have a truth value here. Raises `_Odd` on what is no name."""
    names = names if isinstance(names, list) else []
    if odd := [name for name in names if not isinstance(name, str)]:
        raise _Odd(f"`required` holds {odd[0]!r:.80}, allowed are names of parameters: mend the tool")
    return list(dict.fromkeys(names))


def _value_schema(spec: object) -> dict:
    """The schema of one parameter, list item or dict entry."""
    if not isinstance(spec, dict):
        return {}
    names = spec.get("type")
    kinds = [_kind_schema(name, spec) for name in (names if isinstance(names, list) else [names])]
    schema = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    schema.update({key: spec[key] for key in _CONSTRAINTS if key in spec})
    values = spec.get("enum")
    if isinstance(values, list) and values:
        # Tools name the values of a list's items beside the list itself.
        of_items = schema.get("type") == "array" and not any(isinstance(value, list) for value in values)
        (schema["items"] if of_items else schema)["enum"] = list(values)
    if "default" in spec and spec["default"] is None:
        schema = _with_null(schema)
    return schema


def _kind_schema(name: object, spec: dict) -> dict:
    """The schema of one type name, with what the parameter says of its items or entries."""
    kind = JSON_TYPES.get(name.lower()) if isinstance(name, str) else None
    if kind == "object":
        return _object_schema(spec)
    if kind == "array":
        return {"type": "array", "items": _value_schema(spec.get("items"))}
    return {"type": kind} if kind else {}


def _with_null(schema: dict) -> dict:
    """`schema`, null admitted, without the `anyOf` that would blur what a violation says."""
    if "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if "anyOf" in schema:
        schema["anyOf"].append({"type": "null"})
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"].append(None)
    return schema
