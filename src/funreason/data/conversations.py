"""Conversations → one task for each turn of the assistant, or a reason why not.

A row is {"id", "tools", "messages"}. A message is {"role", "content"}: `user` (text), `assistant` (calls as text or as
JSON in xLAM's form, or a statement; `<think>…</think>` in front where it is already distilled), `tool` (the result of a
call, text). LLaMA-Factory's `conversations` ({"from", "value"}) and OpenAI's `tool_calls` are read as well.
"""

import json
import re
from dataclasses import dataclass

from funreason.calls import CallSyntaxError, parse, render, split_completion
from funreason.core.errors import DataError
from funreason.core.records import Task
from funreason.data.fields import BadRow, call, listed

NAMES = ("messages", "conversations")
_ROLES = {
    "user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "function_call": "assistant",
    "tool": "tool", "observation": "tool",
}  # fmt: skip
# By first letters: each user's message is answered, calls with results on the way to an answer.
_ORDER = re.compile(r"(?:ua(?:t+a)*)+")
_TAKEN = ("query", "answers", "response", "system")  # of single queries, or said by the calling prompt


@dataclass(frozen=True)
class _Said:
    """A message as later turns see it, and what is asked of a turn of the assistant."""

    role: str
    content: str
    calls: list[dict] | None = None
    response: dict | None = None

    def message(self) -> dict:
        return {"role": self.role, "content": self.content}


def is_conversation(row: dict) -> bool:
    return any(row.get(name) is not None for name in NAMES)


def turns(name: str, tools: list[dict], row: dict) -> list[Task]:
    """The turns of conversation `name` as tasks `<name>@<turn>`, in their order. Raises BadRow.

    Each is asked in the context of the reference turns before it, which stand there without their reasoning: that is
    what chat templates show a model at inference.
    """
    said = [_said(number, message) for number, message in enumerate(_messages(row), 1)]
    _check_order(said)
    shown, tasks, asked = [one.message() for one in said], [], 0
    for at, one in enumerate(said):
        if one.role == "user":
            asked = at
        if one.role == "assistant":
            tasks.append(
                Task(
                    id=f"{name}@{len(tasks)}",
                    query=said[asked].content,
                    tools=tools,
                    answers=one.calls,
                    response=one.response,
                    history=shown[:asked],
                    steps=shown[asked + 1 : at],
                )
            )
    return tasks


def _messages(row: dict) -> list:
    given = [name for name in (*NAMES, *_TAKEN) if row.get(name) not in (None, "")]
    if len(given) > 1:
        raise BadRow("fields beside messages", f"{given}; a conversation has id, tools and messages alone")
    return listed(row, given[0])


def _said(number: int, message) -> _Said:
    if not isinstance(message, dict):
        raise BadRow("bad message", f"message {number} is {message!r:.80}, expected role and content")
    said = message.get("role") or message.get("from")  # the hub's tables have all columns, null where there is nothing
    content = message.get("value") if message.get("content") is None else message["content"]
    role = _ROLES.get(said) if isinstance(said, str) else None
    if role is None:
        remedy = "what a system message says belongs into the first one of the user" if said == "system" else ""
        raise BadRow("bad role", f"message {number} is of {said!r:.80}, allowed are {', '.join(_ROLES)}; {remedy}")
    if role == "assistant":
        return _answered(f"message {number}, of {said}", content, message.get("tool_calls"), said == "function_call")
    if not isinstance(content, str) or not (content.strip() or role == "tool"):
        raise BadRow("bad message", f"message {number}, of {said}, is {content!r:.80}, expected a text")
    return _Said(role, content)


def _answered(where: str, content, tool_calls, calls_only: bool) -> _Said:
    """A turn of the assistant; an empty list says that no call fits, as in xLAM's `answers`.

    As written it is kept in the response alone: what later turns see is well-formed.
    """
    content = "[]" if content == [] else content
    try:
        cot, text = split_completion(content) if isinstance(content, str) else (None, "")
        decoded = _from_json(tool_calls or (text if isinstance(content, str) else content))
        calls = decoded or _from_text(text)
        shown = render(calls) if calls else text
    except DataError as error:  # BadRow and CompletionError, too
        raise BadRow("bad message", f"{where}: {error}") from None
    if not shown or (tool_calls and text) or (not calls and (tool_calls or calls_only)):
        expected = "calls alone" if tool_calls or calls_only else "calls or a statement"
        raise BadRow("bad message", f"{where}, is {content!r:.80}, expected {expected}")
    written = shown if decoded else text
    return _Said("assistant", shown, calls, {"cot": cot, "answer": written} if cot else None)


def _from_json(value) -> list[dict]:
    """The calls of JSON in xLAM's or OpenAI's form, or of its text; none where it is something else."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.startswith(("[", "{")) else None
        except (ValueError, RecursionError):
            return []
    items = value if isinstance(value, list) else [value]
    inner = [item.get("function") or item if isinstance(item, dict) else None for item in items]
    if not all(isinstance(item, dict) and {"name", "arguments"} <= item.keys() for item in inner):
        return []
    return [call(item) for item in inner]


def _from_text(text: str) -> list[dict]:
    try:
        return [found.to_row() for found in parse(text)]
    except CallSyntaxError:
        return []


def _check_order(said: list[_Said]) -> None:
    if not _ORDER.fullmatch("".join(one.role[0] for one in said)):
        roles = ", ".join(one.role for one in said[:12]) or "none"
        expected = "user, assistant or user, calls, results, assistant, again and again"
        raise BadRow("roles out of order", f"{roles}; expected {expected}")
    for at, one in enumerate(said):
        if one.role == "tool" and said[at - 1].role == "assistant" and not said[at - 1].calls:
            raise BadRow("result without a call", f"message {at} is {said[at - 1].content!r:.80}, a result follows it")
