"""The rows of data/<set>/train.jsonl in the forms that trainers read."""

import re
from itertools import groupby

from funreason.calls import CompletionError, split_completion
from funreason.core.errors import DataError

REMEDY = "rerun the set's validate stage, or the set it builds on"
SPEAKERS = {"user": "human", "assistant": "gpt", "tool": "observation"}  # ShareGPT's names for the roles
# Perhaps a system message, the turns of a conversation, then what the completion answers.
_LETTERS = {"system": "s", "user": "u", "assistant": "a", "tool": "t"}
_ORDER = re.compile(r"s?(?:ua(?:t+a)*)*u(?:at+)*a")


def checked(row: dict, where: str) -> tuple[str | None, str]:
    """(reasoning, result) of a training row; reasoning is None where there is none.

    Raises DataError for a row whose prompt is not a system message (may be missing) and a conversation that the
    completion goes on with, or whose query or result is empty: it would teach to say nothing.
    """
    said = f"{where}, id {row.get('id')!r}"
    if set(row) != {"id", "prompt", "completion"} or not isinstance(row["id"], str):
        raise DataError(f"{said} has the fields {sorted(row)}, expected id (a text), prompt, completion; {REMEDY}")
    prompt, completion = _contents(row["prompt"], said), _contents(row["completion"], said)
    roles = [role for role, _ in [*prompt, *completion]]
    if len(completion) != 1 or not _ORDER.fullmatch("".join(_LETTERS.get(role, "?") for role in roles)):
        raise DataError(f"{said} has the roles {roles}, expected system, user, assistant or a conversation; {REMEDY}")
    try:
        reasoning, result = split_completion(completion[0][1])
    except CompletionError as error:
        raise DataError(f"{said}: {error}") from None
    asked = all(content.strip() for role, content in prompt if role == "user")
    if not asked or not result:
        raise DataError(f"{said} is without a {'result' if asked else 'query'}; {REMEDY}")
    return reasoning, result


def _contents(messages, said: str) -> list[tuple[str, str]]:
    try:
        found = [(message["role"], message["content"]) for message in messages]
    except (KeyError, TypeError):
        raise DataError(f"{said} holds what is no list of messages with role and content; {REMEDY}") from None
    if not all(isinstance(role, str) and isinstance(content, str) for role, content in found):
        raise DataError(f"{said} holds a message without text; {REMEDY}")
    return found


def is_conversation(row: dict) -> bool:
    """Whether there are turns of the assistant before the completion of a checked row."""
    return any(message["role"] == "assistant" for message in row["prompt"])


def sharegpt(row: dict) -> dict:
    """A checked training row in ShareGPT's form, as LLaMA-Factory reads it.

    `tools` is empty although there are tools: the system prompt already names them, as BFCL's prompt mode does.
    LLaMA-Factory would write a list in `tools` into the prompt a second time, in the form of its own chat template,
    with instructions for a call format that the completions do not have. For the same reason earlier calls are `gpt`
    turns, and results that follow one another are one `observation`: it wants the speakers to take turns.
    """
    first = row["prompt"][0]
    system = first["content"] if first["role"] == "system" else ""
    said = [message for message in [*row["prompt"], *row["completion"]] if message["role"] != "system"]
    turns = [(role, [message["content"] for message in run]) for role, run in groupby(said, lambda said: said["role"])]
    conversations = [{"from": SPEAKERS[role], "value": "\n".join(texts)} for role, texts in turns]
    return {"id": row["id"], "conversations": conversations, "system": system, "tools": ""}


def dataset_info(name: str) -> dict:
    """LLaMA-Factory's dataset_info.json: its `dataset_dir` is the published folder, its `dataset` funreason_<set>."""
    columns = {"messages": "conversations", "system": "system", "tools": "tools"}
    entry = {"file_name": "sharegpt/train.jsonl", "formatting": "sharegpt", "columns": columns}
    return {f"funreason_{name}": entry}
