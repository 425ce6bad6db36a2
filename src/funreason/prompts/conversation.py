"""A row as a chat to go on with, and as what a judge is shown for the query; in a conversation with what came before.

A module of its own: the toy models depend on the one beside it, which a conversation does not change.
"""

import json

from funreason.core.records import Sample, Task
from funreason.prompts import calling_messages

ABOUT = "A conversation, one message a line as JSON. The answer to be judged is the assistant's next turn."


def chat(row: Task | Sample) -> list[dict]:
    """The chat that asks for the answer of a row."""
    system, query = calling_messages(row.query, row.tools)
    return [system, *row.history, query, *row.steps]


def transcript(row: Task | Sample) -> str:
    """The query, or the whole conversation: as JSON, so that no message can pass for two, or for another role's."""
    if not (row.history or row.steps):
        return row.query
    return "\n".join([ABOUT, *(json.dumps(message, ensure_ascii=False) for message in chat(row)[1:])])
