"""Type texts of tools, such as `List[int]`, `str, optional` or `int (default: 3)`, as BFCL types.

xLAM's are Python annotations; other sources write `string[]`, `list of int`, `array<string>` or `number or null`. What
a text says beside the type (optional, required, a default) is read too. Nothing is evaluated.
"""

import ast
import re
from dataclasses import dataclass, field
from typing import Any

_STRINGS = ("str", "string", "text", "char", "character", "varchar", "date", "datetime", "time", "timestamp", "uuid",
            "url", "uri", "email", "path", "pathlike", "bytes")  # fmt: skip
_INTEGERS = ("int", "integer", "long", "short", "byte", "bigint", "int32", "int64", "uint")
_NUMBERS = ("float", "number", "double", "decimal", "real", "numeric", "float32", "float64")
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
ARRAYS = {"list", "array", "set", "frozenset", "sequence", "iterable", "collection", "ndarray", "arraylist"}
DICTS = {"dict", "object", "mapping", "map", "defaultdict", "ordereddict", "dictionary", "hashmap", "json"}
_NULLS = ("none", "null", "nonetype")

# A modifier begins at one of these words, or at `=`, outside brackets and quotes.
_OPTIONAL = re.compile(r"[,;]?\s*\(?\s*\b(?:optional\b(?!\s*\[)|nullable\b)", re.IGNORECASE)
_REQUIRED = re.compile(r"[,;]?\s*\(?\s*\b(?:required|mandatory)\b", re.IGNORECASE)
_DEFAULT = re.compile(r"[,;]?\s*\(?\s*(?:\bdefaults?(?:\s+value)?(?:\s+(?:to|is|of))?\b\s*[:=]?|=)\s*", re.IGNORECASE)
_NOTE = re.compile(r"\s*[,;(].*$", re.DOTALL)  # a remark after the type: `str (ISO 8601)`, `str, ISO date`
_NESTED = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|<[^<>]*>|'[^']*'|\"[^\"]*\"")
_OF = re.compile(r"(?:an?\s+)?(list|array|set|tuple|sequence)s?\s+of\s+(?:an?\s+)?(.+)", re.IGNORECASE | re.DOTALL)
_CALLED = re.compile(r"(list|array|set|tuple|dict|enum|literal)\s*\((.+)\)", re.IGNORECASE | re.DOTALL)
_ENUM = re.compile(r"(?:enum|literal)\s*[\[(:]\s*(.+?)[\])]?", re.IGNORECASE | re.DOTALL)
_PLURAL = re.compile(r"\b(string|int|integer|float|number|bool|boolean|dict|object|list|array|date)s\b", re.IGNORECASE)


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


class _Unread(Exception):
    """A text that is not a type."""


def read_type(name: object) -> TypeText:
    """Read the type text of a parameter.

    Args:
        name: The text under `type`. Something else, or a text without a counterpart in BFCL (`Callable[…]`, a class),
            is `any` and unread.
    """
    if not isinstance(name, str):
        return TypeText({"type": "any"}, unread=True)
    bare, required, default = _modifiers(name.strip())
    try:
        reader = _Reader()
        schema = reader.read(_parsed(bare))
    except (_Unread, SyntaxError, ValueError, RecursionError, MemoryError):
        return TypeText({"type": "any"}, required, default, unread=True)
    if reader.null and required is None:
        required = False
    return TypeText(schema, required, default, reader.null, reader.unread)


def _modifiers(text: str) -> tuple[str, bool | None, list[Any]]:
    """The type without what is said beside it; whether it is required; the default."""
    if len(text) > 1000:  # no type is as long, and the patterns below are not made for it
        return text, None, []
    flat = _flattened(text)
    optional, required, default = (pattern.search(flat) for pattern in (_OPTIONAL, _REQUIRED, _DEFAULT))
    starts = [match.start() for match in (optional, required, default) if match]
    said = False if optional or default else True if required else None
    value = [_literal(text[default.end() :])] if default else []
    return text[: min(starts)].strip() if starts else text, said, value


def _flattened(text: str) -> str:
    """The text with what stands in brackets and quotes blanked out, unless a bracket holds a modifier."""
    while True:
        match = next((m for m in _NESTED.finditer(text) if not _modifies(m[0])), None)
        if match is None:
            return text
        text = f"{text[: match.start()]}{'_' * len(match[0])}{text[match.end() :]}"


def _modifies(group: str) -> bool:
    inner = group[1:-1].strip()
    return group[0] == "(" and any(pattern.match(inner) for pattern in (_OPTIONAL, _REQUIRED, _DEFAULT))


def _literal(text: str) -> Any:
    """A default as it is written: a Python or JSON literal, or else a text."""
    text = text.strip().rstrip(".").strip()
    text = text[:-1].strip() if text.endswith(")") and text.count(")") > text.count("(") else text
    words = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
    return value if isinstance(value, str | int | float | bool | list | dict) else text


def _parsed(text: str) -> ast.expr:
    """The syntax tree of a type, spelled as an annotation."""
    try:
        return ast.parse(text, mode="eval").body if not _CALLED.fullmatch(text) else _respelled(text)
    except (SyntaxError, ValueError):
        return _respelled(text)


def _respelled(text: str) -> ast.expr:
    if len(text) > 1000:
        raise _Unread
    if match := _ENUM.fullmatch(text):
        values = [value.strip().strip("'\"") for value in match[1].split(",")]
        return ast.parse(f"Literal[{', '.join(map(repr, values))}]", mode="eval").body
    spelled = _annotation(text)
    try:
        return ast.parse(spelled, mode="eval").body
    except SyntaxError:
        return ast.parse(_annotation(_NOTE.sub("", text)), mode="eval").body


def _annotation(text: str) -> str:
    """`list of int`, `string[]`, `array<string>`, `number or null` and the like as Python writes them."""
    text = _PLURAL.sub(r"\1", text.strip())
    if match := _OF.fullmatch(text):
        return f"{match[1]}[{_annotation(match[2])}]"
    if match := _CALLED.fullmatch(text):
        return f"{match[1]}[{_annotation(match[2])}]"
    if text.endswith("[]"):
        return f"list[{_annotation(text[:-2])}]"
    text = text.replace("<", "[").replace(">", "]")
    text = re.sub(r"\s*/\s*|\s+or\s+|\s*\|\s*", " | ", text, flags=re.IGNORECASE)
    words = text.split()
    if len(words) > 1 and words[-1].lower() in SCALARS and all(word.replace("-", "").isalpha() for word in words):
        return words[-1]  # `positive integer`, `unsigned int`
    return text


class _Reader:
    """Reads one annotation. Notes whether it admits None, and whether a part of it has no counterpart."""

    def __init__(self) -> None:
        self.null = False
        self.unread = False

    def read(self, node: ast.expr) -> dict[str, Any]:
        """The BFCL type of the outermost node."""
        members = _union(node)
        self.null = any(_is_none(member) for member in members)
        return self._one_of([member for member in members if not _is_none(member)])

    def _convert(self, node: ast.expr) -> dict[str, Any]:
        members = _union(node)
        if len(members) > 1 or members[0] is not node:
            inner = self._one_of([member for member in members if not _is_none(member)])
            return {**inner, "nullable": True} if any(map(_is_none, members)) else inner
        if isinstance(node, ast.Subscript):
            return self._generic(_name(node.value), _members(node))
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return {"type": "string", "enum": [node.value]}
        return self._plain(_name(node))

    def _plain(self, name: str) -> dict[str, Any]:
        """The BFCL type of a name without members."""
        if name in ARRAYS or name == "tuple":
            return {"type": "tuple" if name == "tuple" else "array", "items": {"type": "any"}}
        if name not in DICTS and name not in SCALARS:
            self.unread = True
        return {"type": "dict" if name in DICTS else SCALARS.get(name, "any")}

    def _generic(self, name: str, members: list[ast.expr]) -> dict[str, Any]:
        """The BFCL type of `name[members]`."""
        if name in ARRAYS or name == "tuple":
            inner = [member for member in members if not _is_ellipsis(member)]
            return {"type": "tuple" if name == "tuple" else "array", "items": self._one_of(inner)}
        if name in ("literal", "enum"):
            values = [_name(member) or ast.literal_eval(member) for member in members]
            kinds = [self._plain(type(value).__name__.lower()) for value in values]
            return {**_merged(kinds), "enum": values}
        return self._plain(name)

    def _one_of(self, members: list[ast.expr]) -> dict[str, Any]:
        return _merged([self._convert(member) for member in members])


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


def _union(node: ast.expr) -> list[ast.expr]:
    """The members of a union or an Optional; a node that is neither alone."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.Div):  # `float/int`
        return [*_union(node.left), *_union(node.right)]
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):  # `number or null`
        return [inner for member in node.values for inner in _union(member)]
    if isinstance(node, ast.Tuple):  # `string, null`; after another word it is a remark
        known = [item for item in node.elts if _is_none(item) or _name(item) in SCALARS]
        return known if len(known) == len(node.elts) else _union(node.elts[0])
    if isinstance(node, ast.Subscript) and (name := _name(node.value)) in ("optional", "union"):
        none = [ast.Constant(None)] if name == "optional" else []
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
