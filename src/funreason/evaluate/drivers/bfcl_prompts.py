"""Write BFCL's own prompts: {"categories", "limit"} → {category: [{"id", "messages"}]}.

Run as: .venv-bfcl/bin/python bfcl_prompts.py < request.json > prompts.json
"""

import bfcl_stub  # noqa: F401  must come before bfcl_eval
from bfcl_eval.model_handler.utils import system_prompt_pre_processing_chat_model
from bfcl_eval.utils import load_dataset_entry
from channel import open_channel


def prompts(category: str, limit: int | None) -> list[dict]:
    """The first `limit` entries of a single-turn category, in the order of BFCL's file."""
    return [
        {
            "id": entry["id"],
            "messages": system_prompt_pre_processing_chat_model(entry["question"][0], entry["function"], entry["id"]),
        }
        for entry in load_dataset_entry(category)[:limit]
    ]


if __name__ == "__main__":
    request, reply = open_channel()
    reply({category: prompts(category, request["limit"]) for category in request["categories"]})
