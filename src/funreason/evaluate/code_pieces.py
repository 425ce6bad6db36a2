"""Cut an answer into pieces of Python: fenced blocks, and runs of lines in text. Parsing only: nothing here runs it."""

import ast
import re
from dataclasses import dataclass
from itertools import islice

MAX_PARSED = 3_000_000  # characters, of one answer in all tries; only a degenerate one takes a try per line
MAX_ENDS = 8  # fences that may end a block: a docstring with fences of its own has two or four

_FENCE = re.compile(r"[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(`{3,}|~{3,})[ \t]*([^`]*)$")
_SAME_LINE = re.compile(r"^([ \t]*(?:```+|~~~+)\w*)[ \t]+(?=(?:async )?def |class |import |from |@)", re.MULTILINE)
_START = re.compile(r"([ \t]*)(?:from |import |def |async def |class |@|try:|[A-Za-z_]\w* *(?:[:=]|, *\w+ *=))")


@dataclass(frozen=True)
class Piece:
    """A part of an answer that parses.

    Attributes:
        code: the text, at least one line, not indented.
        whole: whether its last statement is complete: neither cut nor followed by lines that belong to it.
        at: its line in the answer.
    """

    code: str
    whole: bool = True
    at: int = 0


@dataclass(frozen=True)
class Block:
    """A fenced block: its lines without their common indentation, whether a fence closes it, and its first line."""

    code: str
    closed: bool
    at: int


class Syntax:
    """Python's parser with a bound on the text that it is asked about for one answer."""

    def __init__(self) -> None:
        self.left = MAX_PARSED

    def parses(self, code: str) -> bool:
        """Whether `code` parses."""
        return self.fault(code) is None

    def fault(self, code: str) -> int | None:
        """The line of the first error, from 1; None where there is none, 0 where nothing of the text can be read."""
        self.left -= len(code) + 1
        if self.left <= 0:
            return 0
        try:
            ast.parse(code)
        except SyntaxError as error:
            return max(error.lineno or 1, 1)
        except (ValueError, MemoryError, RecursionError):  # a null byte; endless nesting
            return 0
        return None

    def longest(self, lines: list[str], before: str = "") -> int:
        """How many of the first lines parse after `before`: prose behind code is left out."""
        keep, offset = len(lines), before.count("\n")
        while keep > 0:
            line = self.fault(before + "\n".join(lines[:keep]).rstrip() + "\n")
            if line is None:
                return keep
            # Every longer run holds the line of the error, too, so there is no need to try it.
            keep = min(keep - 1, max(line - offset - 1, 0))
        return 0


def blocks(text: str, syntax: Syntax) -> tuple[list[Block], str]:
    """The fenced blocks of a text in order, and the text around them, with blank lines for them.

    A block ends at the first fence up to which it parses, so that a fence inside a docstring does not end it; one that
    does not parse ends at the next fence, and one that is never closed at the end of the text.
    """
    lines = _fences_apart(text)
    marks = {number: match for number, line in enumerate(lines) if (match := _FENCE.match(line))}
    cut_out, outside, at = [], [], 0
    while at < len(lines):
        if at not in marks:
            outside.append(lines[at])
            at += 1
            continue
        end = _end(lines, marks, at, syntax)
        closed = end in marks and not marks[end][2].strip()
        cut_out.append(Block("\n".join(undent(lines[at + 1 : end])), closed, at + 1))
        after = end + 1 if closed else end
        outside += [""] * (after - at)
        at = after
    return cut_out, "\n".join(outside)


def _fences_apart(text: str) -> list[str]:
    """The lines of a text, with a line of its own for each fence behind code and for code behind a fence."""
    lines = []
    for line in _SAME_LINE.sub(r"\1\n", text).split("\n"):
        code = line.rstrip("` \t")
        ticks = line[len(code) :].strip()
        late = code and len(ticks) > 2 and set(ticks) == {"`"} and "`" not in code
        lines += [code, ticks] if late else [line]
    return lines


def _end(lines: list[str], marks: dict[int, re.Match], opener: int, syntax: Syntax) -> int:
    """The line that ends the block that begins at `opener`."""
    later = range(opener + 1, len(lines))
    ends = [
        *islice((n for n in later if n in marks and marks[n][1].startswith(marks[opener][1])), MAX_ENDS),
        len(lines),
    ]
    inside = (end for end in ends if syntax.parses("\n".join(undent(lines[opener + 1 : end]))))
    return next(inside, ends[0])


def unfenced(text: str) -> str:
    """The text with its fences left blank."""
    return "\n".join("" if _FENCE.match(line) else line for line in text.split("\n"))


def runs(text: str, syntax: Syntax, cut: bool = False, first: int = 0) -> list[Piece]:
    """The longest runs of lines that are Python.

    Args:
        text: code and prose in any order; code may be indented as a whole.
        syntax: parses it.
        cut: whether the text ends before its time; a statement that reaches the end is then not complete.
        first: the number of its first line.

    Returns:
        The pieces, in order.
    """
    lines, at, pieces = text.split("\n"), 0, []
    while at < len(lines):
        if start := _START.match(lines[at]):
            code = undent(lines[at : _outdented(lines, at, start[1])])
            if keep := syntax.longest(code):
                rest = next((line for line in lines[at + keep :] if line.strip()), None)
                belongs = cut if rest is None else rest.startswith((start[1] + " ", start[1] + "\t"))
                pieces.append(Piece("\n".join(code[:keep]).rstrip() + "\n", not belongs, first + at))
                at += keep
                continue
        at += 1
    return pieces


def undent(lines: list[str]) -> list[str]:
    """The lines without the indentation of the first one that is not blank; less where a line has less."""
    first = next((line for line in lines if line.strip()), "")
    width = len(first) - len(first.lstrip(" \t"))
    return [line[min(width, len(line) - len(line.lstrip(" \t"))) :] for line in lines] if width else lines


def _outdented(lines: list[str], at: int, indent: str) -> int:
    """The first line after `at` with less indentation."""
    after = range(at + 1, len(lines))
    return next((n for n in after if lines[n].strip() and not lines[n].startswith(indent)), len(lines))
