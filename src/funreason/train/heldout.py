"""The rows whose losses are measured and not trained on."""

import hashlib
import json


def split(rows: list[dict], share: float) -> tuple[list[dict], list[dict]]:
    """(rows to train on, rows held out): about `share` of all, 0 to 1, chosen by a hash of how the prompt begins.

    So the sets of a chain hold the same queries out, whatever their number and order of rows, and neither a query nor
    the turns of a conversation are on both sides.
    """
    sides: tuple[list, list] = [], []
    for row in rows:
        text = json.dumps(_opening(row["prompt"]), sort_keys=True, ensure_ascii=False)
        place = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64
        sides[place < share].append(row)
    return sides


def _opening(prompt: str | list[dict]) -> str | list[dict]:
    """A prompt up to the first message of the user, which is all of it but in a conversation."""
    if isinstance(prompt, str):
        return prompt
    roles = [message["role"] for message in prompt]
    return prompt[: roles.index("user") + 1] if "user" in roles else prompt
