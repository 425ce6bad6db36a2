"""Calls as text and back: `[f(a=1, b='x'), g()]`. Reads with `ast` and never evaluates."""

import ast
import math
from dataclasses import dataclass, field

from funreason.errors import DataError


class CallSyntaxError(DataError):
    """Text that is no list of calls; `position` is the offset of the character at fault."""

    def __init__(self, problem: str, text: str = "", position: int = 0):
        near = text[max(0, position - 20) : position + 20]
        super().__init__(f"{problem} at character {position}, near {near!r}")
        self.position = position


@dataclass(frozen=True, slots=True)
class Call:
    """One function call: a (dotted) function name and its keyword arguments."""

    name: str
    arguments: dict = field(default_factory=dict)

    def to_row(self) -> dict:
        """The call in xLAM's form."""
        return {"name": self.name, "arguments": self.arguments}


def render(calls: list) -> str:
    """The text of calls, each a `Call` or `{"name", "arguments"}`, with Python literals as values."""
    return "[" + ", ".join(map(_render_call, calls)) + "]"


def _render_call(call: "Call | dict") -> str:
    name, arguments = (
        (call.name, call.arguments) if isinstance(call, Call) else (call["name"], call["arguments"])
    )
    return f"{name}({', '.join(f'{key}={_literal(value)}' for key, value in arguments.items())})"


def _literal(value) -> str:
    """`repr` of a JSON value."""
    if isinstance(value, float) and not math.isfinite(value):
        raise DataError(f"{value!r} cannot be written as a literal; allowed are finite numbers")
    return repr(value)


def parse(text: str) -> list[Call]:
    """The calls that `text` holds. Raises `CallSyntaxError`."""
    body = text.strip("`\n ")
    if not body.startswith("["):
        body = f"[{body}]"
    try:
        tree = ast.parse(body, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CallSyntaxError(str(error), text, getattr(error, "offset", 0) or 0) from None
    if not isinstance(tree, ast.List):
        raise CallSyntaxError("not a list of calls", text)
    return [_call(node, text) for node in tree.elts]


def _call(node, text: str) -> Call:
    if not isinstance(node, ast.Call) or node.args:
        raise CallSyntaxError("not a call with keyword arguments", text, node.col_offset)
    return Call(ast.unparse(node.func), {k.arg: _value(k.value, text) for k in node.keywords})


def _value(node, text: str):
    if isinstance(node, ast.Name) and node.id in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[node.id]
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise CallSyntaxError("not a literal value", text, node.col_offset) from None
