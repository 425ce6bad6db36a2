"""Put a program together from the pieces of an answer. Python's parser and symbol tables only: nothing here runs it.

Pieces are read as the cells of a notebook: the last complete definition of a name counts. The program is the piece
with the last complete definition of the function, without what only shows its use, and with the definitions of other
pieces that it needs.
"""

import ast
import builtins
import symtable
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from funreason.evaluate.code_pieces import Piece

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_KNOWN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}


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
        return isinstance(self.node, _DEFINITIONS) and self.node.name == name and self.whole and not is_stub(self.node)


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


def holder(pieces: Sequence[Piece], name: str) -> int | None:
    """The number of the piece with the last complete definition of a function or class, None where there is none."""
    numbers = reversed(range(len(pieces)))
    return next((n for n in numbers if _definition(statements(pieces[n]), name) is not None), None)


def program(pieces: Sequence[Piece], prompt: str, name: str) -> str:
    """The program that defines a function or class.

    Args:
        pieces: of the answer, in order.
        prompt: what stands before the program.
        name: of the function or class.

    Returns:
        The text; empty where no piece holds a complete definition.
    """
    number = holder(pieces, name)
    if number is None:
        return ""
    cells = [statements(piece) for piece in pieces]
    at = _definition(cells[number], name) or 0
    kept = _without_use(cells[number], at, name)
    before, after = supplements(cells[:number], cells[number + 1 :], kept, prompt, name)
    return joined([*before, *kept, *after])


def _definition(cell: Sequence[Statement], name: str) -> int | None:
    """Where the last complete definition of the function is: a `def` or, where there is none, another binding of it."""
    bound = [
        number for number, statement in enumerate(cell)
        if statement.whole and name in statement.binds and not isinstance(statement.node, _DEFINITIONS)
        and not _uses(statement.node, name)
    ]  # fmt: skip
    defined = [number for number, statement in enumerate(cell) if statement.defines(name)]
    return next(reversed(defined or bound), None)


def _uses(node: ast.AST, name: str) -> bool:
    """Whether a statement itself uses a name (`f = f(2)`), not only a function in it (`f = lambda n: f(n - 1)`)."""
    if isinstance(node, (*_DEFINITIONS, ast.Lambda)):
        return False
    mine = isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    return mine or any(_uses(part, name) for part in ast.iter_child_nodes(node))


def _without_use(cell: Sequence[Statement], at: int, name: str) -> list[Statement]:
    """A cell without tests and examples; behind the function, only what it needs is kept."""
    setup = [s for s in cell[:at] if not _shows_use(s.node) and (name not in s.binds or s.defines(name))]
    kept, later = [*setup, cell[at]], list(cell[at + 1 :])
    needed = needs(kept)
    while wanted := [s for s in later if _adds(s, needed, name)]:
        later = [s for s in later if s not in wanted]
        needed |= needs(wanted)
        kept += wanted
    order = {id(statement): number for number, statement in enumerate(cell)}
    return sorted(kept, key=lambda statement: order[id(statement)])


def _adds(statement: Statement, needed: frozenset[str], name: str) -> bool:
    """Whether a statement behind the function defines what is needed, or wraps the function (`f = cache(f)`)."""
    node = statement.node
    if isinstance(node, ast.Assign) and statement.binds == {name} and isinstance(node.value, ast.Call):
        return any(isinstance(part, ast.Name) and part.id == name for part in node.value.args)
    return statement.whole and name not in statement.binds and bool(statement.binds & needed)


def needs(kept: Iterable[Statement]) -> frozenset[str]:
    """Global names that the statements use."""
    return frozenset().union(*(statement.needs for statement in kept))


def supplements(
    earlier: Sequence[Sequence[Statement]], later: Sequence[Sequence[Statement]], kept: Sequence[Statement],
    prompt: str, name: str,
) -> tuple[list[Statement], list[Statement]]:  # fmt: skip
    """What other cells give to a program.

    Args:
        earlier: the cells before the program's.
        later: the cells behind it.
        kept: the program so far.
        prompt: what stands before the program.
        name: of the function, which is never replaced.

    Returns:
        (definitions to put before the program, since it needs them; later definitions, which replace some of its own).
    """
    order = [s for cell in (*earlier, *later) for s in cell if s.whole and not _shows_use(s.node)]
    known = _KNOWN | names_of(prompt + "\n    pass\n")[0] | names_of(prompt)[0]
    mine = frozenset().union(*(s.binds for s in kept))
    replaced = _last(
        [s for cell in later for s in cell if isinstance(s.node, _DEFINITIONS)], needs(kept) & mine - {name}
    )
    added: list[Statement] = []
    while missing := needs([*kept, *replaced, *added]) - mine - known - {n for s in added for n in s.binds} - {name}:
        more = _last(order, missing)
        if not more:
            break
        added += more
    if missing:  # `from math import *` may hold it
        added += [s for s in order if isinstance(s.node, ast.ImportFrom) and s.node.names[0].name == "*"]
    return sorted(added, key=order.index), replaced


def _last(order: Sequence[Statement], names: frozenset[str]) -> list[Statement]:
    """The last definition of each name, of a function or class before a value; in order."""
    chosen = []
    for name in sorted(names):
        binding = [
            s for s in order if name in s.binds and not (isinstance(s.node, _DEFINITIONS) and not s.defines(name))
        ]
        strong = [s for s in binding if isinstance(s.node, (*_DEFINITIONS, *_IMPORTS))]
        chosen += (strong or binding)[-1:]
    return sorted(dict.fromkeys(chosen), key=order.index)


def undefined(code: str, prompt: str) -> bool:
    """Whether code that continues a prompt uses a global name that nothing defines, or that an `import *` may hold."""
    binds, used = names_of(prompt + code)
    return bool(used - binds - _KNOWN)


def supplemented(code: str, pieces: Sequence[Piece], prompt: str) -> str:
    """Code that continues a prompt, and behind it the definitions that it needs and the prompt does not have.

    Args:
        code: the body of the function that the prompt begins.
        pieces: of the answer, in order.
        prompt: the begun function.

    Returns:
        The text that continues the prompt.
    """
    begun = Statement(prompt + code, ast.Pass())
    added, _ = supplements([statements(piece) for piece in pieces], [], [begun], "", "")
    return code + ("\n\n" + joined(added) if added else "")


def joined(kept: Sequence[Statement]) -> str:
    """The text of statements; without `from __future__`, which is allowed only in the first line of a file."""
    future = [s for s in kept if isinstance(s.node, ast.ImportFrom) and s.node.module == "__future__"]
    return "\n".join(s.source for s in kept if s not in future).strip("\n") + "\n"


def _shows_use(node: ast.stmt) -> bool:
    """Whether a statement is an example, a test or a word that happens to parse, and gives nothing to the program."""
    if isinstance(node, ast.Expr):  # `sys.setrecursionlimit(10_000)` counts, `print(f(2))` does not
        return not (isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute))
    if isinstance(node, ast.If):
        return any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))
    return isinstance(node, ast.Assert) or (isinstance(node, ast.AnnAssign) and node.value is None)


def is_stub(node: ast.stmt) -> bool:
    """Whether a definition has nothing but a docstring, `pass`, `...` or `raise NotImplementedError`."""
    return all(_is_nothing(part) for part in getattr(node, "body", []))


def _is_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise):
        return "NotImplementedError" in ast.dump(node)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
