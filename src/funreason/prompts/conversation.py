"""A row as the chat that asks for its answer, and as the text that a judge sees in the place of the query."""

import json
from typing import Any

from funreason.calls.marks import json_escaped
from funreason.core.records import Sample, Task
from funreason.prompts import calling_messages

ABOUT = "A conversation, one message per line as JSON. The answer to be judged is the assistant's next turn."


def chat(row: Task | Sample) -> list[dict[str, Any]]:
    """The chat that asks for the answer of a row.

    The system message of a conversation follows the calling prompt. The reasoning of earlier calls of the turn is under
    `reasoning_content`, as chat templates that show it know it.
    """
    prompt, query = calling_messages(row.query, row.tools)
    system, history = _system(row)
    content = "\n".join([json_escaped(prompt["content"]), *system])  # a tool may not open the reasoning
    return [prompt | {"content": content}, *history, query, *map(_step, row.steps)]


def transcript(row: Task | Sample) -> str:
    """The query, or the whole conversation: as JSON, so that no message can pass for two or for one of another role."""
    if not (row.history or row.steps):
        return row.query
    said = [*row.history, {"role": "user", "content": row.query}, *row.steps]
    messages = [{"role": message["role"], "content": message["content"]} for message in said]
    return "\n".join([ABOUT, *(json.dumps(message, ensure_ascii=False) for message in messages)])


def _system(row: Task | Sample) -> tuple[list[str], list[dict[str, Any]]]:
    """The texts of the system messages that a conversation begins with, and the messages after them."""
    history = list(row.history)
    texts = []
    while history and history[0]["role"] == "system":
        texts.append(history.pop(0)["content"])
    return texts, history


def _step(message: dict[str, Any]) -> dict[str, Any]:
    step = {key: value for key, value in message.items() if key != "reasoning"}
    return step | ({"reasoning_content": message["reasoning"]} if message.get("reasoning") else {})
