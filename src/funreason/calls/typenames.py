"""xLAM's type names, which are Python annotations (`List[int]`, `str, optional`), as BFCL types."""

import ast
import re
from typing import Any

SCALARS = {
    "str": "string",
    "string": "string",
    "int": "integer",
    "integer": "integer",
    "float": "float",
    "number": "float",
    "double": "float",
    "bool": "boolean",
    "boolean": "boolean",
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
ARRAYS = {"list", "array", "set", "frozenset", "sequence", "iterable", "ndarray"}
DICTS = {"dict", "object", "mapping", "defaultdict", "ordereddict"}
_OPTIONAL = re.compile(r"[,;]?\s*\(?\s*\boptional\b(?!\s*\[).*$", re.IGNORECASE | re.DOTALL)


def read_type(name: object) -> tuple[dict[str, Any], bool]:
    """Read the type name of a parameter in xLAM's form.

    Args:
        name: The text under `type`. A name without a counterpart in BFCL (`Callable[…]`, a class, a mixed union, no
            annotation at all) is `any`.

    Returns:
        The BFCL type `{"type", "items"?, "enum"?}`, and whether the name says that the parameter is optional.
    """
    if not isinstance(name, str):
        return {"type": "any"}, False
    bare = _OPTIONAL.sub("", name).strip()
    try:
        node = ast.parse(bare, mode="eval").body
        return _convert(node), bare != name.strip() or _admits_none(node)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {"type": "any"}, bare != name.strip()


def _admits_none(node: ast.expr) -> bool:
    """Whether the outermost type is `Optional[…]` or a union with None."""
    if isinstance(node, ast.BinOp):
        return any(_is_none(side) or _admits_none(side) for side in (node.left, node.right))
    if not isinstance(node, ast.Subscript):
        return False
    return _name(node.value) == "optional" or (
        _name(node.value) == "union" and any(_is_none(member) for member in _members(node))
    )


def _convert(node: ast.expr) -> dict[str, Any]:
    """The BFCL type of one annotation node."""
    if isinstance(node, ast.Subscript):
        return _generic(_name(node.value), _members(node))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _one_of([_convert(side) for side in (node.left, node.right) if not _is_none(side)])
    return _plain(_name(node))


def _members(node: ast.Subscript) -> list[ast.expr]:
    """The parts between the brackets."""
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def _name(node: ast.expr) -> str:
    """The last part of a dotted name in lower case; an empty text where the node is not a name."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name.lower()


def _plain(name: str) -> dict[str, Any]:
    """The BFCL type of a name without members."""
    if name in ARRAYS or name == "tuple":
        return {"type": "tuple" if name == "tuple" else "array", "items": {"type": "any"}}
    return {"type": "dict" if name in DICTS else SCALARS.get(name, "any")}


def _generic(name: str, members: list[ast.expr]) -> dict[str, Any]:
    """The BFCL type of `name[members]`."""
    if name in ("optional", "union"):
        return _one_of([_convert(member) for member in members if not _is_none(member)])
    if name in ARRAYS or name == "tuple":
        inner = [_convert(member) for member in members if not _is_ellipsis(member)]
        return {"type": "tuple" if name == "tuple" else "array", "items": _one_of(inner)}
    if name == "literal":
        values = [ast.literal_eval(member) for member in members]
        return {**_one_of([_plain(type(value).__name__) for value in values]), "enum": values}
    return _plain(name)


def _one_of(types: list[dict[str, Any]]) -> dict[str, Any]:
    """The one BFCL type that covers all of `types`: equal ones stay, integer and float make float, else `any`."""
    if types and all(one == types[0] for one in types):
        return types[0]
    if types and all(one in ({"type": "integer"}, {"type": "float"}) for one in types):
        return {"type": "float"}
    return {"type": "any"}


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis
