"""Find the solution in a model's answer to a code benchmark, parsing only: nothing here runs it.

Several readings are tried in a fixed order, the same for every model. None looks at tests or at the gold solution: the
first reading that holds a complete definition of the function wins. The result continues the prompt (imports,
signature, docstring), as HumanEval's own tests expect.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from funreason.evaluate.answers import without_reasoning
from funreason.evaluate.code_body import best_body, continuation
from funreason.evaluate.code_marks import variants
from funreason.evaluate.code_pieces import Block, Piece, Syntax, blocks, runs, unfenced
from funreason.evaluate.code_program import holder, program, supplemented, undefined
from funreason.evaluate.code_wrapped import unwrapped

MAX_CHARS = 40_000  # of an answer: 10,000 tokens; far beyond any solution


class Solution(NamedTuple):
    """What was read out of an answer.

    Attributes:
        code: the text to run after the prompt; empty where the answer holds no code that continues it.
        reading: how it was found: block, continuation, text, wrapped, body or cut, with the variant of the answer in
            front (see `code_marks.variants`); empty where there is no code.
    """

    code: str
    reading: str


@dataclass(frozen=True)
class _View:
    """An answer in one variant, cut into pieces when they are asked for."""

    variant: str
    text: str
    prompt: str
    name: str
    syntax: Syntax
    cut: bool

    @cached_property
    def parts(self) -> tuple[list[Block], str]:
        """The fenced blocks, and the text around them."""
        return blocks(self.text, self.syntax)

    @cached_property
    def fenced(self) -> list[Piece]:
        """The pieces of the fenced blocks."""
        return [
            piece for block in self.parts[0]
            for piece in runs(block.code, self.syntax, self.cut and not block.closed, block.at)
        ]  # fmt: skip

    @cached_property
    def bare(self) -> list[Piece]:
        """The pieces of the whole text, as if it had no fences."""
        return runs(unfenced(self.text), self.syntax, self.cut)

    @cached_property
    def around(self) -> list[Piece]:
        """The pieces around the fenced blocks."""
        return runs(self.parts[1], self.syntax, self.cut)


def _block(view: _View) -> str:
    """The whole function in a fenced block, if no text behind the block defines it again."""
    pieces = sorted([*view.fenced, *view.around], key=lambda piece: piece.at) if view.fenced else []
    number = holder(pieces, view.name)
    in_block = number is not None and pieces[number] in view.fenced
    return _after(view, program(pieces, view.prompt, view.name)) if in_block else ""


def _continuation(view: _View) -> str:
    """An answer that goes on where the prompt ends: its first line is indented."""
    return _with_helpers(view, continuation(view.text, view.prompt, view.syntax))


def _text(view: _View) -> str:
    """The whole function anywhere in the text."""
    return _after(view, program(view.bare, view.prompt, view.name))


def _wrapped(view: _View) -> str:
    """The function as a method, or inside another function."""
    return _after(view, unwrapped(view.fenced or view.bare, view.prompt, view.name))


def _body(view: _View) -> str:
    """Only the body, in a block or in the text, with corrected indentation."""
    return _with_helpers(view, best_body([block.code for block in view.parts[0]], view.text, view.prompt, view.syntax))


def _cut(view: _View) -> str:
    """A function that is cut or broken in its last lines, without them."""
    pieces = [replace(piece, whole=True) for piece in (*view.fenced, *view.bare)]
    return _after(view, program(pieces, view.prompt, view.name))


_WHOLE = (_block, _continuation, _text)
_OTHERS = (_wrapped, _body, _cut)


def extract(answer: str, prompt: str, entry_point: str, cut: bool = False) -> Solution:
    """Extract a solution from an answer.

    Args:
        answer: the model's text; reasoning up to `</think>` and everything after MAX_CHARS is ignored.
        prompt: the begun function.
        entry_point: its name.
        cut: whether the answer ended at a limit of tokens, so that its last statement may not be complete.

    Returns:
        The solution and how it was found. An answer whose reasoning is never closed holds none.
    """
    text = without_reasoning(answer).replace("\r\n", "\n").replace("\r", "\n")[:MAX_CHARS]
    if text.lstrip().startswith("<think>"):
        return Solution("", "")
    with warnings.catch_warnings():  # about escapes such as '\d' in a model's text
        warnings.simplefilter("ignore")
        try:
            return _first(_views(text, prompt, entry_point, cut))
        except (RecursionError, MemoryError):  # deep nesting that parses, but is too deep to walk through
            return Solution("", "")


def _views(text: str, prompt: str, name: str, cut: bool) -> list[_View]:
    syntax = Syntax()
    return [_View(variant, part[:MAX_CHARS], prompt, name, syntax, cut) for variant, part in variants(text)]


def _first(views: Sequence[_View]) -> Solution:
    """The first reading that holds a solution: first of a whole function in any variant, then of other forms.

    A whole function that uses a name which nothing defines counts only where no variant has one without.
    """
    incomplete = []
    for solution in _solutions((view, way) for view in views for way in _WHOLE):
        if not undefined(solution.code, views[0].prompt):
            return solution
        incomplete.append(solution)
    others = _solutions((view, way) for way in _OTHERS for view in views)
    return incomplete[0] if incomplete else next(others, Solution("", ""))


def _solutions(tries: Iterable[tuple[_View, Callable[[_View], str]]]) -> Iterator[Solution]:
    for view, way in tries:
        code = way(view)
        if code and Syntax().parses(view.prompt + code):  # a last check of what was put together
            yield Solution(code, f"{view.variant} {way.__name__.strip('_')}".strip())


def _after(view: _View, code: str) -> str:
    """A whole function after the prompt; it replaces the one that the prompt begins."""
    if not code.strip():
        return ""
    begun = "\n" if view.syntax.parses(view.prompt) else "\n    pass\n"
    return f"{begun}\n\n{code}"


def _with_helpers(view: _View, body: str) -> str:
    """A body, and the functions behind it that it needs."""
    return supplemented(body, view.bare, view.prompt) if body else ""
