"""Takes out what Arrow tables add: a nested column gives every row the keys of all rows, with null where it had none.

Left in, each tool would get the parameters of all tools, and each call their arguments: `[get_weather(city='Ghent',
amount=None)]`. A parameter whose description is null is never meant, whatever the source. A null argument is meant
where the tool admits null there. In rows of a table, or that show its pattern, all other nulls are taken out;
elsewhere only those of parameters that the tool does not declare.
"""

from typing import Any

from funreason.calls import to_json_schema
from funreason.core.errors import DataError
from funreason.data.calltext import Calls

_PROPERTIES = ("properties", "$defs", "definitions", "patternProperties")
_SCHEMAS = (
    "items",
    "additionalProperties",
    "not",
    "function",
    "parameters",
    "arguments",
    "input_schema",
    "inputSchema",
)
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_VALUES = ("default", "const")  # null is a value here, except in a table


class NullCleaner:
    """Removes null-filled keys from the tools and calls of one row, and counts them.

    Args:
        table: Whether the row comes from an Arrow table.
        nulls: Whether the row may hold a null at all.
    """

    def __init__(self, table: bool, nulls: bool = True):
        self.table, self.nulls = table, nulls
        self.removed = 0

    def tools(self, tools: list[Any]) -> list[Any]:
        """The tools without null-filled keys; those that are not objects are returned as they are."""
        if not self.nulls:
            return tools
        if not self.table and any(self._shows_fill(tool) for tool in tools):
            self.table = True
        return [self._schema(tool) if isinstance(tool, dict) else tool for tool in tools]

    def calls(self, calls: Calls, tools: list[dict[str, Any]]) -> Calls:
        """The calls without null-filled arguments.

        Args:
            calls: Calls in xLAM's form.
            tools: The tools of the row, read.
        """
        if not self.nulls:
            return calls
        by_name = {tool["name"]: tool for tool in tools}
        return [self._call(call, by_name.get(call["name"])) if _has_null(call["arguments"]) else call for call in calls]

    def _shows_fill(self, tool: Any) -> bool:
        """Whether a parameter of a tool is null, which no publisher means."""
        if not isinstance(tool, dict):
            return False
        inner = tool["function"] if isinstance(tool.get("function"), dict) else tool
        parameters = inner.get("parameters")
        if not isinstance(parameters, dict):
            return False
        specs = parameters.get("properties")
        values = specs.values() if isinstance(specs, dict) else () if "type" in parameters else parameters.values()
        return any(spec is None for spec in values)

    def _schema(self, spec: dict[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, value in spec.items():
            if value is None and (self.table or key not in _VALUES):
                self.removed += 1
            elif key in _PROPERTIES and isinstance(value, dict):
                out[key] = self._named(value)
            elif key == "parameters" and isinstance(value, dict) and "properties" not in value:
                out[key] = self._named(value)  # xLAM's form
            elif key in _SCHEMAS and isinstance(value, dict):
                out[key] = self._schema(value)
            elif key in _LISTS and isinstance(value, list):
                out[key] = [self._schema(item) if isinstance(item, dict) else item for item in value]
            else:
                out[key] = value
        return out

    def _named(self, specs: dict[str, Any]) -> dict[str, Any]:
        """Parameters by name, whatever their names."""
        self.removed += sum(spec is None for spec in specs.values())
        kept = {name: spec for name, spec in specs.items() if spec is not None}
        return {name: self._schema(spec) if isinstance(spec, dict) else spec for name, spec in kept.items()}

    def _call(self, call: dict[str, Any], tool: dict[str, Any] | None) -> dict[str, Any]:
        try:
            schema = to_json_schema(tool) if tool else {}
        except DataError:
            schema = {}
        if not self.table and tool:  # the pattern of a table: an argument that only another tool declares
            declared = schema.get("properties", {})
            self.table = any(value is None and key not in declared for key, value in call["arguments"].items())
        return {**call, "arguments": self._object(call["arguments"], schema)}

    def _object(self, value: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
        properties = schema.get("properties", {})
        out: dict[str, Any] = {}
        for key, item in value.items():
            spec = properties.get(key)
            if item is None and not _keeps_null(spec, bool(properties), self.table):
                self.removed += 1
            else:
                out[key] = self._value(item, spec if isinstance(spec, dict) else {})
        return out

    def _value(self, value: Any, schema: dict[str, Any]) -> Any:
        if isinstance(value, dict):
            return self._object(value, schema)
        if isinstance(value, list):
            items = schema.get("items")
            return [self._value(item, items if isinstance(items, dict) else {}) for item in value]
        return value


def _keeps_null(spec: Any, closed: bool, table: bool) -> bool:
    """Whether a null value is meant.

    Args:
        spec: The schema of the value, None where it is not declared.
        closed: Whether the object around it declares its keys.
        table: Whether the row comes from a table, or shows its pattern.
    """
    if not isinstance(spec, dict):
        return not table and not closed
    return not table or _admits_null(spec)


def _admits_null(schema: dict[str, Any]) -> bool:
    types = schema.get("type")
    if types == "null" or (isinstance(types, list) and "null" in types) or None in (schema.get("enum") or ()):
        return True
    branches = [branch for name in ("anyOf", "oneOf") for branch in schema.get(name) or ()]
    if branches:
        return any(isinstance(branch, dict) and _admits_null(branch) for branch in branches)
    return types is None and "enum" not in schema and "const" not in schema


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_null(item) for item in value.values())
    return value is None or (isinstance(value, list) and any(_has_null(item) for item in value))
