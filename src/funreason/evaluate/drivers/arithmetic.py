"""Arithmetic over literals, computed: BFCL's decoder calls eval() on it, which would run any text of a model."""

import ast
import builtins
import operator
import re
from collections.abc import Container

MAX_BITS = 1 << 14  # of an integer
MAX_ITEMS = 1 << 16  # of a string or list
_BINARY = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.LShift: operator.lshift,
    ast.RShift: operator.rshift, ast.BitOr: operator.or_, ast.BitXor: operator.xor, ast.BitAnd: operator.and_,
    ast.MatMult: operator.matmul,
}  # fmt: skip
_UNARY = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert, ast.Not: operator.not_}
_NODES = (ast.Expression, ast.Constant, ast.BinOp, ast.UnaryOp, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.operator,
          ast.unaryop, ast.expr_context, ast.Name)  # fmt: skip


class NotArithmetic(Exception):
    """The text is more than arithmetic over literals of moderate size: it is not computed."""


def compute(source: str, known: Container[str] = ()) -> object:
    """`eval(source)` of arithmetic over literals.

    Args:
        source: an expression.
        known: names that mean something where eval would run, besides the built-in ones.

    Returns:
        Its value.

    Raises:
        ValueError: where eval raises, too, as for a name that means nothing.
        NotArithmetic: for calls, attributes and the like, and for values that would be too large.
    """
    try:
        tree = ast.parse(source.lstrip(" \t"), mode="eval")
        nodes = list(ast.walk(tree))
    except (SyntaxError, ValueError):
        raise ValueError(f"cannot evaluate {source[:80]!r}") from None
    except (MemoryError, RecursionError):
        raise NotArithmetic from None
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    if not all(isinstance(node, _NODES) for node in nodes) or any(
        name in known or hasattr(builtins, name) for name in names
    ):
        raise NotArithmetic
    try:
        if names:
            raise NameError
        return _value(tree.body)
    except (ArithmeticError, TypeError, ValueError, NameError):
        raise ValueError(f"cannot evaluate {source[:80]!r}") from None
    except (MemoryError, RecursionError):
        raise NotArithmetic from None


def _value(node: ast.expr) -> object:
    match node:
        case ast.Constant():
            return node.value
        case ast.UnaryOp():
            return _UNARY[type(node.op)](_value(node.operand))
        case ast.BinOp():
            left, right = _value(node.left), _value(node.right)
            _require_moderate(node.op, left, right)
            return _BINARY[type(node.op)](left, right)
        case ast.Dict():
            return {_value(key): _value(value) for key, value in zip(node.keys, node.values, strict=True)}
        case ast.List() | ast.Tuple() | ast.Set():
            kind = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
            return kind([_value(part) for part in node.elts])
    raise NotArithmetic


def _require_moderate(op: ast.operator, left: object, right: object) -> None:
    """Raise NotArithmetic where the result could be large."""
    match op, left, right:
        case ast.Pow(), int(), int():
            large = abs(left) > 1 and right * left.bit_length() > MAX_BITS
        case ast.LShift(), int(), int():
            large = left.bit_length() + right > MAX_BITS
        case ast.Mult(), int(), int():
            large = left.bit_length() + right.bit_length() > MAX_BITS
        case ast.Mult(), int() as times, part:
            large = hasattr(part, "__len__") and len(part) * times > MAX_ITEMS
        case ast.Mult(), part, int() as times:
            large = hasattr(part, "__len__") and len(part) * times > MAX_ITEMS
        case ast.Mod(), str() | bytes() as text, _:  # a width can be a number of any size, or come from the right side
            large = bool(re.search(r"\d{4}|\*", text if isinstance(text, str) else text.decode("latin-1")))
        case _:
            large = False
    if large:
        raise NotArithmetic
