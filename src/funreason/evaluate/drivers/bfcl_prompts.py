"""Write BFCL's own prompts: {"categories", "limit"} → {category: [{"id", "messages"}]}.

Run as: .venv-bfcl/bin/python bfcl_prompts.py < request.json > prompts.json
"""

from bfcl_release import entries, messages
from channel import open_channel


def prompts(category: str, limit: int | None) -> list[dict]:
    """The first `limit` entries (None: all) of a single-turn category, in the order of BFCL's file."""
    return [{"id": entry["id"], "messages": messages(entry, category)} for entry in entries(category)[:limit]]


if __name__ == "__main__":
    request, reply = open_channel()
    reply({category: prompts(category, request["limit"]) for category in request["categories"]})
