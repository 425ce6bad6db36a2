"""OpenAI's messages and tools → the chat that the model was trained on, by the code that made the training rows."""

import json
from collections.abc import Iterable
from typing import Any

from funreason.calls import render, to_bfcl
from funreason.calls.marks import json_escaped
from funreason.calls.names import NameMap
from funreason.calls.tools import distinct_tools, read_tool
from funreason.core.errors import DataError
from funreason.prompts import calling_prompt
from funreason.srml.controls import CLOSE, OPEN

Message = dict[str, Any]
Tool = dict[str, Any]

REASONING = ("reasoning_content", "reasoning", "thinking")


def read_tools(tools: Iterable[Any]) -> list[Tool]:
    """Tools of a request in xLAM's or BFCL's form, under the user's names.

    Raises:
        DataError: A tool cannot be read, or two that differ have one name.
    """
    return distinct_tools([read_tool(_without_null(tool)) for tool in tools])


def names_of(tools: Iterable[Any], texts: Iterable[str] = ()) -> NameMap:
    """The identifiers of a request's tools, which the model was trained on; see `NameMap.of`."""
    return NameMap.of(read_tools(tools), texts)


def training_chat(messages: list[Message], tools: list[Any] | None) -> list[Message]:
    """The chat of a request, as a row of the training set has it.

    Args:
        messages: Messages of OpenAI's API; the arguments of calls are JSON texts or objects.
        tools: Tools in any form that `calls.tools.read_tool` reads; None for a chat without tools, which stays as it
            is. An empty list is a list without tools.

    Returns:
        The messages under the calling prompt, calls as text, the reasoning of the running turn's calls under
        `reasoning_content`.

    Raises:
        DataError: A tool or a call cannot be read.
    """
    chat = [_plain(message) for message in messages]
    if tools is None:
        return _current_reasoning(chat)
    known = read_tools(tools)
    texts = (message["content"] for message in chat if message["role"] == "assistant" and "calls" not in message)
    names = NameMap.of_chat(known, texts)
    system = "\n\n".join(message["content"] for message in chat if message["role"] == "system" and message["content"])
    turns = [_named(message, names) for message in chat if message["role"] != "system"]
    prompt = json_escaped(calling_prompt([to_bfcl(tool) for tool in names.tools(known)]))
    content = "\n".join([prompt, *([system] if system else [])])
    return [{"role": "system", "content": content}, *_current_reasoning(_joined(turns))]


def _without_null(tool: Any) -> Any:
    """A tool without a null description, which servers write where there is none."""
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or tool.get("name") or function.get("description", "") is not None:
        return tool
    return {**tool, "function": {key: value for key, value in function.items() if key != "description"}}


def _plain(message: Message) -> Message:
    """A message with a text as its content, and its calls apart."""
    role = "system" if message["role"] == "developer" else message["role"]
    plain = {"role": role, "content": _text(message.get("content"))}
    if role != "assistant":
        return plain
    reasoning = next((message[key] for key in REASONING if message.get(key)), "")
    if plain["content"].lstrip().startswith(OPEN) and CLOSE in plain["content"]:
        before, _, after = plain["content"].partition(CLOSE)
        reasoning = reasoning or before.lstrip().removeprefix(OPEN).strip()
        plain["content"] = after.strip()
    if message.get("tool_calls"):
        plain["calls"] = [_call(call) for call in message["tool_calls"]]
    return plain | ({REASONING[0]: reasoning} if reasoning else {})


def _text(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    parts = [content] if isinstance(content, dict) else content
    return "\n".join(part if isinstance(part, str) else part.get("text") or "" for part in parts)


def _call(call: Any) -> dict[str, Any]:
    function = call.get("function") or call
    arguments = function.get("arguments") or {}
    try:
        read = json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError as error:
        raise DataError(f"arguments of {function.get('name')!r:.80} are not JSON ({error}): send an object") from None
    if read is not None and not isinstance(read, dict):
        raise DataError(f"arguments of {function.get('name')!r:.80} are {arguments!r:.80}: send an object")
    return {"name": function.get("name"), "arguments": read or {}}


def _named(message: Message, names: NameMap) -> Message:
    """A turn of the assistant under the identifiers of the tools."""
    if message["role"] != "assistant":
        return message
    content = render(names.calls(message["calls"])) if "calls" in message else names.answer(message["content"])
    kept = {key: names.text(message[key]) for key in REASONING if message.get(key)}
    return {"role": "assistant", "content": content} | kept


def _joined(messages: list[Message]) -> list[Message]:
    """The messages, those of the user that follow each other as one, as the training rows have them."""
    out: list[Message] = []
    for message in messages:
        if out and message["role"] == out[-1]["role"] == "user":
            texts = [out.pop()["content"], message["content"]]
            message = message | {"content": "\n\n".join(filter(None, texts))}
        out.append(message)
    return out


def _current_reasoning(messages: list[Message]) -> list[Message]:
    """The messages with the reasoning of the running turn alone: that of a turn that is over is not shown."""
    last = max((at for at, message in enumerate(messages) if message["role"] == "user"), default=-1)
    return [
        {key: value for key, value in message.items() if at > last or key not in REASONING}
        for at, message in enumerate(messages)
    ]
