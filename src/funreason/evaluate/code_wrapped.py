"""Solutions that are wrapped in a class or in another function, as interview sites ask for them. Parsing only."""

import ast
from collections.abc import Sequence

from funreason.evaluate.code_pieces import Piece, undent
from funreason.evaluate.code_program import program
from funreason.evaluate.code_statements import is_stub, statements

_CALLER = "\n\ndef {name}(*args, **kwargs):\n    return {owner}.{name}(*args, **kwargs)\n"
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def unwrapped(pieces: Sequence[Piece], prompt: str, name: str) -> str:
    """The program that defines a function which an answer defines as a method or inside another function.

    Args:
        pieces: of the answer, in order.
        prompt: what stands before the program.
        name: of the function.

    Returns:
        The text; empty where no piece holds such a definition.
    """
    for piece in reversed(pieces):
        for statement in reversed(statements(piece)):
            parent, inner = _inner(statement.node, name) if statement.whole else (None, None)
            if isinstance(parent, ast.ClassDef) and inner and parent is statement.node:
                caller = _CALLER.format(name=name, owner=_owner(parent, inner))
                return program(pieces, prompt, parent.name).rstrip("\n") + caller
            if parent and inner:
                return program([*pieces, _contents(parent, piece)], prompt, name)
    return ""


def _inner(node: ast.stmt, name: str) -> tuple[ast.AST, _Function] | tuple[None, None]:
    """The last complete definition of the function inside a statement, and what holds it."""
    held = [
        (parent, part) for parent in ast.walk(node) if isinstance(parent, ast.stmt)
        for part in getattr(parent, "body", [])
        if isinstance(part, _FUNCTIONS) and part.name == name and not is_stub(part)
    ]  # fmt: skip
    return held[-1] if held else (None, None)


def _contents(parent: ast.AST, piece: Piece) -> Piece:
    """The statements that a function, or a branch such as `if __name__ == "__main__"`, holds."""
    body = parent.body  # type: ignore[attr-defined]
    first = min([body[0].lineno, *(part.lineno for part in getattr(body[0], "decorator_list", []))])
    return Piece("\n".join(undent(piece.code.split("\n")[first - 1 : body[-1].end_lineno])) + "\n")


def _owner(node: ast.ClassDef, method: _Function) -> str:
    """What the method is called on: an instance, or the class where it takes none."""
    first = (*method.args.posonlyargs, *method.args.args)[:1]
    static = any(isinstance(part, ast.Name) and part.id == "staticmethod" for part in method.decorator_list)
    return f"{node.name}()" if first and first[0].arg in ("self", "cls") and not static else node.name
