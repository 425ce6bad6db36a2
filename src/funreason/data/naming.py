"""The tasks of a row whose tools have names that calls cannot write: under identifiers, with the way back."""

from dataclasses import replace
from typing import Any

from funreason.calls import to_json_schema
from funreason.calls.names import NameMap
from funreason.core.errors import DataError
from funreason.core.records import Task
from funreason.data.fields import BadRow

Message = dict[str, Any]


def with_identifiers(tasks: list[Task], tools: list[dict[str, Any]]) -> list[Task]:
    """The tasks as models see them. What has identifiers already keeps them.

    Args:
        tasks: The tasks of one row.
        tools: The tools of the row, under the user's names.

    Returns:
        The tasks with `names`; the same list where every name can be written.

    Raises:
        BadRow: Two tools have one name, or a tool refers to a parameter whose name is replaced.
    """
    try:
        names = NameMap.of_chat(tools, (text for task in tasks for text in _texts_of_assistant(task)))
        if not names:
            return tasks
        for tool in names.tools(tools):
            to_json_schema(tool)
    except DataError as error:
        raise BadRow("bad tool", str(error)) from None
    return [_renamed(task, names) for task in tasks]


def _texts_of_assistant(task: Task) -> list[str]:
    """What the assistant wrote in a task: reasoning, calls and statements."""
    messages = [message for message in (*task.history, *task.steps) if message["role"] == "assistant"]
    texts = [text for message in messages for text in (message["content"], message.get("reasoning"))]
    texts += [task.response["cot"], task.response["answer"]] if task.response else []
    return [text for text in texts if text]


def _renamed(task: Task, names: NameMap) -> Task:
    response = task.response
    if response:
        response = {"cot": names.text(response["cot"]), "answer": names.answer(response["answer"])}
    return replace(
        task,
        tools=names.tools(task.tools),
        answers=names.calls(task.answers),
        response=response,
        history=[_message(message, names) for message in task.history],
        steps=[_message(message, names) for message in task.steps],
        names=names.to_row(),
    )


def _message(message: Message, names: NameMap) -> Message:
    if message["role"] != "assistant":
        return message
    reasoning = {"reasoning": names.text(message["reasoning"])} if "reasoning" in message else {}
    return message | {"content": names.answer(message["content"])} | reasoning
