"""The rows of data/<round>/train.jsonl: their check, and the form that other trainers read."""

import json
import re
from itertools import groupby
from typing import Any

from funreason.calls import CompletionError, split_completion
from funreason.core.errors import DataError

REMEDY = "rerun the stage validate of the round, or of the round that it builds on"
REASONING = "reasoning_content"  # of an earlier call of the same turn, beside the content of its message
# By first letters: perhaps a system message; then turns of the user, and of the assistant with results after them, in
# any order, as people publish them. The completion answers a user or a result.
_LETTERS = {"system": "s", "user": "u", "assistant": "a", "tool": "t"}
_ORDER = re.compile(r"(?=.*u)s?(?:u|at*)*(?:u|at+)a")


def reasoning_and_result(row: dict[str, Any], where: str) -> tuple[str | None, str]:
    """Check a training row, and split its completion.

    Args:
        row: The row, {"id", "prompt", "completion", "names"?}.
        where: File and line of the row, for an error.

    Returns:
        The reasoning, None where there is none, and the result.

    Raises:
        DataError: The prompt is not a conversation (with or without a system message) that the completion continues,
            or the query or the result is empty: such a row would teach to say nothing.
    """
    subject = f"{where}, id {row.get('id')!r}"
    if set(row) - {"names"} != {"id", "prompt", "completion"} or not isinstance(row["id"], str):
        raise DataError(f"{subject} has the fields {sorted(row)}, expected id (a text), prompt, completion; {REMEDY}")
    prompt, completion = _contents(row["prompt"], subject), _contents(row["completion"], subject)
    roles = [role for role, _ in [*prompt, *completion]]
    if len(completion) != 1 or not _ORDER.fullmatch("".join(_LETTERS.get(role, "?") for role in roles)):
        expected = "system, user, assistant or a conversation"
        raise DataError(f"{subject} has the roles {roles}, expected {expected}; {REMEDY}")
    try:
        reasoning, result = split_completion(completion[0][1])
    except CompletionError as error:
        raise DataError(f"{subject}: {error}") from None
    has_query = all(content.strip() for role, content in prompt if role == "user")
    if not has_query or not result:
        raise DataError(f"{subject} has no {'result' if has_query else 'query'}; {REMEDY}")
    return reasoning, result


def _contents(messages: Any, subject: str) -> list[tuple[str, str]]:
    """(role, content) of each message."""
    try:
        contents = [(message["role"], message["content"]) for message in messages]
    except (KeyError, TypeError):
        problem = "its prompt or completion is not a list of messages with role and content"
        raise DataError(f"{subject}: {problem}; {REMEDY}") from None
    if not all(isinstance(role, str) and isinstance(content, str) for role, content in contents):
        raise DataError(f"{subject} has a message without text; {REMEDY}")
    return contents


def continues_conversation(row: dict[str, Any]) -> bool:
    """Whether a checked row has turns of the assistant before its completion."""
    return any(message["role"] == "assistant" for message in row["prompt"])


def has_earlier_reasoning(row: dict[str, Any]) -> bool:
    """Whether a message of the prompt has a reasoning beside its content."""
    return any(message.get(REASONING) for message in row["prompt"])


def with_earlier_reasoning(row: dict[str, Any]) -> dict[str, Any]:
    """A training row whose messages in the prompt all have a reasoning, an empty text where there is none."""
    return row | {"prompt": [message | {REASONING: message.get(REASONING) or ""} for message in row["prompt"]]}


def sharegpt(row: dict[str, Any]) -> dict[str, Any]:
    """A checked training row in ShareGPT's form, as LLaMA-Factory reads it.

    `tools` is empty although there are tools: the system prompt already lists them, as BFCL's prompt mode does.
    LLaMA-Factory would write a list in `tools` into the prompt a second time, in the form of its own chat template,
    with instructions for a call format that the completions do not have. For the same reason earlier calls are `gpt`
    turns. All messages between two turns of the assistant are one turn of the user (or one `observation`), and so are
    several of the assistant in a row, since LLaMA-Factory requires that the speakers alternate.
    """
    first = row["prompt"][0]
    system = first["content"] if first["role"] == "system" else ""
    messages = [message for message in [*row["prompt"], *row["completion"]] if message["role"] != "system"]
    runs = [list(run) for _, run in groupby(messages, lambda message: message["role"] == "assistant")]
    conversations = [{"from": _speaker(run), "value": "\n".join(message["content"] for message in run)} for run in runs]
    return {"id": row["id"], "conversations": conversations, "system": system, "tools": ""}


def _speaker(run: list[dict[str, Any]]) -> str:
    """ShareGPT's name for who says some messages in a row."""
    roles = {message["role"] for message in run}
    return "gpt" if "assistant" in roles else "human" if "user" in roles else "observation"


def with_names(row: dict[str, Any], original: dict[str, Any]) -> dict[str, Any]:
    """A row of a form whose calls are text, with its map of names as JSON text, {} where it has none.

    Args:
        row: The row.
        original: The training row that it was made from.
    """
    return row | {"names": json.dumps(original.get("names", {}), ensure_ascii=False)}


def dataset_info(name: str) -> dict[str, Any]:
    """LLaMA-Factory's dataset_info.json: `dataset_dir` is the published folder, `dataset` is funreason_<round>."""
    columns = {"messages": "conversations", "system": "system", "tools": "tools"}
    entry = {"file_name": "sharegpt/train.jsonl", "formatting": "sharegpt", "columns": columns}
    return {f"funreason_{name}": entry}
