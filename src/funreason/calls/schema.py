"""Tools from one form to another: xLAM's to BFCL's, and either to JSON Schema. `funreason.calls` shows both forms."""

from typing import Any

from funreason.calls.constraints import CONSTRAINTS
from funreason.calls.json_schema import BRANCHES, SchemaProblem, SchemaReader, required_flag, spec_of
from funreason.calls.typenames import TypeText, read_type
from funreason.core.errors import DataError

# What else a parameter in xLAM's form may carry to BFCL's.
CARRIED = ("properties", "required", "additionalProperties", "patternProperties", "nullable", "format", "$ref", "not",
            "prefixItems", "additionalItems", "contains", "dependentRequired", *CONSTRAINTS, *BRANCHES)  # fmt: skip


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

    Which parameters of xLAM's form are required, the tool's list `required` says, or else `required` and `optional` of
    each parameter. Without either, those are that have no default and whose type does not say optional.

    Raises:
        DataError: The tool is in neither form, or one of its parameters is not an object.
    """
    if is_bfcl(tool):
        return tool
    name, parameters = (tool.get("name"), tool.get("parameters")) if isinstance(tool, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(parameters, dict):
        raise DataError(f"tool {tool!r:.200}: give it a name and parameters, in xLAM's or BFCL's form")
    for key, spec in parameters.items():
        if not isinstance(spec, dict):
            raise DataError(f"tool {name!r}, parameter {key!r} is {spec!r:.80}: give it type and description")
    types = {key: read_type(spec.get("type")) for key, spec in parameters.items()}
    properties = {key: _property(types[key], spec) for key, spec in parameters.items()}
    out: dict[str, Any] = {"type": "dict", "properties": properties, "required": _required_of(tool, types)}
    for key in ("$defs", "definitions"):
        out |= {key: tool[key]} if isinstance(tool.get(key), dict) else {}
    return {"name": name, "description": tool.get("description", ""), "parameters": out}


def _required_of(tool: dict[str, Any], types: dict[str, TypeText]) -> list[str]:
    """The required parameters of a tool in xLAM's form."""
    parameters = tool["parameters"]
    if isinstance(tool.get("required"), list):
        return [key for key in parameters if key in tool["required"]]
    flags = {key: flag for key, spec in parameters.items() if (flag := required_flag(spec)) is not None}
    if any(flags.values()):  # as in OpenAPI, a parameter without a flag is then optional
        return [key for key in parameters if flags.get(key) or (key not in flags and types[key].required)]
    return [key for key, spec in parameters.items() if flags.get(key, _looks_required(spec, types[key]))]


def _looks_required(spec: dict[str, Any], type_text: TypeText) -> bool:
    if type_text.required is not None and not type_text.default:
        return type_text.required and "default" not in spec
    return "default" not in spec and not type_text.default and spec.get("nullable") is not True


def _property(type_text: TypeText, spec: dict[str, Any]) -> dict[str, Any]:
    """One parameter, its keys in the order that most of BFCL's own tools have."""
    bfcl_type = type_text.schema
    if "type" not in spec and any(key in spec for key in (*BRANCHES, "$ref", "const", "properties")):
        bfcl_type = {"type": "dict"} if "properties" in spec else {}  # the other key says what it is
    if isinstance(spec.get("type"), list):
        bfcl_type = {"type": spec["type"]}
    items = spec_of(spec.get("items"))
    if isinstance(items, dict | list) and bfcl_type.get("items") in (None, {"type": "any"}):
        bfcl_type = {**bfcl_type, "items": items}
    out: dict[str, Any] = {key: bfcl_type[key] for key in ("type", "items") if key in bfcl_type}
    out["description"] = spec.get("description", "")
    values = {**bfcl_type, **spec}
    out.update({key: values[key] for key in ("enum", "default") if key in values})
    if type_text.default and "default" not in out:
        out["default"] = type_text.default[0]
    out.update({key: values[key] for key in CARRIED if key in values and not (key == "required" and _is_flag(values))})
    if type_text.null and "default" not in out:
        out["nullable"] = True
    return out


def _is_flag(spec: dict[str, Any]) -> bool:
    """Whether `required` speaks of the parameter itself, and not of the entries of its value."""
    return not isinstance(spec["required"], list)


def to_json_schema(tool: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema (2020-12) of the arguments that a tool takes; undeclared arguments are not allowed.

    Types without a counterpart (`any`) admit every value; a parameter whose default is null admits null. Local
    references (`#/$defs/…`) are followed; what refers to itself admits every value inside.

    Args:
        tool: A tool in xLAM's or BFCL's form.

    Returns:
        `{"type": "object", "properties", "required", "additionalProperties"}`, the last one False unless the tool says
        otherwise.

    Raises:
        DataError: The tool is in neither form, its `required` holds something that is not a name, or it is nested too
            deeply.
    """
    try:
        parameters = to_bfcl(tool)["parameters"]
        schema = SchemaReader(parameters, tool).arguments_schema()
    except SchemaProblem as problem:
        raise DataError(f"tool {tool.get('name')!r:.80}: {problem}") from None
    except RecursionError:
        raise DataError(f"tool {tool.get('name')!r:.80}: nested too deeply: flatten its parameters") from None
    return {**schema, "additionalProperties": schema.get("additionalProperties", False)}
