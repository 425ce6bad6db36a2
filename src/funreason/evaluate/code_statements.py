"""The statements of a piece of code: what they define, what they need, and which ones only show a use.

Python's parser and symbol tables only: nothing here runs the code.
"""

import ast
import symtable
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from funreason.evaluate.code_pieces import Piece

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)


@dataclass(frozen=True)
class Statement:
    """A statement at the top level, with the comments in front of it.

    Attributes:
        source: its text.
        node: its syntax tree.
        whole: whether it is complete.
    """

    source: str
    node: ast.stmt = field(compare=False)
    whole: bool = True

    @cached_property
    def _names(self) -> tuple[frozenset[str], frozenset[str]]:
        return names_of(self.source)

    @property
    def binds(self) -> frozenset[str]:
        """Names that it defines."""
        return self._names[0]

    @property
    def needs(self) -> frozenset[str]:
        """Global names that it or a function in it uses."""
        return self._names[1]

    def defines(self, name: str) -> bool:
        """Whether it is a complete definition of a function or class of that name."""
        named = isinstance(self.node, DEFINITIONS) and self.node.name == name and self.whole
        return named and (isinstance(self.node, ast.ClassDef) or not is_stub(self.node))


def names_of(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """(names that a text defines at its top level, global names that it uses); none where it does not compile."""
    try:
        top = symtable.symtable(source, "answer", "exec")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return frozenset(), frozenset()
    binds = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    return frozenset(binds), frozenset(_used(top))


def _used(table: symtable.SymbolTable) -> Iterable[str]:
    inner = table.get_type() != "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (symbol.is_global() or not inner):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _used(child)


def statements(piece: Piece) -> list[Statement]:
    """The statements of a piece in order; those that share a line count as one."""
    lines, at, out = piece.code.split("\n"), 0, []
    body = ast.parse(piece.code).body
    for number, node in enumerate(body):
        last = number + 1 == len(body)
        end = node.end_lineno or node.lineno
        if not last and body[number + 1].lineno == end:
            continue
        out.append(Statement("\n".join(lines[at:end]), node, piece.whole or not last))
        at = end
    return out


def uses(node: ast.AST, name: str) -> bool:
    """Whether a statement itself uses a name (`f = f(2)`), not only a function in it (`f = lambda n: f(n - 1)`)."""
    if isinstance(node, (*DEFINITIONS, ast.Lambda)):
        return False
    mine = isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    return mine or any(uses(part, name) for part in ast.iter_child_nodes(node))


def shows_use(node: ast.stmt) -> bool:
    """Whether a statement is an example, a test or a word that happens to parse, and gives nothing to the program."""
    if isinstance(node, ast.Expr):  # `sys.setrecursionlimit(10_000)` counts, `print(f(2))` does not
        return not (isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute))
    if isinstance(node, ast.If):
        return any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))
    return isinstance(node, ast.Assert) or (isinstance(node, ast.AnnAssign) and node.value is None)


def is_idle(statement: Statement, needed: frozenset[str]) -> bool:
    """Whether a statement computes a value that nothing needs: `n = int(input())` waits for an input."""
    computes = isinstance(statement.node, _ASSIGNMENTS) and any(
        isinstance(n, ast.Call) for n in ast.walk(statement.node)
    )
    return computes and not statement.binds & needed


def is_stub(node: ast.stmt) -> bool:
    """Whether a definition has nothing but a docstring, `pass`, `...` or `raise NotImplementedError`."""
    return all(_is_nothing(part) for part in getattr(node, "body", []))


def _is_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise):
        return "NotImplementedError" in ast.dump(node)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
