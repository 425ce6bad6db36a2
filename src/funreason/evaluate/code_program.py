"""Put a program together from the pieces of an answer. Parsing only: nothing here runs it.

Pieces are read as the cells of a notebook: the last complete definition of a name counts. The program is the piece
with the last complete definition of the function, without what only shows its use, and with the definitions of other
pieces that it needs.
"""

import ast
import builtins
from collections.abc import Iterable, Sequence

from funreason.evaluate.code_pieces import Piece
from funreason.evaluate.code_statements import DEFINITIONS, Statement, is_idle, names_of, shows_use, statements, uses

_IMPORTS = (ast.Import, ast.ImportFrom)
_KNOWN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}


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
        if statement.whole and name in statement.binds and not isinstance(statement.node, DEFINITIONS)
        and not uses(statement.node, name)
    ]  # fmt: skip
    defined = [number for number, statement in enumerate(cell) if statement.defines(name)]
    return next(reversed(defined or bound), None)


def _without_use(cell: Sequence[Statement], at: int, name: str) -> list[Statement]:
    """A cell without tests and examples; behind the function, only what it needs is kept."""
    setup = [s for s in cell[:at] if not shows_use(s.node) and (name not in s.binds or s.defines(name))]
    kept, later = [*setup, cell[at]], list(cell[at + 1 :])
    needed = needs(kept)
    while wanted := [s for s in later if _adds(s, needed, name)]:
        later = [s for s in later if s not in wanted]
        needed |= needs(wanted)
        kept += wanted
    kept = [s for s in kept if not is_idle(s, needs(other for other in kept if other is not s) | {name})]
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
    order = [s for cell in (*earlier, *later) for s in cell if s.whole and not shows_use(s.node)]
    known = _KNOWN | names_of(prompt + "\n    pass\n")[0] | names_of(prompt)[0]
    mine = frozenset().union(*(s.binds for s in kept))
    replaced = _last(
        [s for cell in later for s in cell if isinstance(s.node, DEFINITIONS)], needs(kept) & mine - {name}
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
            s for s in order if name in s.binds and not (isinstance(s.node, DEFINITIONS) and not s.defines(name))
        ]
        strong = [s for s in binding if isinstance(s.node, (*DEFINITIONS, *_IMPORTS))]
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
