"""Find the Python in a model's answer to a HumanEval prompt, parsing only: nothing here runs it.

What comes out continues the prompt (imports, signature, docstring), as HumanEval's own tests expect. Whole
functions and bare bodies are both fine, in a fence or not, with talk around them or not.
"""

import ast
import re
import textwrap

from funreason.evaluate.answers import without_reasoning

MAX_CHARS = 20_000  # far beyond any solution; keeps the search below linear in practice

_FENCE = re.compile(r"^[ \t]*```[^\n`]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
_TOP_LEVEL = re.compile(r"^(?:from |import |def |async def |class |@|[A-Za-z_]\w* *[:=])", re.MULTILINE)


def completion(answer: str, prompt: str, entry_point: str) -> str:
    """The text to run after `prompt`; empty if the answer holds no code that goes on from it."""
    code = _block(without_reasoning(answer)[:MAX_CHARS], entry_point)
    if _defines(code, entry_point):
        return _function(textwrap.dedent(code), prompt, entry_point)
    return _body(code, prompt)


def _defines(code: str, entry_point: str) -> bool:
    return re.search(rf"^[ \t]*(?:async )?def {re.escape(entry_point)}\b", code, re.MULTILINE) is not None


def _block(text: str, entry_point: str) -> str:
    """The fenced block that defines the function, else the first block, else all of it."""
    blocks = _FENCE.findall(text)
    return next((block for block in blocks if _defines(block, entry_point)), blocks[0] if blocks else text)


def _function(code: str, prompt: str, entry_point: str) -> str:
    """The whole function after the prompt, whose own begun one it replaces."""
    start = _TOP_LEVEL.search(code)
    begun = "\n" if _parses(prompt) else "\n    pass\n"
    lead = f"{begun}\n\n"
    kept = _longest(code[start.start() :] if start else "", prompt + lead)
    return lead + kept if _defines(kept, entry_point) else ""


def _body(code: str, prompt: str) -> str:
    """The body with the indentation it should have had: of all readings the one that keeps most lines."""
    code = code.strip("\n")
    readings = (code, "    " + code.lstrip(), textwrap.indent(textwrap.dedent(code), "    "))
    bodies = [_longest(_indented(reading), prompt) for reading in readings]
    return max(bodies, key=lambda body: body.count("\n"))


def _indented(code: str) -> str:
    """The lines up to the first that is not indented: what follows no longer belongs to the function."""
    lines = code.splitlines(keepends=True)
    end = next((n for n, line in enumerate(lines) if line.strip() and line[0] not in " \t"), len(lines))
    return "".join(lines[:end])


def _longest(code: str, before: str) -> str:
    """The longest run of first lines of `code` that parses after `before`: talk behind it falls away."""
    lines, offset = code.splitlines(keepends=True), before.count("\n")
    keep = len(lines)
    while keep > 0:
        kept = "".join(lines[:keep])
        try:
            ast.parse(before + kept)
            return kept.rstrip() + "\n" if kept.strip() else ""
        except SyntaxError as error:
            # All that holds the line of the error has the error: no need to try.
            keep = min(keep - 1, max((error.lineno or 1) - offset - 1, 0))
        except (ValueError, MemoryError, RecursionError):  # a null byte; nesting without end
            return ""
    return ""


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
