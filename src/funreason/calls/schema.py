"""A tool's parameters in the vocabularies in use: xLAM's form to BFCL's, and either to JSON Schema.

xLAM: `{"name", "description", "parameters": {param: {"description", "type", "default"?, "enum"?}}}`, where types
are Python annotations. BFCL: `"parameters": {"type": "dict", "properties": {…}, "required": […]}`, where types
have names of their own.
"""

from funreason.calls.typenames import read_type
from funreason.errors import DataError


def is_bfcl(tool: dict) -> bool:
    """Whether the tool's parameters are in BFCL's form (in xLAM's, each value describes a parameter)."""
    parameters = tool.get("parameters")
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
    name, parameters = tool.get("name"), tool.get("parameters")
    if not isinstance(name, str) or not isinstance(parameters, dict):
        raise DataError(
            f"tool {tool!r:.200}: give it a name and parameters, an object in xLAM's or BFCL's form"
        )
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
    """JSON Schema of the arguments of a tool in either form."""
    raise NotImplementedError
