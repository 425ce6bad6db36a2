"""The data formats of TRL and ShareGPT, as rows of a prompt and a completion.

Only the last turn of the assistant is trained: the turns before it are its context, often without the reasoning that
they were written with. A row for every turn trains all of them.
"""

import json
from typing import Any

from funreason.srml.controls import CLOSE, OPEN
from funreason.srml.template import Message

ALLOWED = (
    "prompt and completion (two texts, or two lists of messages), messages, conversations (ShareGPT), "
    "text with one <think>"
)
_ROLES = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user",
    "assistant": "assistant", "gpt": "assistant", "model": "assistant", "function_call": "assistant",
    "tool_call": "assistant",
    "tool": "tool", "observation": "tool", "function": "tool", "tool_response": "tool", "ipython": "tool",
}  # fmt: skip
_REASONING = ("reasoning_content", "reasoning", "thinking")
_PARTS = ("prompt", "completion")
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
    kinds = [type(row.get(name)) for name in _PARTS]
    if kinds == [str, str]:
        return row
    if kinds == [list, list]:
        return _checked({**row, **{name: [_message(one) for one in row[name]] for name in _PARTS}}, number)
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
    last = max((at for at, message in enumerate(messages) if _role(message) == "assistant"), default=0)
    if not last:
        raise _error(row, number, f"has no turn of the assistant to train, after a prompt, in {name}")
    tools = {"tools": row["tools"]} if row.get("tools") else {}
    return {"prompt": messages[:last], "completion": [messages[last]], **tools}


def _message(message: Any) -> Any:
    """A message with OpenAI's names for its keys and roles; templates leave out roles that they do not know."""
    if not isinstance(message, dict):
        return message
    kept = {key: value for key, value in message.items() if key not in ("from", "value") and value is not None}
    if "tool_calls" in kept:
        kept["tool_calls"] = _without_nulls(kept["tool_calls"])
    role = kept.get("role") or message.get("from")
    role = _ROLES.get(role.lower(), role) if isinstance(role, str) else role
    return {**kept, "role": role, "content": kept.get("content", message.get("value"))}


def _role(message: Any) -> Any:
    return message.get("role") if isinstance(message, dict) else None


def _checked(row: dict[str, Any], number: int) -> dict[str, Any]:
    """A conversational row whose messages have texts and known roles, and whose tools are a list."""
    if row.get("tools"):
        row = {**row, "tools": _tools(row, number)}
    for name in _PARTS:
        for message in row[name]:
            if not isinstance(message, dict):
                raise _error(row, number, f"has {message!r:.80} in its {name}, which is not a message")
            if _role(message) not in _ROLES.values():
                problem = f"has a message of role {_role(message)!r:.40} in its {name}"
                raise _error(row, number, f"{problem}; name its role one of {', '.join(_ROLES)}")
    return {**row, "completion": [_answer(row, message, number) for message in row["completion"]]}


def _answer(row: dict[str, Any], message: Message, number: int) -> Message:
    """A message of a completion; its reasoning, where that is a field, at the beginning of its text."""
    text = message.get("content")
    if not isinstance(text, str):
        content = f"{text!r:.40}" + (" and tool_calls" if message.get("tool_calls") else "")
        raise _error(row, number, f"has a completion whose content is {content}, not a text: write calls as text")
    given = next((message[name] for name in _REASONING if message.get(name)), None)
    if given is None or CLOSE in text:
        return message
    if not isinstance(given, str):
        raise _error(row, number, f"has a completion whose reasoning is {given!r:.40}, not a text")
    kept = {key: value for key, value in message.items() if key not in _REASONING}
    given = given.strip().removeprefix(OPEN).removesuffix(CLOSE)
    return {**kept, "content": f"{OPEN}{given}{CLOSE}\n\n{text}"}


def _tools(row: dict[str, Any], number: int) -> list[Any] | None:
    """The tools of a row, which may be JSON texts (as TRL allows, for columns of one type), alone or in a list."""
    try:
        tools = _from_text(row["tools"])
        tools = [_from_text(tool) for tool in (tools if isinstance(tools, list) else [tools] if tools else [])]
    except ValueError:
        raise _error(row, number, f"has tools that are not JSON ({row['tools']!r:.40})") from None
    return _without_nulls(tools) or None


def _from_text(value: Any) -> Any:
    return (json.loads(value) if value.strip() else None) if isinstance(value, str) else value


def _without_nulls(value: Any) -> Any:
    """A value without the keys that an Arrow table gives to all its rows, with null where a row had none."""
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


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
