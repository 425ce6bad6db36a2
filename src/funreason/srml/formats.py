"""The data formats of TRL and ShareGPT, as rows of a prompt and a completion.

Only the last turn of the assistant is trained: the turns before it are its context, often without the reasoning that
they were written with. A row for every turn trains all of them.
"""

import json
from typing import Any

from funreason.srml.controls import OPEN
from funreason.srml.template import Message

ALLOWED = (
    "prompt and completion (two texts, or two lists of messages), messages, conversations (ShareGPT), "
    "text with one <think>"
)
_ROLES = {"human": "user", "gpt": "assistant", "function_call": "assistant", "observation": "tool", "function": "tool"}
_LISTS = ("messages", "conversations")


class TrainingDataError(ValueError):
    """A data set that cannot be trained on: too many unusable rows, segments without a name, rows that are too long."""


def prompt_completion(row: dict[str, Any], number: int) -> dict[str, Any]:
    """A row of any of the formats as `prompt`, `completion` and perhaps `tools`.

    Args:
        row: The row.
        number: Which row it is, from 0, for an error.

    Raises:
        TrainingDataError: It has another format, or where its completion begins cannot be known.
    """
    kinds = [type(row.get(name)) for name in ("prompt", "completion")]
    if kinds == [str, str]:
        return row
    if kinds == [list, list]:
        return _checked(row, number)
    for name in _LISTS:
        if isinstance(row.get(name), list):
            return _checked(_last_turn(row, name, number), number)
    if isinstance(row.get("text"), str):
        return _cut_text(row, number)
    raise _error(row, number, "is in no known format")


def _last_turn(row: dict[str, Any], name: str, number: int) -> dict[str, Any]:
    messages = [_message(message) for message in row[name]]
    if name == "conversations" and isinstance(row.get("system"), str) and row["system"]:
        messages.insert(0, {"role": "system", "content": row["system"]})
    last = max((at for at, message in enumerate(messages) if message["role"] == "assistant"), default=0)
    if not last:
        raise _error(row, number, f"has no turn of the assistant to train, after a prompt, in {name}")
    tools = {"tools": row["tools"]} if row.get("tools") else {}
    return {"prompt": messages[:last], "completion": [messages[last]], **tools}


def _message(message: Any) -> Message:
    """A message with OpenAI's names for its keys and roles."""
    if not isinstance(message, dict):
        return {"role": "", "content": message}
    kept = {key: value for key, value in message.items() if key not in ("from", "value") and value is not None}
    role = kept.get("role") or message.get("from")
    return {**kept, "role": _ROLES.get(str(role), str(role)), "content": kept.get("content", message.get("value"))}


def _checked(row: dict[str, Any], number: int) -> dict[str, Any]:
    """A conversational row whose messages have texts, and whose tools are a list."""
    tools = row.get("tools")
    if isinstance(tools, str):  # as TRL allows, for columns of one type
        try:
            row = {**row, "tools": json.loads(tools) if tools.strip() else None}
        except ValueError:
            raise _error(row, number, f"has tools that are not JSON ({tools[:40]!r})") from None
    for name in ("prompt", "completion"):
        for message in row[name]:
            if not (isinstance(message, dict) and isinstance(message.get("role"), str)):
                raise _error(row, number, f"has {message!r:.80} in its {name}, which is not a message")
    for message in row["completion"]:
        if not isinstance(message.get("content"), str):
            content = f"{message.get('content')!r:.40}" + (" and tool_calls" if message.get("tool_calls") else "")
            raise _error(row, number, f"has a completion whose content is {content}, not a text: write calls as text")
    return row


def _cut_text(row: dict[str, Any], number: int) -> dict[str, Any]:
    """A text before its `<think>`, and from it on."""
    prompt, think, completion = row["text"].partition(OPEN)
    if not think or OPEN in completion or not prompt.strip():
        count = row["text"].count(OPEN)
        problem = f"has {count} {OPEN} in its text" if count != 1 else f"has nothing before {OPEN} in its text"
        raise _error(row, number, f"{problem}, so that nobody knows where the completion begins")
    return {"prompt": prompt, "completion": think + completion}


def _error(row: dict[str, Any], number: int, problem: str) -> TrainingDataError:
    name = f" (id {row['id']!r:.60})" if row.get("id") is not None else ""
    columns = ", ".join(sorted(key for key, value in row.items() if value is not None)) or "none"
    return TrainingDataError(f"training row {number}{name} {problem}; its columns are {columns}, allowed are {ALLOWED}")
