"""A training row as the request that a client sends to a server: messages and tools of OpenAI's API."""

import json
from dataclasses import dataclass
from typing import Any

from funreason.calls import CallSyntaxError, parse
from funreason.calls.marks import json_escaped
from funreason.calls.names import NameMap
from funreason.core.errors import DataError
from funreason.prompts import calling_prompt, split_calling_prompt
from funreason.serve.conversation import REASONING

Message = dict[str, Any]


@dataclass(frozen=True)
class ChatRequest:
    """What a client sends.

    Attributes:
        messages: OpenAI's messages; the arguments of calls are JSON texts.
        tools: OpenAI's tools under the user's names; None where the row has no calling prompt.
    """

    messages: list[Message]
    tools: list[dict[str, Any]] | None


def request_of(row: dict[str, Any]) -> ChatRequest:
    """The request that asks for the completion of a training row.

    Args:
        row: {"prompt", "completion", "names"?}, the prompt a list of messages.

    Raises:
        DataError: Its map of names is broken.
    """
    messages = list(row["prompt"])
    names = NameMap.from_row(row.get("names") or {})
    tools = None
    if messages and messages[0]["role"] == "system":
        try:
            functions, system = _split(messages[0]["content"])
        except DataError:
            pass  # a system prompt of the user's own
        else:
            tools = [{"type": "function", "function": tool} for tool in names.undo_tools(functions)]
            messages[:1] = [{"role": "system", "content": system}] if system else []
    return ChatRequest(numbered([_message(message, names) for message in messages]), tools)


def plain_arguments(messages: list[Message]) -> list[Message]:
    """The messages with the arguments of calls as objects, as servers hand them to a template."""
    return [
        message | {"tool_calls": [_with_object(call) for call in message["tool_calls"]]}
        if message.get("tool_calls")
        else message
        for message in messages
    ]


def numbered(messages: list[Message]) -> list[Message]:
    """The messages with ids of calls, which their results name."""
    out, number, waiting = [], 0, list[str]()
    for message in messages:
        if message.get("tool_calls"):
            ids = [f"call_{number + at}" for at in range(len(message["tool_calls"]))]
            number, waiting = number + len(ids), list(ids)
            calls = [{"id": name} | call for name, call in zip(ids, message["tool_calls"], strict=True)]
            message = message | {"tool_calls": calls}
        elif message["role"] == "tool":
            message = message | {"tool_call_id": waiting.pop(0) if waiting else "call_unknown"}
        out.append(message)
    return out


def _split(content: str) -> tuple[list[dict[str, Any]], str]:
    """The functions of a calling prompt, and the system text after it, to the character."""
    functions, stripped = split_calling_prompt(content)
    whole = json_escaped(calling_prompt(functions)) + "\n"
    return functions, content[len(whole) :] if content.startswith(whole) else stripped


def _message(message: Message, names: NameMap) -> Message:
    content, reasoning = message["content"], message.get(REASONING[0])
    if message["role"] != "assistant":
        return {"role": message["role"], "content": content}
    kept = {REASONING[0]: names.undo_text(reasoning)} if reasoning else {}
    try:
        calls = names.undo_calls(parse(content))
    except CallSyntaxError:
        calls = []
    if not calls:
        return {"role": "assistant", "content": names.undo_text(content)} | kept
    functions = [{"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)} for call in calls]
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"type": "function", "function": function} for function in functions],
    } | kept


def _with_object(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    arguments = function.get("arguments")
    return call | {"function": function | {"arguments": json.loads(arguments) if arguments else {}}}
