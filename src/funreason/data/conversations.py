"""Conversations: one task per turn of the assistant.

A row is {"id", "tools", "messages"}, a message is {"role", "content"}:

- `user`: a text.
- `assistant`: calls as text or as JSON in xLAM's form, or a statement; with `<think>…</think>` in front where the
  conversation is already distilled.
- `tool`: the result of a call, a text.

LLaMA-Factory's `conversations` ({"from", "value"}) and OpenAI's `tool_calls` are read as well.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from funreason.calls import CallSyntaxError, parse, render, split_completion
from funreason.core.errors import DataError
from funreason.core.records import Task
from funreason.data.fields import BadRow, call_row, list_field, row_id, row_tools

MESSAGE_FIELDS = ("messages", "conversations")
_ROLES = {
    "user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "function_call": "assistant",
    "tool": "tool", "observation": "tool",
}  # fmt: skip
# The first letters of the roles: each message of the user is answered, perhaps after calls with their results.
_ORDER = re.compile(r"(?:ua(?:t+a)*)+")
_NOT_BESIDE_MESSAGES = ("query", "answers", "response", "system")  # of single queries, or part of the calling prompt


@dataclass(frozen=True)
class _Message:
    """A message as later turns see it; for one of the assistant also its calls and, if distilled, its response."""

    role: str
    content: str
    calls: list[dict[str, Any]]
    response: dict[str, str] | None = None

    def to_row(self) -> dict[str, str]:
        return {"role": self.role, "content": self.content}


def is_conversation(row: dict[str, Any]) -> bool:
    """Whether a row has messages in the place of a query and its answers."""
    return any(row.get(name) is not None for name in MESSAGE_FIELDS)


def conversation_turns(row: dict[str, Any]) -> list[Task]:
    """The turns of a conversation as tasks `<id>@<turn>`, in their order.

    Each has the reference turns before it as its context, without their reasoning: that is what chat templates show a
    model at inference.

    Raises:
        BadRow: The row is malformed.
    """
    name, tools = row_id(row), row_tools(row)
    messages = [_message(number, message) for number, message in enumerate(_messages(row), 1)]
    _check_order(messages)
    context = [message.to_row() for message in messages]
    tasks: list[Task] = []
    query = 0  # the index of the user's last message
    for at, message in enumerate(messages):
        if message.role == "user":
            query = at
        if message.role == "assistant":
            tasks.append(
                Task(
                    id=f"{name}@{len(tasks)}",
                    query=messages[query].content,
                    tools=tools,
                    answers=message.calls,
                    response=message.response,
                    history=context[:query],
                    steps=context[query + 1 : at],
                )
            )
    return tasks


def _messages(row: dict[str, Any]) -> list[Any]:
    present = [name for name in (*MESSAGE_FIELDS, *_NOT_BESIDE_MESSAGES) if row.get(name) not in (None, "")]
    if len(present) > 1:
        raise BadRow("fields beside messages", f"{present}; a conversation has only id, tools and messages")
    return list_field(row, present[0])


def _message(number: int, message: Any) -> _Message:
    if not isinstance(message, dict):
        raise BadRow("bad message", f"message {number} is {message!r:.80}, expected role and content")
    # A table of the hub has all columns, with null where a message does not use them.
    name = message.get("role") or message.get("from")
    content = message.get("value") if message.get("content") is None else message["content"]
    role = _ROLES.get(name) if isinstance(name, str) else None
    if role is None:
        remedy = "; put the text of a system message into the first message of the user" if name == "system" else ""
        raise BadRow("bad role", f"message {number} is of {name!r:.80}, allowed are {', '.join(_ROLES)}{remedy}")
    if role == "assistant":
        where = f"message {number}, of {name}"
        return _assistant_message(where, content, message.get("tool_calls"), name == "function_call")
    if not isinstance(content, str) or not (content.strip() or role == "tool"):
        raise BadRow("bad message", f"message {number}, of {name}, is {content!r:.80}, expected a text")
    return _Message(role, content, [])


def _assistant_message(where: str, content: Any, tool_calls: Any, calls_only: bool) -> _Message:
    """A turn of the assistant. An empty list means that no call fits, as in xLAM's `answers`.

    The response keeps the text as it is written; later turns see it well-formed.
    """
    content = "[]" if content == [] else content
    try:
        cot, text = split_completion(content) if isinstance(content, str) else (None, "")
        json_calls = _calls_of_json(tool_calls or (text if isinstance(content, str) else content))
        calls = json_calls or _calls_of_text(text)
        well_formed = render(calls) if calls else text
    except DataError as error:  # a BadRow or a CompletionError too
        raise BadRow("bad message", f"{where}: {error}") from None
    if not well_formed or (tool_calls and text) or (not calls and (tool_calls or calls_only)):
        expected = "only calls" if tool_calls or calls_only else "calls or a statement"
        raise BadRow("bad message", f"{where}, is {content!r:.80}, expected {expected}")
    written = well_formed if json_calls else text
    return _Message("assistant", well_formed, calls, {"cot": cot, "answer": written} if cot else None)


def _calls_of_json(value: Any) -> list[dict[str, Any]]:
    """The calls of JSON, or JSON text, in xLAM's or OpenAI's form; none where it is something else."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.startswith(("[", "{")) else None
        except (ValueError, RecursionError):
            return []
    items = value if isinstance(value, list) else [value]
    inner = [item.get("function") or item if isinstance(item, dict) else None for item in items]
    if not all(isinstance(item, dict) and {"name", "arguments"} <= item.keys() for item in inner):
        return []
    return [call_row(item) for item in inner]


def _calls_of_text(text: str) -> list[dict[str, Any]]:
    try:
        return [call.to_row() for call in parse(text)]
    except CallSyntaxError:
        return []


def _check_order(messages: list[_Message]) -> None:
    if not _ORDER.fullmatch("".join(message.role[0] for message in messages)):
        roles = ", ".join(message.role for message in messages[:12]) or "none"
        expected = "user, assistant or user, calls, results, assistant, repeated"
        raise BadRow("roles out of order", f"{roles}; expected {expected}")
    for at, message in enumerate(messages):
        before = messages[at - 1]
        if message.role == "tool" and before.role == "assistant" and not before.calls:
            raise BadRow("result without a call", f"message {at} is {before.content!r:.80}, a result follows it")
