"""The body of the function alone: an answer that goes on where the prompt ends. Parsing only: nothing here runs it."""

import ast
import re
import textwrap
from collections.abc import Sequence

from funreason.evaluate.code_pieces import Syntax, unfenced

MAX_BODIES = 20  # tried in one answer
_HEADER = "def begun():\n"
_HEADED = re.compile(r"(?:async def|def|class)\b")
_NOTHING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Pass)


def continuation(text: str, prompt: str, syntax: Syntax) -> str:
    """The body at the beginning of a text.

    Args:
        text: the answer.
        prompt: the begun function.
        syntax: parses it.

    Returns:
        The indented lines at its beginning; empty where they are not a body that returns something.
    """
    text = text.lstrip("\n")
    body = _kept(_indented(text), prompt, syntax) if text[:1] in (" ", "\t") else ""
    return body if _returns(body) else ""


def best_body(blocks: Sequence[str], text: str, prompt: str, syntax: Syntax) -> str:
    """The body in an answer without the whole function.

    Args:
        blocks: its fenced blocks.
        text: the answer.
        prompt: the begun function.
        syntax: parses it.

    Returns:
        The last body in a block that returns something, else the first one in the text, else the longest; with
        corrected indentation.
    """
    bare = unfenced(text)
    texts = [code for code in (*reversed(blocks), bare, *_chunks(bare)) if code.strip()]
    candidates = [_body(code, prompt, syntax) for code in texts[:MAX_BODIES]]
    full = next((body for body in candidates if _returns(body)), None)
    return full or max((body for body in candidates if _does(body)), key=lambda body: body.count("\n"), default="")


def _body(code: str, prompt: str, syntax: Syntax) -> str:
    """The body with corrected indentation: of three readings the one that keeps most lines."""
    code = code.strip("\n")
    readings = (code, "    " + code.lstrip(), textwrap.indent(textwrap.dedent(code), "    "))
    bodies = [_kept(_indented(reading), prompt, syntax) for reading in readings]
    return max(bodies, key=lambda body: (_returns(body), body.count("\n")))


def _kept(code: str, prompt: str, syntax: Syntax) -> str:
    lines = code.split("\n")
    kept = "\n".join(lines[: syntax.longest(lines, prompt)]).rstrip()
    return kept + "\n" if kept.strip() else ""


def _indented(code: str) -> str:
    """The lines before the first one that is not indented, since that one no longer belongs to the function."""
    lines = code.split("\n")
    end = next((n for n, line in enumerate(lines) if line.strip() and line[0] not in " \t"), len(lines))
    return "\n".join(lines[:end])


def _chunks(text: str) -> list[str]:
    """The indented parts of a text with prose around them, but not those of other functions and classes."""
    chunks: list[list[str]] = [[]]
    other = False
    for line in text.split("\n"):
        if line.strip() and line[0] not in " \t":
            other = bool(_HEADED.match(line))
            chunks.append([])
        elif not other:
            chunks[-1].append(line)
    return ["\n".join(chunk) for chunk in chunks if any(map(str.strip, chunk))]


def _statements(body: str) -> list[ast.stmt]:
    """The statements of a body and of its branches and loops, not of functions in it."""
    try:
        todo: list[ast.AST] = list(ast.parse(_HEADER + body).body)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return []
    inner = [part for node in todo for part in getattr(node, "body", [])]
    out: list[ast.stmt] = []
    while inner:
        node = inner.pop()
        if isinstance(node, ast.stmt):
            out.append(node)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            inner += list(ast.iter_child_nodes(node))
    return out


def _returns(body: str) -> bool:
    """Whether a body returns, yields or raises something of its own."""
    nodes = _statements(body)
    yields = any(isinstance(n, ast.Expr) and isinstance(n.value, (ast.Yield, ast.YieldFrom)) for n in nodes)
    return yields or any(isinstance(node, ast.Return) and node.value is not None for node in nodes)


def _does(body: str) -> bool:
    """Whether a body does anything: prose of one word parses, too."""
    nodes = [node for node in _statements(body) if not isinstance(node, _NOTHING)]
    return any(not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call) for node in nodes)
