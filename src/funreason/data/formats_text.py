"""Conversations that are one text: glaive's `chat`, and the dialogue in ToolRL's `input`."""

import re
from typing import Any

_SPEAKER = re.compile(r"(?:\A|(?<=[\n>]))\s*(USER|ASSISTANT|FUNCTION RESPONSE|A)\s*:\s?|(?<=<\|endoftext\|>)\s*(?=\S)")
_GLAIVE = {"USER": "user", "ASSISTANT": "assistant", "A": "assistant", "FUNCTION RESPONSE": "tool"}
_END = "<|endoftext|>"
_TURNS = re.compile(r"<(user|obs)>(.*?)</\1>", re.DOTALL)
_HEAD = re.compile(r"\A\s*\**Dialogue Records History\**\s*")


def glaive_messages(chat: str) -> list[dict[str, Any]]:
    """The messages of glaive's `chat`: `USER: … ASSISTANT: … <|endoftext|> FUNCTION RESPONSE: …`."""
    marks = [match for match in _SPEAKER.finditer(chat) if match[1]]
    messages = []
    for at, mark in enumerate(marks):
        end = marks[at + 1].start() if at + 1 < len(marks) else len(chat)
        content = chat[mark.end() : end].replace(_END, "").strip()
        if content or mark[1] == "FUNCTION RESPONSE":
            messages.append({"role": _GLAIVE[mark[1]], "content": content})
    return messages


def toolrl_messages(text: str) -> list[dict[str, Any]]:
    """The messages of ToolRL's `input`: `<user>…</user>`, turns of the assistant, `<obs>…</obs>`; else the user's."""
    text = _HEAD.sub("", text)
    messages: list[dict[str, Any]] = []
    at = 0
    for match in _TURNS.finditer(text):
        if between := text[at : match.start()].strip():
            messages.append({"role": "assistant", "content": between})
        messages.append({"role": "user" if match[1] == "user" else "tool", "content": match[2].strip()})
        at = match.end()
    if not messages:
        return [{"role": "user", "content": text.strip()}]
    if after := text[at:].strip():
        messages.append({"role": "assistant", "content": after})
    return messages
