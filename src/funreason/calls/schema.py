"""Tools from one form to another: xLAM's to BFCL's, and either to JSON Schema. `funreason.calls` shows both forms."""

from typing import Any

import regex

from funreason.calls.typenames import JSON_TYPES, TypeText, read_type
from funreason.core.errors import DataError

# JSON Schema's constraints that mean the same here.
_CONSTRAINTS = ("minimum", "maximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength",
                "minProperties", "maxProperties", "const")  # fmt: skip
_BRANCHES = ("anyOf", "oneOf", "allOf")
# What else a parameter in xLAM's form may carry to BFCL's.
_CARRIED = ("properties", "required", "additionalProperties", "patternProperties", "pattern", "nullable", "format",
            "exclusiveMinimum", "exclusiveMaximum", "$ref", *_CONSTRAINTS, *_BRANCHES)  # fmt: skip
MAX_REFERENCES = 2000  # followed in one tool: references of references grow without end


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


def required_flag(spec: Any) -> bool | None:
    """What a parameter says of itself under `required` (True, "true" …) or `optional`; None where it says nothing."""
    if not isinstance(spec, dict):
        return None
    for key, required in (("required", True), ("optional", False)):
        value = spec.get(key)
        value = {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else value
        if isinstance(value, bool):
            return value is required
    return None


def _property(type_text: TypeText, spec: dict[str, Any]) -> dict[str, Any]:
    """One parameter, its keys in the order that most of BFCL's own tools have."""
    bfcl_type = type_text.schema
    if "type" not in spec and any(key in spec for key in (*_BRANCHES, "$ref", "const", "properties")):
        bfcl_type = {"type": "dict"} if "properties" in spec else {}  # the other key says what it is
    if isinstance(spec.get("type"), list):
        bfcl_type = {"type": spec["type"]}
    if isinstance(spec.get("items"), dict) and bfcl_type.get("items") in (None, {"type": "any"}):
        bfcl_type = {**bfcl_type, "items": spec["items"]}
    out: dict[str, Any] = {key: bfcl_type[key] for key in ("type", "items") if key in bfcl_type}
    out["description"] = spec.get("description", "")
    values = {**bfcl_type, **spec}
    out.update({key: values[key] for key in ("enum", "default") if key in values})
    if type_text.default and "default" not in out:
        out["default"] = type_text.default[0]
    out.update({key: values[key] for key in _CARRIED if key in values and not (key == "required" and _is_flag(values))})
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
        schema = _Reader(parameters).object_schema(parameters)
    except _SchemaProblem as problem:
        raise DataError(f"tool {tool.get('name')!r:.80}: {problem}") from None
    except RecursionError:
        raise DataError(f"tool {tool.get('name')!r:.80}: nested too deeply: flatten its parameters") from None
    return {**schema, "additionalProperties": schema.get("additionalProperties", False)}


class _SchemaProblem(Exception):
    """Why no schema can be made; `to_json_schema` adds the name of the tool."""


class _Reader:
    """Reads the parameters of one tool; `root` has the definitions that references name."""

    def __init__(self, root: dict[str, Any]):
        self.root = root
        self.open: list[str] = []  # references that are being followed
        self.followed = 0

    def object_schema(self, spec: dict[str, Any]) -> dict[str, Any]:
        """The schema of a dict. One that declares keys admits no others, unless it says so; one that declares none
        admits all.
        """
        declared = spec.get("properties")
        properties: dict[str, Any] = declared if isinstance(declared, dict) else {}
        patterns = spec.get("patternProperties")
        more = spec.get("additionalProperties")
        schema: dict[str, Any] = {"type": "object"}
        if properties:
            schema["properties"] = {key: self.value_schema(value) for key, value in properties.items()}
            # Some tools require what they do not declare.
            schema["required"] = [key for key in _required(spec, properties) if key in properties]
            schema["additionalProperties"] = False
        if isinstance(patterns, dict) and all(map(is_pattern, patterns)):
            schema["patternProperties"] = {key: self.value_schema(value) for key, value in patterns.items()}
        if isinstance(more, dict):
            more = self.value_schema(more)
        if isinstance(more, bool | dict):
            schema["additionalProperties"] = more
        return schema

    def value_schema(self, spec: object) -> dict[str, Any]:
        """The schema of one parameter, list item or dict entry."""
        if not isinstance(spec, dict):
            return {}
        if isinstance(spec.get("$ref"), str):
            return self._referred(spec)
        names = spec.get("type")
        types = [self._type_schema(name, spec) for name in (names if isinstance(names, list) else [names])]
        schema: dict[str, Any] = types[0] if len(types) == 1 else {"anyOf": types}
        schema.update({key: spec[key] for key in _CONSTRAINTS if key in spec})
        _add_bounds(schema, spec)
        if is_pattern(spec.get("pattern")):
            schema["pattern"] = spec["pattern"]
        self._add_branches(schema, spec)
        _add_enum(schema, spec.get("enum"))
        null = isinstance(names, str) and names.lower() not in JSON_TYPES and read_type(names).null
        if ("default" in spec and spec["default"] is None) or spec.get("nullable") is True or null:
            schema = _with_null(schema)
        return schema

    def _add_branches(self, schema: dict[str, Any], spec: dict[str, Any]) -> None:
        for key in _BRANCHES:
            branches = spec.get(key)
            if isinstance(branches, list) and branches:
                read = [self.value_schema(branch) for branch in branches]
                if key == "oneOf":
                    key = "anyOf"  # `oneOf` of integer and number would refuse 1
                schema.setdefault("allOf", []).append({key: read}) if key in schema else schema.update({key: read})

    def _referred(self, spec: dict[str, Any]) -> dict[str, Any]:
        """The schema that a reference names, with what stands beside it."""
        name = spec["$ref"]
        self.followed += 1
        if name in self.open or self.followed > MAX_REFERENCES:
            return {}
        target: Any = self.root
        for part in name.removeprefix("#").strip("/").split("/"):
            part = part.replace("~1", "/").replace("~0", "~")
            target = target.get(part) if isinstance(target, dict) else None
        if not isinstance(target, dict) or not name.startswith("#"):
            raise _SchemaProblem(f"`$ref` is {name!r:.80}, allowed are definitions of the tool itself: mend the tool")
        self.open.append(name)
        beside = {key: value for key, value in spec.items() if key != "$ref"}
        schema = self.value_schema({**target, **beside})
        self.open.pop()
        return schema

    def _type_schema(self, name: object, spec: dict[str, Any]) -> dict[str, Any]:
        """The schema of one type name, with the items or entries that the parameter declares."""
        json_type = JSON_TYPES.get(name.lower()) if isinstance(name, str) else None
        if json_type is None and isinstance(name, str):
            text = read_type(name).schema
            if text != {"type": "any"}:  # a text such as `List[int]` or `str, optional`
                declared: dict[str, Any] = {key: spec[key] for key in ("items", "properties") if key in spec}
                return self.value_schema({**text, **declared})
        if json_type is None and name is None and "properties" in spec:
            json_type = "object"
        if json_type == "object":
            return self.object_schema(spec)
        if json_type == "array":
            return {"type": "array", "items": self.value_schema(spec.get("items"))}
        return {"type": json_type} if json_type else {}


def _required(spec: dict[str, Any], properties: dict[str, Any]) -> list[str]:
    """The required names, each once. Some tools of BFCL have a truth value here, which requires nothing."""
    names = spec.get("required")
    if not isinstance(names, list):
        return [key for key, value in properties.items() if required_flag(value) or _says_required(value)]
    if not_names := [name for name in names if not isinstance(name, str)]:
        raise _SchemaProblem(f"`required` holds {not_names[0]!r:.80}, allowed are names of parameters: mend the tool")
    return list(dict.fromkeys(names))


def _says_required(spec: Any) -> bool:
    name = spec.get("type") if isinstance(spec, dict) else None
    return isinstance(name, str) and name.lower() not in JSON_TYPES and read_type(name).required is True


def is_pattern(text: object) -> bool:
    """Whether a text is a regular expression that Python reads too."""
    try:
        return isinstance(text, str) and bool(regex.compile(text))
    except (regex.error, RecursionError, OverflowError):
        return False


def _add_bounds(schema: dict[str, Any], spec: dict[str, Any]) -> None:
    """Exclusive bounds; before JSON Schema draft 6, `exclusiveMinimum: true` made `minimum` exclusive."""
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        value = spec.get(exclusive)
        if value is True and bound in schema:
            schema[exclusive] = schema.pop(bound)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            schema[exclusive] = value


def _add_enum(schema: dict[str, Any], values: object) -> None:
    if isinstance(values, list) and values:
        # Tools put the allowed values of a list's items beside the list.
        of_items = schema.get("type") == "array" and not any(isinstance(value, list) for value in values)
        (schema["items"] if of_items else schema)["enum"] = list(values)


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with null allowed. A new `anyOf` around it would hide which value of an enum or type is wrong."""
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    if "anyOf" in schema:
        schema["anyOf"].append({"type": "null"})
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"].append(None)
    if "const" in schema or "allOf" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema
