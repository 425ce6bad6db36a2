"""The rows of data/<set>/train.jsonl in the forms that trainers read."""

from funreason.calls import CompletionError, split_completion
from funreason.errors import DataError

REMEDY = "rerun the set's validate stage, or the set it builds on"


def checked(row: dict, where: str) -> tuple[str, str, str | None, str]:
    """(system, query, reasoning, result) of a training row; reasoning is None where there is none.

    Raises DataError for a row that is not one system message (may be missing), one of the user and one completion,
    or whose query or result is empty: it would teach to say nothing.
    """
    said = f"{where}, id {row.get('id')!r}"
    if set(row) != {"id", "prompt", "completion"} or not isinstance(row["id"], str):
        raise DataError(f"{said} has the fields {sorted(row)}, expected id (a text), prompt, completion; {REMEDY}")
    prompt, completion = _contents(row["prompt"], said), _contents(row["completion"], said)
    roles = [role for role, _ in [*prompt, *completion]]
    if roles not in (["system", "user", "assistant"], ["user", "assistant"]) or len(completion) != 1:
        raise DataError(f"{said} has the roles {roles}, expected system, user, assistant; {REMEDY}")
    try:
        reasoning, result = split_completion(completion[0][1])
    except CompletionError as error:
        raise DataError(f"{said}: {error}") from None
    if not prompt[-1][1].strip() or not result:
        raise DataError(f"{said} is without a {'result' if prompt[-1][1].strip() else 'query'}; {REMEDY}")
    return (prompt[0][1] if len(prompt) == 2 else ""), prompt[-1][1], reasoning, result


def _contents(messages, said: str) -> list[tuple[str, str]]:
    try:
        found = [(message["role"], message["content"]) for message in messages]
    except (KeyError, TypeError):
        raise DataError(f"{said} holds what is no list of messages with role and content; {REMEDY}") from None
    if not all(isinstance(content, str) for _, content in found):
        raise DataError(f"{said} holds a message without text; {REMEDY}")
    return found


def sharegpt(row: dict) -> dict:
    """A checked training row in ShareGPT's form, as LLaMA-Factory reads it.

    `tools` is empty although there are tools: the system prompt already names them, as BFCL's prompt mode does.
    LLaMA-Factory would write a list in `tools` into the prompt a second time, in the form of its own chat template,
    with instructions for a call format that the completions do not have.
    """
    system = [message["content"] for message in row["prompt"] if message["role"] == "system"]
    said = [("human", row["prompt"][-1]["content"]), ("gpt", row["completion"][0]["content"])]
    return {
        "id": row["id"],
        "conversations": [{"from": who, "value": text} for who, text in said],
        "system": system[0] if system else "",
        "tools": "",
    }


def dataset_info(name: str) -> dict:
    """LLaMA-Factory's dataset_info.json: its `dataset_dir` is the published folder, its `dataset` funreason_<set>."""
    columns = {"messages": "conversations", "system": "system", "tools": "tools"}
    entry = {"file_name": "sharegpt/train.jsonl", "formatting": "sharegpt", "columns": columns}
    return {f"funreason_{name}": entry}
