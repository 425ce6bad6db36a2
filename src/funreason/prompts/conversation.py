"""A row as the chat that asks for its answer, and as the text that a judge sees in the place of the query."""

import json
from typing import Any

from funreason.core.records import Sample, Task
from funreason.prompts import calling_messages

ABOUT = "A conversation, one message per line as JSON. The answer to be judged is the assistant's next turn."


def chat(row: Task | Sample) -> list[dict[str, Any]]:
    """The chat that asks for the answer of a row."""
    system, query = calling_messages(row.query, row.tools)
    return [system, *row.history, query, *row.steps]


def transcript(row: Task | Sample) -> str:
    """The query, or the whole conversation: as JSON, so that no message can pass for two or for one of another role."""
    if not (row.history or row.steps):
        return row.query
    return "\n".join([ABOUT, *(json.dumps(message, ensure_ascii=False) for message in chat(row)[1:])])
