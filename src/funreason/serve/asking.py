"""One question to a trained model from a terminal, without a server."""

import json
from pathlib import Path
from typing import Any

from funreason.config import LlmParams
from funreason.core.errors import DataError
from funreason.llm import Client, Request, load_ref
from funreason.serve.answers import read_answer, split_reasoning
from funreason.serve.checkpoint import Checkpoint
from funreason.serve.conversation import names_of, training_chat


def read_tools_file(path: str) -> list[Any]:
    """Tools of a JSON file: a list, an object with a list `tools` (as MCP's tools/list answers), or one tool.

    Raises:
        DataError: The file is missing or not JSON, or a tool cannot be read.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; give a JSON file with a list of tools") from None
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error}); give a JSON file with a list of tools") from None
    if isinstance(value, dict) and isinstance(value.get("tools"), list):
        value = value["tools"]
    tools = value if isinstance(value, list) else [value]
    try:
        training_chat([], tools)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return tools


def ask(model: Checkpoint, query: str, tools: list[Any], llm: LlmParams, max_tokens: int) -> dict[str, Any]:
    """Ask a model one question.

    Args:
        model: The model.
        query: The question.
        tools: The tools that it may call, in any form that is read.
        llm: The block `llm` of params.yaml.
        max_tokens: The most tokens of the answer.

    Returns:
        {"reasoning", "content", "tool_calls"}: the calls under the user's names.

    Raises:
        DataError: A tool cannot be read.
        ModelError: The model is not in a folder here.
    """
    chat = training_chat([{"role": "user", "content": query}], tools)
    with Client(load_ref(model.path), llm, {"temperature": 0.0, "max_tokens": max_tokens}) as client:
        (response,) = client.run([Request(chat)], desc=model.name)
    reasoning, content = split_reasoning(response.text)
    text, calls = read_answer(content, names_of(tools))
    return {"reasoning": reasoning, "content": text or None, "tool_calls": [call.to_row() for call in calls]}


def shown(answer: dict[str, Any]) -> str:
    """An answer for people: its reasoning, its text, and one call per line as JSON."""
    lines = [f"reasoning: {answer['reasoning']}"] if answer["reasoning"] else []
    lines += [f"text: {answer['content']}"] if answer["content"] else []
    return "\n".join([*lines, *(f"call: {json.dumps(call, ensure_ascii=False)}" for call in answer["tool_calls"])])
