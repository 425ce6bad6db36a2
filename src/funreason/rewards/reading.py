"""A completion as the rewards see it: is its reasoning well formed, and what does its answer call?

Answers are cached by their text: the completions of a group repeat each other, and their reference is the same.
"""

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from funreason.calls.completion import CLOSE, OPEN
from funreason.calls.forms import CALLS, EMPTY, STATEMENT, UNREADABLE, is_statement
from funreason.calls.parser import CallSyntaxError, parse
from funreason.calls.text import Call
from funreason.calls.validate import argument_validator, tools_by_name
from funreason.core.errors import DataError

CACHED = 65_536
# Marks between turns and around calls of other forms: in a reasoning they end it on a server, or hide a second answer.
_CONTROL = re.compile(r"<\|[^\s|]*\|>|</?s>|</?(?:tool_call|tool_response|tools?|function_call|think)>|\[/?INST\]")


class Answer(NamedTuple):
    """An answer without its reasoning.

    Attributes:
        form: One of `calls.forms`.
        calls: Its calls.
        keys: One JSON text per call, sorted: equal for the same calls in any order.
    """

    form: str
    calls: tuple[Call, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def refuses(self) -> bool:
        """Whether it says that no call is right, in a form that can be read."""
        return self.form in (EMPTY, STATEMENT)


MALFORMED = Answer(UNREADABLE)


def answer_of(text: str, think: bool, opened: bool) -> str | None:
    """The text of a completion's answer.

    Args:
        text: The whole completion.
        think: Whether it has to reason: `<think>`, a reasoning with a letter in it, `</think>`. Else it may.
        opened: Whether the prompt ends with `<think>`, so that the completion does not write it.

    Returns:
        None where the marks around the reasoning are missing, repeated or out of order.
    """
    bare = not think and not opened and OPEN not in text and CLOSE not in text
    return text.strip() if bare else _after_reasoning(text, opened)


def _after_reasoning(text: str, opened: bool) -> str | None:
    head, close, answer = text.partition(CLOSE)
    if not opened:
        before, mark, head = head.partition(OPEN)
        if not mark or before.strip():
            return None
    if not close or CLOSE in answer or OPEN in answer or _CONTROL.search(head):
        return None
    return answer.strip() if any(map(str.isalpha, head)) else None


@lru_cache(maxsize=CACHED)
def read_answer(text: str) -> Answer:
    """An answer without its reasoning. Calls stand in brackets, with nothing around them."""
    if text[:1] != "[":
        return Answer(STATEMENT) if is_statement(text) else MALFORMED
    if text[-1:] != "]":
        return MALFORMED
    try:
        calls = tuple(parse(text))
    except CallSyntaxError:
        return MALFORMED
    if not calls:
        return Answer(EMPTY)
    return Answer(CALLS, calls, tuple(sorted(json.dumps(call.to_row(), sort_keys=True) for call in calls)))


@lru_cache(maxsize=CACHED)
def read_reference(text: str) -> Answer:
    """The answer of a row's own completion.

    Raises:
        DataError: It is neither calls nor a refusal, so that no completion could be right.
    """
    answer = read_answer(text.rpartition(CLOSE)[2].strip())
    if answer.form == UNREADABLE:
        raise DataError(
            f"reference {text!r:.120}: neither [f(a=1)] nor [] nor a statement after {CLOSE}; correct or delete the row"
        )
    return answer


def fits_tools(answer: Answer, tools: str) -> bool:
    """Whether each call of an answer is valid by the JSON Schema of its tool; `tools` is the JSON text of a list."""
    known = _validators(tools)
    names_known = all(call.name in known for call in answer.calls)  # first, because a schema takes longer
    return names_known and all(known[call.name](call.arguments) for call in answer.calls)


@lru_cache(maxsize=4096)
def _validators(text: str) -> dict[str, Callable[[Any], bool]]:
    """Tool → whether arguments are valid."""
    try:
        tools = json.loads(text)
    except ValueError as error:
        raise DataError(f"tools {text!r:.80}: {error}; give a list of tools, or its JSON text") from None
    return {name: _is_valid(tool) for name, tool in tools_by_name(tools).items()}


def _is_valid(tool: dict[str, Any]) -> Callable[[Any], bool]:
    """The check of a tool's arguments: names before values, because it ends at the first violation."""
    validator = argument_validator(tool)
    schema = dict(sorted(validator.schema.items(), key=lambda item: item[0] == "properties"))
    return validator.evolve(schema=schema).is_valid
