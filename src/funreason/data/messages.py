"""One message of a conversation, from any published spelling of it.

The roles of OpenAI, ShareGPT, LLaMA-Factory and Gemini; contents that are a text, a list of parts (OpenAI) or of blocks
(Anthropic); calls in a field or in the text (`calltext`); reasoning in a field, a block or the text.
"""

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

from funreason.data.calltext import CallReader, Calls, Said, split_reasoning
from funreason.data.fields import BadRow, carries_text
from funreason.data.jsontext import ABSENT, REPEATED

ROLES = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user",
    "assistant": "assistant", "gpt": "assistant", "model": "assistant", "bot": "assistant", "ai": "assistant",
    "function_call": "assistant", "tool_call": "assistant", "tool_calls": "assistant", "function-call": "assistant",
    "tool": "tool", "observation": "tool", "function": "tool", "tool_response": "tool", "tool_result": "tool",
    "function_call_output": "tool",
    "function_response": "tool", "function-response": "tool", "ipython": "tool", "obs": "tool",
}  # fmt: skip
REASONING = ("reasoning_content", "reasoning", "thinking")
CALLS = ("tool_calls", "function_call")
_WEIGHTS = ("weight", "loss", "loss_weight", "train")  # 0 and false: of OpenAI, ms-swift and Axolotl
KNOWN = {"role", "from", "content", "value", "text", "refusal", "output", "arguments", *REASONING, *CALLS, *_WEIGHTS,
         "tool_call_id", "call_id", "id", "name", "type", "status", "index"}  # fmt: skip
_ONLY_CALLS = ("function_call", "tool_call", "tool_calls", "function-call")
_RESULT = re.compile(r"<tool_response>\s*(.*?)\s*(?:</tool_response>|(?=<tool_response>)|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Message:
    """A message, read.

    Attributes:
        role: system, user, assistant or tool.
        text: The text of the message; for the assistant the text beside calls, or the statement.
        calls: The calls of the assistant.
        none: Whether the assistant says with an empty list that no call fits.
        reasoning: The reasoning of the assistant, None where there is none.
        written: The calls as the source writes them, where that is the call language.
        problem: Why this message cannot be learned from, None where it can.
        lost: Whether later turns cannot be learned from either.
    """

    role: str
    text: str = ""
    calls: Calls = field(default_factory=list)
    none: bool = False
    reasoning: str | None = None
    written: str | None = None
    problem: str | None = None
    lost: bool = False


def read_message(message: Any, reader: CallReader) -> list[Message]:
    """The messages that one message of a source is: several where it holds several results.

    Args:
        message: The message as published.
        reader: Reads calls.

    Returns:
        At least one message; one that cannot be read has a `problem`.

    Raises:
        BadRow: A key stands twice in JSON of the message.
    """
    role = "user"
    try:
        role, name = _role(message)
        content = _first(message, "content", "value", "text", "refusal", "output")
        if role == "assistant":
            if content is None and name in _ONLY_CALLS and isinstance(message.get("name"), str):
                content = message  # an item of OpenAI's Responses
            return [_taught(message, _assistant(message, content, name in _ONLY_CALLS, reader))]
        blocks = content if isinstance(content, list) else None
        if role == "tool":
            return [Message("tool", text) for text in _results(content)]
        if blocks and any(isinstance(block, dict) and block.get("type") == "tool_result" for block in blocks):
            return _results_of_blocks(blocks)
        text = _text(content)
        if role == "user" and text.lstrip().startswith("<tool_response>"):
            results, rest = [Message("tool", result) for result in _results(text)], _RESULT.sub("", text).strip()
            return [*results, Message("user", rest)] if rest else results
        if not text.strip() and role == "user":
            raise BadRow("bad message", f"a message of {name} is {content!r:.80}, expected a text")
        return [Message(role, text)]
    except BadRow as bad:
        if bad.kind == REPEATED:
            raise
        return [Message(role, problem=str(bad), lost=True)]


def _taught(message: dict[str, Any], read: Message) -> Message:
    """A turn of the assistant; one that the source says not to learn stays in the context of later ones."""
    for name in _WEIGHTS:
        if message.get(name) in (0, False) and not read.problem:
            return replace(read, problem=f"not to be learned: its {name} is {message[name]!r}")
    return read


def unknown_texts(message: Any) -> list[str]:
    """The keys of a message that carry a text which nothing reads."""
    if not isinstance(message, dict) or message.keys() <= KNOWN:
        return []
    return [key for key, value in message.items() if key not in KNOWN and carries_text(value)]


def _first(message: dict[str, Any], *names: str) -> Any:
    # A table of the hub has all columns, with null where a message does not use them.
    return next((message[name] for name in names if message.get(name) is not None), None)


def _role(message: Any) -> tuple[str, str]:
    if not isinstance(message, dict):
        raise BadRow("bad message", f"{message!r:.80}, expected role and content")
    name = _first(message, "role", "from", "type")  # the last of OpenAI's Responses
    role = ROLES.get(name.lower()) if isinstance(name, str) else None
    if role is None:
        raise BadRow("bad role", f"a message is of {name!r:.80}, allowed are {', '.join(ROLES)}")
    return role, name.lower()


def _text(content: Any) -> str:
    """The text of a content: itself, or the texts of its parts."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        raise BadRow("bad message", f"the content is {content!r:.80}, expected a text")
    return "\n".join(_part(part) for part in content)


def _part(part: Any) -> str:
    text = part if isinstance(part, str) else part.get("text") if isinstance(part, dict) else None
    if not isinstance(text, str):
        kind = part.get("type") if isinstance(part, dict) else type(part).__name__
        raise BadRow("bad message", f"a part of the content is {kind!r:.80}, only texts can be read")
    return text


def _results(content: Any) -> list[str]:
    """The results of a message of role tool."""
    if isinstance(content, list) and content and all(_is_text_part(part) for part in content):
        content = _text(content)
    if content is None:
        return [""]
    if not isinstance(content, str):
        return [json.dumps(content, ensure_ascii=False, default=str)]
    if "<tool_response>" in content:
        return _RESULT.findall(content)
    return [content]


def _is_text_part(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _results_of_blocks(blocks: list[Any]) -> list[Message]:
    """The results, then the text, of a message of the user in Anthropic's form."""
    out, texts = [], []
    for block in blocks:
        if isinstance(block, dict) and block.get("type") == "tool_result":
            out += [Message("tool", text) for text in _results(block.get("content"))]
        else:
            texts.append(_part(block))
    text = "\n".join(texts)
    return [*out, Message("user", text)] if text.strip() else out


def _assistant(message: dict[str, Any], content: Any, calls_only: bool, reader: CallReader) -> Message:
    """A turn of the assistant."""
    reasonings = [_reasoning(message[name]) for name in REASONING if message.get(name) not in ABSENT]
    in_field = next(filter(None, (reader.calls(message.get(name)) for name in CALLS)), [])  # some give one twice
    said = _said(content, calls_only, reader)
    if said.reasoning and said.reasoning not in reasonings:
        reasonings.append(said.reasoning)
    calls = in_field or said.calls
    problem, lost = said.problem, said.lost and not in_field
    if problem and lost and reasonings:  # of a field: as where the reasoning stands in the text
        text = content if isinstance(content, str) else said.text
        return Message("assistant", text, reasoning="\n\n".join(reasonings), written=text, lost=True)
    if not calls and not said.none and not said.text and not problem:
        problem, lost = f"bad message: a turn of the assistant is {content!r:.80}, expected calls or a statement", True
    elif calls_only and not calls and not problem:
        problem, lost = f"bad message: {content!r:.80}, expected only calls", True
    written = None if in_field else said.written
    reasoning = "\n\n".join(dict.fromkeys(reasonings)) or None
    return Message("assistant", said.text, calls, said.none, reasoning, written, problem, lost)


def _reasoning(value: Any) -> str:
    if not isinstance(value, str):
        value = _text(value)
    inner, rest, problem, _ = split_reasoning(value)
    if problem:
        raise BadRow("unreadable reasoning", problem.partition(": ")[2])
    return "\n\n".join(filter(None, (inner, rest)))


def _said(content: Any, calls_only: bool, reader: CallReader) -> Said:
    """What the content says: a text, calls as JSON, or blocks."""
    if content is None:
        return Said()
    if isinstance(content, str):
        if calls_only and content.strip() and not content.lstrip().startswith(("<", "`")):
            return _only_calls(content, reader)
        return reader.text(content)
    if content == []:
        return Said(none=True)
    if isinstance(content, list) and any(_is_block(part) for part in content):
        return _blocks(content, reader)
    return Said(calls=reader.calls(content))


def _is_block(part: Any) -> bool:
    """Whether a part of a content is a block, and not a call in xLAM's or OpenAI's form."""
    if isinstance(part, str):
        return True
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return False
    return part["type"] == "tool_use" or part.get("name") is part.get("function") is None


def _only_calls(content: str, reader: CallReader) -> Said:
    """A content of a role that only calls: JSON, or the call language, perhaps after its reasoning."""
    said = reader.text(content)
    if said.calls or said.problem or said.none:
        return said
    try:
        return Said(calls=reader.calls(content))
    except BadRow as bad:
        if bad.kind == REPEATED:
            raise
        return Said(problem=f"unreadable call: {content!r:.80}", lost=True)


def _blocks(blocks: list[Any], reader: CallReader) -> Said:
    """Anthropic's blocks and OpenAI's parts: text, thinking, tool_use."""
    thoughts, texts, calls = [], [], []
    for block in blocks:
        kind = block.get("type") if isinstance(block, dict) else None
        if kind in ("thinking", "reasoning"):
            thoughts.append(_part({"text": _first(block, "thinking", "reasoning", "text")}))
        elif kind in ("tool_use", "tool_call", "function_call", "function"):
            calls += reader.calls(block)
        elif kind != "redacted_thinking":
            texts.append(_part(block))
    said = reader.text("\n".join(texts)) if texts else Said()
    reasoning = "\n\n".join(filter(None, [*thoughts, said.reasoning])) or None
    return Said(
        said.text, calls or said.calls, said.none, reasoning, None if calls else said.written, said.problem, said.lost
    )
