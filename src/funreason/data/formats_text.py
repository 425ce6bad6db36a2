"""Conversations that are one text: glaive's `chat`, and the dialogue in ToolRL's `input`."""

import re
from typing import Any

_SPEAKERS = {"USER": "user", "ASSISTANT": "assistant", "FUNCTION RESPONSE": "tool"}
_AT_LINE = re.compile(r"^[ \t]*(USER|ASSISTANT|FUNCTION RESPONSE):", re.MULTILINE)
_ANYWHERE = re.compile(r"(?:\A|(?<=\s))(USER|ASSISTANT|FUNCTION RESPONSE):")  # of a chat in one line
_END = "<|endoftext|>"
_TURNS = re.compile(r"<(user|obs)>(.*?)</\1>", re.DOTALL)
# ToolRL's RL data has one of these in the place of every reasoning.
_PLACEHOLDER = re.compile(
    r"<think>\s*I should (?:use the appropriate tool with proper parameters to|directly) respond to the user's need\."
    r"\s*</think>\s*"
)
_HEAD = re.compile(r"\A\s*\**Dialogue Records History\**\s*")


def glaive_messages(chat: str) -> list[dict[str, Any]]:
    """The messages of glaive's `chat`: `USER: … ASSISTANT: … <|endoftext|> FUNCTION RESPONSE: …`."""
    marks = list(_AT_LINE.finditer(chat))
    if len(marks) < 2:
        marks = list(_ANYWHERE.finditer(chat))
    messages = []
    for at, mark in enumerate(marks):
        end = marks[at + 1].start() if at + 1 < len(marks) else len(chat)
        content = chat[mark.end() : end].replace(_END, "").strip()
        if content or mark[1] == "FUNCTION RESPONSE":
            messages.append({"role": _SPEAKERS[mark[1]], "content": content})
    return messages


def toolrl_messages(text: str) -> list[dict[str, Any]]:
    """The messages of ToolRL's `input`: `<user>…</user>`, turns of the assistant, `<obs>…</obs>`; else the user's."""
    text = _HEAD.sub("", text)
    messages: list[dict[str, Any]] = []
    at = 0
    for match in _TURNS.finditer(text):
        if between := text[at : match.start()].strip():
            messages.append({"role": "assistant", "content": without_placeholder(between)})
        messages.append({"role": "user" if match[1] == "user" else "tool", "content": match[2].strip()})
        at = match.end()
    if not messages:
        return [{"role": "user", "content": text.strip()}]
    if after := text[at:].strip():
        messages.append({"role": "assistant", "content": without_placeholder(after)})
    return messages


def without_placeholder(text: str) -> str:
    """A turn of ToolRL without the sentence that its RL data has in the place of a reasoning."""
    return _PLACEHOLDER.sub("", text)
