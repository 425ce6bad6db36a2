"""The rewards. See the package for their columns."""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from funreason.calls.completion import CLOSE, OPEN
from funreason.calls.forms import UNREADABLE
from funreason.core.errors import DataError
from funreason.rewards.matching import matched
from funreason.rewards.reading import CACHED, answer_of, fits_tools, read_answer, read_reference

LOWEST, HIGHEST = -3.0, 3.0  # of ToolRL's correctness
ROOM = 2  # a completion may be that many times as long as its reference before `length` takes anything


class Case(NamedTuple):
    """A completion beside its row.

    Attributes:
        answer: The text of its answer; None where the marks around its reasoning are wrong, or it was cut.
        reference: The row's own completion.
        tools: The JSON text of the row's tools; None where they are not known.
    """

    answer: str | None
    reference: str
    tools: str | None

    def is_exact(self) -> bool:
        """Whether it earns Tool-N1's reward."""
        return self.answer is not None and _is_exact(self.answer, self.reference)

    def is_formed(self) -> bool:
        """Whether it earns ToolRL's format reward."""
        if self.answer is None:
            return False
        return _is_formed(self.answer, self.tools) or _is_exact(self.answer, self.reference)

    def correctness(self) -> float:
        """ToolRL's graded reward."""
        return LOWEST if self.answer is None else _correctness(self.answer, self.reference)


def exact(prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float]:
    """Tool-N1's binary reward: 1 for a well-formed reasoning and exactly the row's own calls, in any order, else 0.

    Where no call is right, a refusal that can be read earns 1.

    Args:
        prompts: One per completion.
        completions: The completions.
        columns: See the package.
    """
    return [float(case.is_exact()) for case in _cases(prompts, completions, columns)]


def format(prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float]:
    """ToolRL's format reward: 1 for a well-formed reasoning and an answer that can be used, else 0.

    Such an answer is a list of calls that are valid by their tools' JSON Schema, `[]`, or a statement. The row's own
    calls are well-formed also where its tools contradict them.

    Args:
        prompts: One per completion.
        completions: The completions.
        columns: See the package.
    """
    return [float(case.is_formed()) for case in _cases(prompts, completions, columns)]


def correctness(prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float]:
    """ToolRL's graded reward, from −3 (nothing is right) to 3 (exactly the row's calls), see `matching.matched`.

    Where no call is right, a refusal that can be read earns 3, and all else −3.

    Args:
        prompts: One per completion.
        completions: The completions.
        columns: See the package.
    """
    return [case.correctness() for case in _cases(prompts, completions, columns)]


def graded(prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float]:
    """ToolRL's whole reward, the sum of `format` and `correctness`: −3 to 4.

    Args:
        prompts: One per completion.
        completions: The completions.
        columns: See the package.
    """
    return [case.is_formed() + case.correctness() for case in _cases(prompts, completions, columns)]


def length(prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float]:
    """A penalty on padding: 0 up to twice the characters of the row's own completion, falling to −1 at four times.

    ToolRL's bonus for longer reasoning pays for padding; this pays for nothing, and so is added to another reward.

    Args:
        prompts: One per completion.
        completions: The completions.
        columns: See the package.
    """
    references = _column(columns, "reference", len(completions))
    sizes = [(len(_text(completion)), ROOM * len(own)) for completion, own in zip(completions, references, strict=True)]
    return [-min(max(size - room, 0) / room, 1.0) if room else 0.0 for size, room in sizes]


# Cached by their texts: the completions of a group repeat each other.
@lru_cache(maxsize=CACHED)
def _is_exact(text: str, reference: str) -> bool:
    answer, wanted = read_answer(text), read_reference(reference)
    return answer.keys == wanted.keys if wanted.calls else answer.refuses


@lru_cache(maxsize=CACHED)
def _is_formed(text: str, tools: str | None) -> bool:
    answer = read_answer(text)
    return answer.form != UNREADABLE and (tools is None or fits_tools(answer, tools))


@lru_cache(maxsize=CACHED)
def _correctness(text: str, reference: str) -> float:
    if _is_exact(text, reference):
        return HIGHEST
    answer, wanted = read_answer(text), read_reference(reference)
    if not answer.calls or not wanted.calls:
        return LOWEST
    return LOWEST + (HIGHEST - LOWEST) * matched(answer, wanted)


def _cases(prompts: Sequence[Any], completions: Sequence[Any], columns: dict[str, Any]) -> Iterator[Case]:
    size = len(completions)
    references = _column(columns, "reference", size)
    tools, think, opened, ended = (_column(columns, name, size) for name in ("tools", "think", "opened", "ended"))
    for at, completion in enumerate(completions):
        own = references[at]
        reasons = CLOSE in own if think[at] is None else think[at]
        open_ = _opens(prompts[at]) if opened[at] is None else opened[at]
        answer = None if ended[at] is False else answer_of(_text(completion), reasons, open_)
        read_reference(own)  # which refuses one that nothing can equal
        yield Case(answer, own, _tools_text(tools[at]))


def _column(columns: dict[str, Any], name: str, size: int) -> Sequence[Any]:
    values = columns.get(name)
    if values is None and name != "reference":
        return [None] * size
    if values is None or isinstance(values, str) or len(values) != size:
        seen = "missing" if values is None else f"{values!r:.60}"
        raise DataError(f"column {name!r} is {seen}; give a list with one item for each of {size} completions")
    return list(values)


def _text(completion: Any) -> str:
    """The text of a completion; none where TRL's message has another content."""
    if isinstance(completion, list):
        completion = completion[0].get("content") if len(completion) == 1 and isinstance(completion[0], dict) else ""
    return completion if isinstance(completion, str) else ""


def _opens(prompt: Any) -> bool:
    return isinstance(prompt, str) and prompt.rstrip().endswith(OPEN)


def _tools_text(tools: Any) -> str | None:
    return tools if tools is None or isinstance(tools, str) else json.dumps(tools)
