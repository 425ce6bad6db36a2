"""Write BFCL's own prompts: {"categories", "limit", "tools"} → {category: [{"id", "messages"}]}.

With "tools", for a tools API: the question alone as "messages", and beside it "tools" in OpenAI's form by BFCL's own
function, and "names", {name in the tools: BFCL's name}. With "ids", {category of any kind: [id]}.
Run as: .venv-bfcl/bin/python bfcl_prompts.py < request.json > prompts.json
"""

from bfcl_release import entries, messages
from channel import open_channel

FORMS = 26  # of a prompt in format sensitivity


def prompts(category: str, limit: int | None) -> list[dict]:
    """The first `limit` entries (None: all) of a single-turn category, in the order of BFCL's file.

    Of format sensitivity, the first `limit` questions, each in all forms of the prompt.
    """
    count = limit and limit * (FORMS if category == "format_sensitivity" else 1)
    return [{"id": entry["id"], "messages": messages(entry, category)} for entry in entries(category)[:count]]


def with_tools(category: str, limit: int | None) -> list[dict]:
    """`prompts` for a tools API."""
    from bfcl_eval.constants.enums import ModelStyle
    from bfcl_eval.constants.type_mappings import GORILLA_TO_OPENAPI
    from bfcl_eval.model_handler.utils import convert_to_tool

    # The release of v3 has another name for it.
    style = getattr(ModelStyle, "OPENAI_COMPLETIONS", None) or ModelStyle.OpenAI
    rows = []
    for entry in entries(category)[:limit]:
        tools = convert_to_tool(entry["function"], GORILLA_TO_OPENAPI, style)
        names = {each["function"]["name"]: own["name"] for each, own in zip(tools, entry["function"], strict=True)}
        rows.append({"id": entry["id"], "messages": entry["question"][0], "tools": tools, "names": names})
    return rows


def ids(category: str, limit: int | None) -> list[str]:
    """The ids of the first `limit` entries (None: all) of a category."""
    return [entry["id"] for entry in entries(category)[:limit]]


if __name__ == "__main__":
    request, reply = open_channel()
    write = with_tools if request.get("tools") else ids if request.get("ids") else prompts
    reply({category: write(category, request["limit"]) for category in request["categories"]})
