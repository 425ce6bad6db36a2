"""Type texts of tools, such as `List[int]`, `str, optional` or `int (default: 3)`, as BFCL types.

xLAM's are Python annotations; other sources write `string[]`, `list of int`, `array<string>` or `number or null`. What
a text says beside the type (optional, required, a default) is read too. Nothing is evaluated.
"""

import ast
import re
from dataclasses import dataclass, field
from typing import Any

from funreason.calls.modifiers import default_value, split_modifiers
from funreason.calls.spellings import parsed

_STRINGS = ("str", "string", "text", "char", "character", "varchar", "date", "datetime", "time", "timestamp", "uuid",
            "url", "uri", "email", "path", "pathlike", "bytes", "base64", "binary", "hostname", "ipv4address",
            "ipv6address", "nvarchar", "longtext")  # fmt: skip
_INTEGERS = ("int", "integer", "long", "short", "byte", "bigint", "smallint", "tinyint", "uint")
_NUMBERS = ("float", "number", "double", "decimal", "real", "numeric")
SCALARS = {
    **dict.fromkeys(_STRINGS, "string"),
    **dict.fromkeys(_INTEGERS, "integer"),
    **dict.fromkeys(_NUMBERS, "float"),
    **dict.fromkeys(("bool", "boolean"), "boolean"),
    "any": "any",
}
# BFCL's type names, those of its Java and JavaScript tools included → JSON Schema's; `any` has none.
JSON_TYPES = {
    **{name: "string" for name in ("string", "str", "char")},
    **{name: "integer" for name in ("integer", "int", "long", "short", "byte", "bigint")},
    **{name: "number" for name in ("float", "number", "double")},
    **{name: "boolean" for name in ("boolean", "bool")},
    **{name: "array" for name in ("array", "list", "tuple", "arraylist", "queue", "stack", "set")},
    **{name: "object" for name in ("dict", "object", "hashmap", "hashtable")},
    "null": "null",
}
ARRAYS = {"list", "array", "set", "frozenset", "sequence", "iterable", "collection", "ndarray", "arraylist",
          "vector", "vec", "deque", "queue", "linkedlist", "jsonarray"}  # fmt: skip
DICTS = {"dict", "object", "mapping", "map", "defaultdict", "ordereddict", "dictionary", "hashmap", "json",
         "record", "hashtable", "jsonobject", "struct"}  # fmt: skip
_NULLS = ("none", "null", "nonetype", "undefined")
_WRAPPERS = {"annotated": None, "required": True, "notrequired": False, "final": None, "readonly": None}
_UNIONS = ("optional", "option", "maybe", "nullable", "union")
_SIZED = re.compile(r"(u?int|float|i|u|f)(?:8|16|32|64|128)(?:_t)?")  # `int32`, `u64`, `float64`
_SIZES = {"int": "int", "uint": "int", "i": "int", "u": "int", "float": "float", "f": "float"}


@dataclass(frozen=True)
class TypeText:
    """What a type text says.

    Attributes:
        schema: The BFCL type, {"type", "items"?, "enum"?, "anyOf"?}; `any` where the text has no counterpart.
        required: Whether the text says that the parameter is required (True) or optional (False); None where neither.
        default: [the default] where the text states one, else [].
        null: Whether the type admits None.
        unread: Whether a part of the type has no counterpart, so that any value is admitted there.
    """

    schema: dict[str, Any]
    required: bool | None = None
    default: list[Any] = field(default_factory=list)
    null: bool = False
    unread: bool = False


def read_type(name: object) -> TypeText:
    """Read the type text of a parameter.

    Args:
        name: The text under `type`. Something else, or a text without a counterpart in BFCL (`Callable[…]`, a class),
            is `any` and unread.
    """
    if not isinstance(name, str):
        return TypeText({"type": "any"}, unread=True)
    said = split_modifiers(name.strip())
    reader = _Reader()
    try:
        schema = reader.read(parsed(said.bare))
    except (_Unread, SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        schema, reader.unread = {"type": "any"}, True
    required = reader.required if said.required is None else said.required
    if required is None and reader.null:
        required = False
    default = [] if said.default is None else [default_value(said.default, schema)]
    return TypeText(schema, required, default, reader.null or said.null, reader.unread)


class _Unread(Exception):
    """A text that is not a type."""


class _Reader:
    """Reads one annotation. Notes whether it admits None, and whether a part of it has no counterpart."""

    def __init__(self) -> None:
        self.null = False
        self.unread = False
        self.required: bool | None = None

    def read(self, node: ast.expr) -> dict[str, Any]:
        """The BFCL type of the outermost node."""
        while isinstance(node, ast.Subscript) and (name := _name(node.value)) in _WRAPPERS:
            self.required = _WRAPPERS[name] if self.required is None else self.required
            node = _members(node)[0]
        members = _union(node)
        if len(members) == 1 and _is_none(members[0]):
            self.unread = True  # nothing is said of the values that are not None
        self.null = any(_is_none(member) for member in members)
        return self._one_of(members)

    def _convert(self, node: ast.expr) -> dict[str, Any]:
        members = _union(node)
        if len(members) > 1 or members[0] is not node:
            inner = self._one_of(members)
            return {**inner, "nullable": True} if any(map(_is_none, members)) else inner
        if isinstance(node, ast.Subscript):
            return self._generic(_name(node.value), _members(node))
        if isinstance(node, ast.List | ast.Set):  # `[int]`, `['a', 'b']`
            texts = len(node.elts) > 1 and all(isinstance(item, ast.Constant) for item in node.elts)
            return self._generic("literal" if texts else "list", node.elts)
        if isinstance(node, ast.Dict):
            return {"type": "dict"}
        if isinstance(node, ast.Call | ast.Compare):  # `string (date)`, `int > 0`
            return self._convert(node.func if isinstance(node, ast.Call) else node.left)
        return self._plain(_name(node))

    def _plain(self, name: str) -> dict[str, Any]:
        """The BFCL type of a name without members."""
        if name in ARRAYS or name == "tuple":
            return {"type": "tuple" if name == "tuple" else "array", "items": {"type": "any"}}
        if name in DICTS:
            return {"type": "dict"}
        name = _SIZED.sub(lambda match: _SIZES[match[1]], name)
        self.unread = self.unread or name not in SCALARS
        return {"type": SCALARS.get(name, "any")}

    def _generic(self, name: str, members: list[ast.expr]) -> dict[str, Any]:
        """The BFCL type of `name[members]`."""
        if name in ARRAYS or name == "tuple":
            inner = [member for member in members if not _is_ellipsis(member)]
            items = self._one_of(inner) if inner else {"type": "any"}
            return {"type": "tuple" if name == "tuple" else "array", "items": items}
        if name in ("literal", "enum"):
            return self._choice([_value(member) for member in members])
        return self._plain(name)

    def _choice(self, values: list[Any]) -> dict[str, Any]:
        """The BFCL type of values to choose from."""
        self.null = self.null or None in values
        values = [value for value in values if value is not None]
        if any(not isinstance(value, str | int | float) for value in values) or not values:
            raise _Unread
        return {**_merged([self._plain(type(value).__name__) for value in values]), "enum": values}

    def _one_of(self, members: list[ast.expr]) -> dict[str, Any]:
        members = [member for member in members if not _is_none(member)]
        if len(members) > 1 and all(isinstance(member, ast.Constant) for member in members):  # `'a' | 'b'`
            return self._choice([_value(member) for member in members])
        if len(members) == 1 and _is_text(members[0]) and not _is_type(_value(members[0])):
            return self._choice([_value(members[0])])
        self.unread = self.unread or not members
        return _merged([self._convert(_unquoted(member)) for member in members])


def _merged(types: list[dict[str, Any]]) -> dict[str, Any]:
    """One BFCL type for all: equal ones stay, integer and float make float, texts to choose from make an enum."""
    if types and all(one == types[0] for one in types):
        return types[0]
    if types and all(one in ({"type": "integer"}, {"type": "float"}) for one in types):
        return {"type": "float"}
    if types and all(set(one) == {"type", "enum"} for one in types):
        return {"type": "string", "enum": [value for one in types for value in one["enum"]]}
    if not types or {"type": "any"} in types:
        return {"type": "any"}
    return {"type": "any", "anyOf": types}


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_type(text: str) -> bool:
    return text.lower() in SCALARS or text.lower() in ARRAYS or text.lower() in DICTS


def _names_type(node: ast.expr) -> bool:
    return _is_type(_name(node.value if isinstance(node, ast.Subscript) else node))


def _unquoted(node: ast.expr) -> ast.expr:
    """`List["int"]` means `List[int]`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.Name(node.value) if _is_type(node.value) else ast.Subscript(ast.Name("literal"), node)
    return node


def _value(node: ast.expr) -> Any:
    """A value to choose from; a bare word is a text."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def _union(node: ast.expr) -> list[ast.expr]:
    """The members of a union or an Optional; a node that is neither alone."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.Div):  # `float/int`
        return [*_union(node.left), *_union(node.right)]
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):  # `number or null`
        return [inner for member in node.values for inner in _union(member)]
    if isinstance(node, ast.Tuple):  # `string, null`; after another word it is a remark
        return node.elts if all(_is_none(item) or _names_type(item) for item in node.elts) else _union(node.elts[0])
    if isinstance(node, ast.Subscript) and (name := _name(node.value)) in (
        "optional",
        "option",
        "maybe",
        "nullable",
        "union",
    ):
        none = [ast.Constant(None)] if name != "union" else []
        return [inner for member in _members(node) for inner in _union(member)] + none
    return [node]


def _members(node: ast.Subscript) -> list[ast.expr]:
    """The parts between the brackets."""
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def _name(node: ast.expr) -> str:
    """The last part of a dotted name in lower case; an empty text where the node is not a name."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name.lower()


def _is_none(node: ast.expr) -> bool:
    return (isinstance(node, ast.Constant) and node.value is None) or _name(node) in _NULLS


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis
