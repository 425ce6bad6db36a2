"""Text to calls, with Python's own parser and without evaluating anything.

The values are those that BFCL's decoder (`default_decode_ast_prompting`) reads. What that decoder accepts by guessing
is refused: positional arguments (it drops them), unquoted text (it quotes it), arithmetic (it runs `eval`), a list that
is never closed (it closes it).
"""

import ast
import json
import re
import warnings
from typing import Any

from funreason.calls.keywords import hide_keywords
from funreason.calls.text import MAX_DEPTH, Call, checked_number, checked_text
from funreason.core.errors import DataError

# Far above any answer (4,096 tokens have about 16,000), and few enough to parse in well under a second.
MAX_CHARACTERS = 100_000
_JSON_WORDS = {"true": True, "false": False, "null": None}
_NEWLINE = re.compile(r"\r\n|\r|\n")
_OUTER = "` \t\r\n"  # what BFCL's decoder strips too: models like to put code between backticks


class CallSyntaxError(DataError):
    """Text that is not a list of calls.

    Attributes:
        position: The offset in the text of the character at fault.
    """

    def __init__(self, message: str, position: int = 0):
        super().__init__(message)
        self.position = position


def parse(text: str) -> list[Call]:
    """The calls in `text`: `[f(a=1), g()]`, or the same without brackets, which BFCL's decoder accepts too.

    Tuples stay tuples; `true`, `false` and `null` are read as Python's `True`, `False` and `None`.

    Raises:
        CallSyntaxError: The text is not a list of calls whose arguments are keywords with literal values, or it is
            longer than `MAX_CHARACTERS` or nested deeper than `MAX_DEPTH`.
    """
    if len(text) > MAX_CHARACTERS:
        problem = f"{len(text)} characters, allowed are {MAX_CHARACTERS}: shorten the arguments"
        raise CallSyntaxError(problem, MAX_CHARACTERS)
    try:
        return _Reader(text).calls()
    except (RecursionError, MemoryError):
        raise CallSyntaxError("nested too deeply for Python's parser: flatten the arguments") from None


def canonical(text: str) -> str | None:
    """The calls in `text` as a text to compare, in which the order of arguments does not count; None if unreadable.

    It is a text because to Python's `==` True, 1 and 1.0 are equal.
    """
    try:
        return json.dumps([call.to_row() for call in parse(text)], sort_keys=True)
    except CallSyntaxError:
        return None


def exact_calls(text: str) -> list[str] | None:
    """The calls in `text` as texts to compare, in which neither the order of calls nor of arguments counts.

    Args:
        text: An answer without its reasoning.

    Returns:
        One JSON text per call, sorted; [] where the text is `[]`; None if it is not a list of calls.
    """
    try:
        return sorted(json.dumps(call.to_row(), sort_keys=True) for call in parse(text))
    except CallSyntaxError:
        return None


class _Reader:
    """Reads one text, and turns a node of its syntax tree back into a position in it.

    `body` is what Python parses: the text stripped and in brackets, `shift` its offset in the text, and `prefix` what
    `hide_keywords` put before keywords in it.
    """

    def __init__(self, text: str):
        self.text = text
        self.body = text.strip(_OUTER)
        self.shift = text.find(self.body)
        self.prefix = ""
        if not self.body.startswith("["):
            self.body, self.shift = f"[{self.body}]", self.shift - 1

    def calls(self) -> list[Call]:
        """The calls of the whole text."""
        tree = self._tree()
        if not isinstance(tree, ast.List):
            raise self._error("text around the list of calls: write only [f(a=1), g()]", tree)
        if not tree.elts and self.body != self.text.strip(_OUTER):
            raise self._error("empty: write [f(a=1), g()], or [] for no call", tree)
        return [self._call(node) for node in tree.elts]

    def _tree(self) -> ast.expr:
        """The body's syntax tree; a second try hides the keywords of Python that are used as names."""
        try:
            return _parse_expression(self.body)
        except SyntaxError as error:
            hidden = hide_keywords(self.body)
            if hidden is not None:
                try:
                    tree = _parse_expression(hidden[0])
                    self.body, self.prefix = hidden
                    return tree
                except (SyntaxError, ValueError):
                    pass
            at = self._offset(error.lineno or 1, max(0, (error.offset or 1) - 1))
            raise self._error(f"{error.msg.split('. ')[0]}: write [f(a=1, b='x'), g()]", at) from None
        except ValueError as error:  # a null byte, half a surrogate pair
            raise self._error(f"{error}: write plain text") from None

    def _call(self, node: ast.expr) -> Call:
        """One element of the list as a call."""
        if not isinstance(node, ast.Call):
            raise self._error(f"{self._shown(node)} is not a call: write f(a=1)", node)
        name = self._function(node.func)
        if node.args:
            problem = f"{name}: positional argument {self._shown(node.args[0])}: name its parameter"
            raise self._error(problem, node.args[0])
        arguments: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self._error(f"{name}: ** is not allowed: name each parameter", keyword.value)
            key = keyword.arg.removeprefix(self.prefix)
            if key in arguments:
                raise self._error(f"{name}: parameter {key!r} is given twice: give it once", keyword)
            arguments[key] = self._value(keyword.value)
        return Call(name, arguments)

    def _function(self, node: ast.expr) -> str:
        """The dotted name of the called function."""
        parts: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr.removeprefix(self.prefix))
            inner = inner.value
        if not isinstance(inner, ast.Name):
            raise self._error(f"{self._shown(node)} is not a function name: use names joined by dots", node)
        parts.append(inner.id.removeprefix(self.prefix))
        return ".".join(reversed(parts))

    def _value(self, node: ast.expr, depth: int = 0) -> Any:
        """The literal value of an argument."""
        if isinstance(node, ast.Constant):
            return self._constant(node.value, node)
        if depth == MAX_DEPTH and isinstance(node, (ast.List, ast.Dict, ast.Tuple)):
            raise self._error(f"nested deeper than the {MAX_DEPTH} levels allowed: flatten it", node)
        if isinstance(node, ast.List):
            return [self._value(item, depth + 1) for item in node.elts]
        if isinstance(node, ast.Dict):
            return self._dict(node, depth)
        if isinstance(node, ast.Tuple):
            return tuple([self._value(item, depth + 1) for item in node.elts])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            number = node.operand.value if isinstance(node.operand, ast.Constant) else None
            if type(number) is int or type(number) is float:
                number = self._constant(number, node)
                return -number if isinstance(node.op, ast.USub) else number
        if isinstance(node, ast.Name) and node.id in _JSON_WORDS:
            return _JSON_WORDS[node.id]
        remedy = "quote text" if isinstance(node, (ast.Name, ast.Attribute)) else "write out its value"
        raise self._error(f"{self._shown(node)} is not a literal: {remedy}", node)

    def _constant(self, value: Any, node: ast.expr) -> Any:
        """A constant that is a JSON value."""
        try:
            if type(value) is str:
                return checked_text(value)
            if type(value) is int or type(value) is float:
                return checked_number(value)
        except DataError as error:
            raise self._error(str(error), node) from None
        if value is None or type(value) is bool:
            return value
        raise self._error(f"{self._shown(node)} is not a JSON value: use text, numbers, lists, dicts", node)

    def _dict(self, node: ast.Dict, depth: int) -> dict[str, Any]:
        """A dict, whose keys are distinct texts as in JSON."""
        out: dict[str, Any] = {}
        for key_node, value in zip(node.keys, node.values, strict=True):
            if not (isinstance(key_node, ast.Constant) and isinstance(key_node.value, str)):
                raise self._error(f"dict key {self._shown(key_node)} is not a text: quote it", key_node or node)
            key = self._constant(key_node.value, key_node)
            if key in out:
                raise self._error(f"dict key {key!r} is given twice: give it once", key_node)
            out[key] = self._value(value, depth + 1)
        return out

    def _shown(self, node: ast.expr | None) -> str:
        """The source of a node, shortened."""
        source = "**" if node is None else ast.get_source_segment(self.body, node) or type(node).__name__
        source = source.replace(self.prefix, "") if self.prefix else source
        return source if len(source) <= 60 else source[:59] + "…"

    def _error(self, problem: str, where: ast.expr | ast.keyword | int = 0) -> CallSyntaxError:
        """The error at a node, or at an offset in the body."""
        if not isinstance(where, int):
            line = _NEWLINE.split(self.body)[where.lineno - 1]
            column = len(line.encode(errors="surrogatepass")[: where.col_offset].decode())
            where = self._offset(where.lineno, column)
        hidden = self.body[:where].count(self.prefix) * len(self.prefix) if self.prefix else 0
        position = min(max(0, where + self.shift - hidden), len(self.text))
        near = self.text[max(0, position - 20) : position + 20]
        return CallSyntaxError(f"{problem} (at character {position}, near {near!r})", position)

    def _offset(self, lineno: int, column: int) -> int:
        """The offset in the body of a line (from 1) and a column (from 0, in characters)."""
        starts = [0, *(mark.end() for mark in _NEWLINE.finditer(self.body))]
        return min(starts[min(lineno, len(starts)) - 1] + column, len(self.body))


def _parse_expression(source: str) -> ast.expr:
    """The tree of one expression, quiet about escapes such as `'\\d'` that Python keeps as they are."""
    if "\\" not in source:
        return ast.parse(source, mode="eval").body
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source, mode="eval").body
