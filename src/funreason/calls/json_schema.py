"""The parameters of a tool in BFCL's form as JSON Schema (2020-12)."""

from typing import Any

from funreason.calls.constraints import are_key_patterns, constraints
from funreason.calls.typenames import JSON_TYPES, read_type

BRANCHES = ("anyOf", "oneOf", "allOf")
MAX_REFERENCES = 2000  # followed in one tool: references of references grow without end


class SchemaProblem(Exception):
    """Why no schema can be made; `to_json_schema` adds the name of the tool."""


class SchemaReader:
    """Reads the parameters of one tool; they, or the tool around them, have the definitions that references name."""

    def __init__(self, parameters: dict[str, Any], tool: dict[str, Any]):
        self.parameters = parameters
        self.roots = (parameters, tool)
        self.open: list[str] = []  # references that are being followed
        self.followed = 0
        self.joins = False  # whether the next schema is one of several for one object: no single one closes it

    def arguments_schema(self) -> dict[str, Any]:
        """The schema of all arguments."""
        schema = self._object_schema(self.parameters, joins=False)
        schema.update(constraints(self.parameters))
        self._add_branches(schema, self.parameters, joins=False)
        return schema

    def _object_schema(self, spec: dict[str, Any], joins: bool) -> dict[str, Any]:
        """The schema of a dict. One that declares keys admits no others, unless it says so; one that declares none
        admits all.
        """
        declared = spec.get("properties")
        properties: dict[str, Any] = declared if isinstance(declared, dict) else {}
        patterns = spec.get("patternProperties")
        more = spec.get("additionalProperties")
        schema: dict[str, Any] = {"type": "object"}
        if properties:
            schema["properties"] = {key: self.value_schema(spec_of(value)) for key, value in properties.items()}
            # Some tools require what they do not declare.
            schema["required"] = [key for key in _required(spec, properties) if key in properties]
            schema |= {} if joins else {"additionalProperties": False}
        if patterns and not are_key_patterns(patterns):
            schema["additionalProperties"] = True  # nobody knows which keys are meant
        elif isinstance(patterns, dict):
            schema["patternProperties"] = {key: self.value_schema(value) for key, value in patterns.items()}
        if isinstance(more, dict):
            more = self.value_schema(more)
        if isinstance(more, bool | dict):
            schema["additionalProperties"] = more
        if isinstance(needs := spec.get("dependentRequired"), dict) and all(map(_is_names, needs.values())):
            schema["dependentRequired"] = needs
        return schema

    def value_schema(self, spec: object) -> dict[str, Any]:
        """The schema of one parameter, list item or dict entry."""
        joins, self.joins = self.joins, False
        if not isinstance(spec, dict):
            return {}
        if isinstance(spec.get("$ref"), str):
            return self._referred(spec, joins)
        names = spec.get("type")
        types = [self._type_schema(name, spec, joins) for name in (names if isinstance(names, list) else [names])]
        schema: dict[str, Any] = types[0] if len(types) == 1 else {"anyOf": types}
        if names is None and "required" not in schema and _is_names(spec.get("required")):
            schema["required"] = spec["required"]  # an alternative such as {"required": ["a"]}
        schema.update(constraints(spec))
        self._add_branches(schema, spec, joins)
        if isinstance(spec.get("not"), dict) and (refused := self.value_schema(spec["not"])):
            schema["not"] = refused
        _add_enum(schema, spec.get("enum"))
        null = isinstance(names, str) and names.lower() not in JSON_TYPES and read_type(names).null
        if ("default" in spec and spec["default"] is None) or spec.get("nullable") is True or null:
            schema = _with_null(schema)
        return schema

    def _add_branches(self, schema: dict[str, Any], spec: dict[str, Any], joins: bool) -> None:
        """Add `anyOf`, `oneOf` and `allOf`. Those of an object may declare further keys of it."""
        if spec.keys().isdisjoint(BRANCHES):
            return
        is_object = schema.get("type") == "object"
        for key in BRANCHES:
            branches = spec.get(key)
            if not isinstance(branches, list) or not branches:
                continue
            together = is_object or (key == "allOf" and len(branches) > 1)
            read = []
            for branch in branches:
                self.joins = together or joins
                read.append(self.value_schema(branch))
            key = "anyOf" if key == "oneOf" else key  # `oneOf` of integer and number would refuse 1
            schema.setdefault("allOf", []).append({key: read}) if key in schema else schema.update({key: read})
            if together:
                _close(schema, spec, read, joins)

    def _referred(self, spec: dict[str, Any], joins: bool) -> dict[str, Any]:
        """The schema that a reference names, with what stands beside it."""
        name = spec["$ref"]
        self.followed += 1
        if name in self.open or self.followed > MAX_REFERENCES:
            return {}
        target = next((found for root in self.roots if (found := _target(root, name)) is not None), None)
        if target is None:
            raise SchemaProblem(f"`$ref` is {name!r:.80}, allowed are definitions of the tool itself: mend the tool")
        self.open.append(name)
        beside = {key: value for key, value in spec.items() if key != "$ref"}
        self.joins = joins
        schema = self.value_schema({**target, **beside})
        self.open.pop()
        return schema

    def _type_schema(self, name: object, spec: dict[str, Any], joins: bool) -> dict[str, Any]:
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
            return self._object_schema(spec, joins)
        if json_type == "array":
            return self._array_schema(spec)
        return {"type": json_type} if json_type else {}

    def _array_schema(self, spec: dict[str, Any]) -> dict[str, Any]:
        """The schema of a list; before draft 2020-12, a list under `items` was what `prefixItems` is."""
        items, first = spec_of(spec.get("items")), spec.get("prefixItems")
        if isinstance(items, list):
            items, first = spec.get("additionalItems"), items
        schema: dict[str, Any] = {"type": "array", "items": items if items is False else self.value_schema(items)}
        if isinstance(first, list) and first:
            schema["prefixItems"] = [self.value_schema(spec_of(one)) for one in first]
        if isinstance(spec.get("contains"), dict):
            schema["contains"] = self.value_schema(spec["contains"])
        return schema


def _close(schema: dict[str, Any], spec: dict[str, Any], read: list[dict[str, Any]], joins: bool) -> None:
    """Declare the keys of the alternatives in the object that they describe together, which admits no others."""
    parts = [part for branch in read for part in _parts(branch)]
    names = [name for part in parts for name in part.get("properties", ())]
    if not names:
        return
    declared = schema.setdefault("properties", {})
    declared |= {name: {} for name in names if name not in declared}
    asked = spec["required"] if _is_names(spec.get("required")) else []
    schema["required"] = list(dict.fromkeys([*schema.get("required", []), *(key for key in asked if key in declared)]))
    if not joins and all(part.get("additionalProperties", False) is False for part in parts):
        schema.setdefault("additionalProperties", False)


def _parts(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """A schema and the alternatives in it."""
    inner = [branch for key in ("anyOf", "allOf") for branch in schema.get(key, ()) if isinstance(branch, dict)]
    return [schema, *(part for branch in inner for part in _parts(branch))]


def _target(root: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The definition that a reference names: `#/$defs/City`, or `City` alone."""
    target: Any = root
    if "#" not in name and "/" not in name:
        name = f"#/{'$defs' if '$defs' in root else 'definitions'}/{name}"
    if not name.startswith("#"):
        return None
    for part in filter(None, name.removeprefix("#").split("/")):
        part = part.replace("~1", "/").replace("~0", "~")
        target = target.get(part) if isinstance(target, dict) else None
    return target if isinstance(target, dict) else None


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _required(spec: dict[str, Any], properties: dict[str, Any]) -> list[str]:
    """The required names, each once. Some tools of BFCL have a truth value here, which requires nothing."""
    names = spec.get("required")
    if not isinstance(names, list):
        return [key for key, value in properties.items() if required_flag(value) or _says_required(value)]
    if not_names := [name for name in names if not isinstance(name, str)]:
        raise SchemaProblem(f"`required` holds {not_names[0]!r:.80}, allowed are names of parameters: mend the tool")
    return list(dict.fromkeys(names))


def _says_required(spec: Any) -> bool:
    name = spec.get("type") if isinstance(spec, dict) else None
    return isinstance(name, str) and name.lower() not in JSON_TYPES and read_type(name).required is True


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


_FLAG_WORDS = {"true": True, "yes": True, "required": True, "1": True, "false": False, "no": False, "optional": False,
               "0": False}  # fmt: skip


def required_flag(spec: Any) -> bool | None:
    """What a parameter says of itself under `required` (True, "true" …) or `optional`; None where it says nothing."""
    if not isinstance(spec, dict):
        return None
    for key, required in (("required", True), ("is_required", True), ("isRequired", True), ("optional", False)):
        value = spec.get(key)
        value = _FLAG_WORDS.get(value.strip().lower()) if isinstance(value, str) else value
        if isinstance(value, int) and value in (0, 1):
            return bool(value) is required
    return None


def spec_of(value: Any) -> Any:
    """`{"items": "str"}` means `{"items": {"type": "str"}}`."""
    return {"type": value} if isinstance(value, str) and value else value
