"""What a model wrote, taken apart for a client: reasoning, calls under the user's names, or a text. Nothing is run.

A list of calls is handed over whole or not at all: half a list is a text, as it is for the scorers.
"""

import re
from dataclasses import dataclass, field

from funreason.calls import Call, CallSyntaxError, parse
from funreason.calls.names import NameMap
from funreason.srml.controls import CLOSE, OPEN

# What a list of calls may begin with: a bracket, or a name and a parenthesis, perhaps between backticks.
_MAY_BE_CALLS = re.compile(r"[`\s]*(?:\[|[^\W\d][\w.]*\s*(?:\(|\Z)|\Z)")


def split_reasoning(text: str, *, opened: bool = False) -> tuple[str | None, str]:
    """The reasoning of an answer and what follows it.

    Args:
        text: The answer.
        opened: Whether the prompt ended with `<think>`.

    Returns:
        The reasoning, None where there is none, and the text after it, both without outer white space. Reasoning that
        is never closed is all reasoning.
    """
    stream = ReasoningStream(opened)
    reasoning, content = stream.feed(text)
    more, rest = stream.finish()
    reasoning, content = (reasoning + more).strip(), (content + rest).strip()
    return reasoning or None, content


def read_answer(content: str, names: NameMap | None = None) -> tuple[str, list[Call]]:
    """The text and the calls of an answer without its reasoning.

    Args:
        content: The text after the reasoning. Where it closes a reasoning again, what follows may be calls.
        names: Identifiers of the request's tools, for which the calls get the user's names.

    Returns:
        The whole text and no calls, or the text before the calls and all of them.
    """
    for at in sorted({0, content.rfind(CLOSE) + len(CLOSE) if CLOSE in content else 0}):
        try:
            calls = parse(content[at:])
        except CallSyntaxError:
            continue
        if calls:
            return content[:at].strip(), names.undo_calls(calls) if names else calls
    return content.strip(), []


@dataclass
class ReasoningStream:
    """Parts of an answer in the order in which they come → reasoning and content, without the marks between them.

    Attributes:
        opened: Whether the prompt ended with `<think>`.
        ended: Whether what comes now is content.
    """

    opened: bool = False
    ended: bool = False
    _held: str = ""
    _inside: bool = field(default=False, init=False)

    def feed(self, text: str) -> tuple[str, str]:
        """What the next part adds to the reasoning, and to the content."""
        if self.ended:
            return "", text
        self._held += text
        if not self._inside and not self._enter():
            if not self.ended:
                return "", ""
            held, self._held = self._held, ""
            return "", held
        return self._leave()

    def finish(self) -> tuple[str, str]:
        """What is left at the end: a part of a mark."""
        held, self._held = self._held, ""
        return (held, "") if self._inside or self.opened else ("", held)

    def _enter(self) -> bool:
        """Whether the reasoning has begun; `ended` is set where there is none."""
        begin = self._held.lstrip()
        if begin.startswith(OPEN):
            self._held = begin[len(OPEN) :].lstrip("\n")
        elif OPEN.startswith(begin):
            return False
        elif not self.opened:
            self.ended = True
            return False
        self._inside = True
        return True

    def _leave(self) -> tuple[str, str]:
        before, mark, after = self._held.partition(CLOSE)
        if mark:
            self._held, self.ended = "", True
            return before, after
        keep = next((size for size in range(len(CLOSE) - 1, 0, -1) if before.endswith(CLOSE[:size])), 0)
        self._held = before[len(before) - keep :]
        return before[: len(before) - keep], ""


@dataclass
class ContentStream:
    """Parts of an answer without its reasoning → content that can be shown at once, and calls at the end.

    Attributes:
        names: Identifiers of the request's tools.
    """

    names: NameMap | None = None
    _held: str = ""
    _is_text: bool = False
    _tail: str = ""  # of the text that was shown

    def feed(self, text: str) -> str:
        """The text that can be shown: none while the answer may be a list of calls."""
        if self._is_text:
            return self._shown(text)
        self._held += text
        if _MAY_BE_CALLS.match(self._held):
            return ""
        held, self._held, self._is_text = self._held, "", True
        return self._shown(held)

    def finish(self) -> tuple[str, list[Call]]:
        """The text that was held back, and the calls."""
        held, self._held = self._held, ""
        text, calls = read_answer(held, self.names)
        return text if calls else held.rstrip(), calls

    def _shown(self, text: str) -> str:
        """The text up to a mark after which there may be calls."""
        seen = self._tail + text
        after = seen[seen.rindex(CLOSE) + len(CLOSE) :] if CLOSE in seen else None
        self._tail = seen[-len(CLOSE) + 1 :]
        if after is None or not _MAY_BE_CALLS.match(after):
            return text
        self._is_text, self._held, self._tail = False, after, ""
        return text[: len(text) - len(after)]
