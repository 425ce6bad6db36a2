"""API-Bank (Li et al., arXiv 2304.08244), levels 1 to 3, from ToolRL's processed files: one gold call an item.

Its prompts ask for <tool_call> JSON; ours ask for calls, so the adapter reads the tools out of the prompt and puts them
into our own. Scored by the published rule: right if any predicted call has the gold call's name and exactly its
parameters.
Answers are parsed, never run, so this needs no sandbox.
"""

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from funreason.calls import Call, CallSyntaxError, parse, to_bfcl
from funreason.core.errors import DataError
from funreason.evaluate.answers import too_long, without_reasoning
from funreason.evaluate.stats import rate
from funreason.llm import Response
from funreason.prompts import calling_prompt

LEVELS = (1, 2, 3)
SOURCE = "github.com/qiancheng0/ToolRL, benchmarks/API-Bank"

_TOOLS = re.compile(r"\*\*Available Tools\*\*\n[^\n]*\n(.*?)\n\n\*\*Steps for Each Turn\*\*", re.DOTALL)
# Levels 1 and 2: "1. Name: F\nDescription: ...", level 3: "1. F: ...".
_TOOL = re.compile(
    r"^\d+\. (?:Name: (\w+)\nDescription: (.*?)|(\w+): (.*?))\nParameters: (\{.*?\})\s*(?=^\d+\. |\Z)",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Item:
    """One question: the chat in our form, and the call that is right."""

    level: int
    id: str
    messages: list[dict]
    gold: Call


@dataclass(frozen=True)
class Answered:
    """One item with the text that was scored."""

    suite: str
    category: str
    id: str
    text: str
    correct: bool
    error: str = ""


def load_items(folder: str | Path) -> list[Item]:
    """All items of the three levels. Raises DataError naming the file that is missing or cannot be read."""
    return [item for level in LEVELS for item in _level(level, Path(folder) / f"level-{level}-api_processed.json")]


def score(items: Sequence[Item], responses: Sequence[Response]) -> list[Answered]:
    """The verdict on each response, in order; what does not parse as calls is wrong."""
    return [_judged(item, response) for item, response in zip(items, responses, strict=True)]


def metrics(rows: Sequence[Answered]) -> dict:
    """{"level-1", …: rate, <rate over all>}: {"accuracy", "low", "high", "correct", "n"}."""
    levels = {f"level-{level}": [row.correct for row in rows if row.category == f"level-{level}"] for level in LEVELS}
    return {name: rate(marks) for name, marks in levels.items()} | rate([row.correct for row in rows])


def tools(system: str) -> list[dict]:
    """The tools that a prompt of API-Bank describes, in BFCL's form. Raises DataError where there are none."""
    listed = _TOOLS.search(system)
    found = []
    for match in _TOOL.finditer(listed.group(1).strip() if listed else ""):
        name, description = match.group(1) or match.group(3), match.group(2) or match.group(4)
        parameters = ast.literal_eval(match.group(5))
        found.append(to_bfcl({"name": name, "description": description.strip(), "parameters": parameters}))
    if not found:
        raise DataError(f"no tools in a prompt that begins {system[:60]!r}; take the files from {SOURCE}")
    return found


def _level(level: int, path: Path) -> list[Item]:
    try:
        rows = list(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist (evaluate.bfcl.api_bank); take it from {SOURCE}") from None
    except (ValueError, TypeError) as error:
        raise DataError(f"{path} is no JSON list ({error}); take it from {SOURCE}") from None
    return [_item(level, number, row, path) for number, row in enumerate(rows)]


def _item(level: int, number: int, row: dict, path: Path) -> Item:
    try:
        return _read(level, number, row)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, SyntaxError) as error:
        why = f"{type(error).__name__}: {error}"
        raise DataError(f"{path}, item {number} cannot be read ({why}); take the file from {SOURCE}") from None


def _read(level: int, number: int, row: dict) -> Item:
    messages = [
        {"role": "system", "content": calling_prompt(tools(row["system"]))},
        {"role": "user", "content": row["user"].strip()},
    ]
    gold = row["answer"][0] if isinstance(row["answer"], list) else row["answer"]  # level 2 has it bare
    return Item(level, f"level-{level}_{number}", messages, Call(gold["name"], gold["parameters"]))


def _judged(item: Item, response: Response) -> Answered:
    text = "" if too_long(response) else without_reasoning(response.text)
    try:
        found, error = parse(text.strip()), "no call has the name and the parameters"
    except CallSyntaxError as problem:
        found, error = [], str(problem)[:300]
    correct = any((call.name, call.arguments) == (item.gold.name, item.gold.arguments) for call in found)
    return Answered("api_bank", f"level-{item.level}", item.id, text, correct, "" if correct else error)
