"""Find the Python in a model's answer to a HumanEval prompt, parsing only: nothing here runs it.

The result continues the prompt (imports, signature, docstring), as HumanEval's own tests expect. An answer may hold the
whole function or its body alone, in a fence or not, with prose around it or not.
"""

import ast
import re
import textwrap

from funreason.evaluate.answers import without_reasoning

MAX_CHARS = 20_000  # far beyond any solution
MAX_PARSES = 50  # of one text; prose behind code takes one or two, only a degenerate answer takes one per line

_FENCE = re.compile(r"^[ \t]*```[^\n`]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
_TOP_LEVEL = re.compile(r"^(?:from |import |def |async def |class |@|[A-Za-z_]\w* *[:=])", re.MULTILINE)


def completion(answer: str, prompt: str, entry_point: str) -> str:
    """Extract a solution from an answer.

    Args:
        answer: the model's text; reasoning up to `</think>` and everything after MAX_CHARS is ignored.
        prompt: the begun function.
        entry_point: its name.

    Returns:
        The text to run after `prompt`; empty if the answer holds no code that continues it.
    """
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
    """The whole function after the prompt; it replaces the one that the prompt begins."""
    start = _TOP_LEVEL.search(code)
    begun = "\n" if _parses(prompt) else "\n    pass\n"
    lead = f"{begun}\n\n"
    kept = _longest(code[start.start() :] if start else "", prompt + lead)
    return lead + kept if _defines(kept, entry_point) else ""


def _body(code: str, prompt: str) -> str:
    """The body with corrected indentation: of three readings the one that keeps most lines."""
    code = code.strip("\n")
    readings = (code, "    " + code.lstrip(), textwrap.indent(textwrap.dedent(code), "    "))
    bodies = [_longest(_indented(reading), prompt) for reading in readings]
    return max(bodies, key=lambda body: body.count("\n"))


def _indented(code: str) -> str:
    """The lines before the first one that is not indented, since that one no longer belongs to the function."""
    lines = code.splitlines(keepends=True)
    end = next((n for n, line in enumerate(lines) if line.strip() and line[0] not in " \t"), len(lines))
    return "".join(lines[:end])


def _longest(code: str, before: str) -> str:
    """The longest run of first lines of `code` that parses after `before`: prose behind it is dropped."""
    lines, offset = code.splitlines(keepends=True), before.count("\n")
    keep = len(lines)
    for _ in range(MAX_PARSES):
        if not keep:
            break
        kept = "".join(lines[:keep])
        try:
            ast.parse(before + kept)
            return kept.rstrip() + "\n" if kept.strip() else ""
        except SyntaxError as error:
            # Every longer run holds the line of the error, too, so there is no need to try it.
            keep = min(keep - 1, max((error.lineno or 1) - offset - 1, 0))
        except (ValueError, MemoryError, RecursionError):  # a null byte; endless nesting
            return ""
    return ""


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
