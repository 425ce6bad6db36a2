"""API-Bank (Li et al., arXiv 2304.08244), levels 1 to 3, from ToolRL's processed files: one gold call per item.

Its prompts ask for <tool_call> JSON; ours ask for calls. So the tools are read out of its prompt and put into our own.
Scored by the published rule: right if any call of an answer has the gold call's name and exactly its parameters.
Answers are parsed, never run, so this needs no sandbox.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from funreason.calls import Call, CallSyntaxError, parse, render
from funreason.core.errors import DataError
from funreason.evaluate.answers import ScoredAnswer, unanswered, without_reasoning
from funreason.evaluate.api_bank_tools import SOURCE, tools
from funreason.evaluate.bfcl_metrics import figures
from funreason.evaluate.forms import form_of
from funreason.llm import Response
from funreason.prompts import calling_prompt

LEVELS = (1, 2, 3)


@dataclass(frozen=True)
class ApiBankItem:
    """One question: the chat in our form, and the gold call."""

    level: int
    id: str
    messages: list[dict]
    gold: Call


def load_items(folder: str | Path) -> list[ApiBankItem]:
    """All items of the three levels. Raises DataError that names the file which is missing or cannot be read."""
    return [item for level in LEVELS for item in _level(level, Path(folder) / f"level-{level}-api_processed.json")]


def score(items: Sequence[ApiBankItem], responses: Sequence[Response]) -> list[ScoredAnswer]:
    """Score responses by the published rule.

    Args:
        items: the questions.
        responses: one per item, in order.

    Returns:
        The verdicts, in order; a text that does not parse as calls is wrong.
    """
    return [_scored(item, response) for item, response in zip(items, responses, strict=True)]


def identical(value: Any, gold: Any) -> bool:
    """Whether a value is the gold value. Python's `==` takes True for 1, and -0.0 for 0."""
    if isinstance(gold, dict):
        return (
            isinstance(value, dict) and value.keys() == gold.keys() and all(identical(value[k], gold[k]) for k in gold)
        )
    if isinstance(gold, list):
        return isinstance(value, list) and len(value) == len(gold) and all(map(identical, value, gold))
    if isinstance(value, bool) or isinstance(gold, bool):
        return value is gold
    signs = [math.copysign(1, each) for each in (value, gold) if isinstance(each, int | float)]
    return bool(value == gold) and len(set(signs)) < 2


def to_rows(items: Sequence[ApiBankItem], answers: Sequence[ScoredAnswer]) -> Iterator[dict]:
    """Scored answers as rows, with question and gold call, which come with no scorer: one per item, in order."""
    for item, answer in zip(items, answers, strict=True):
        yield asdict(answer) | {"question": item.messages[-1]["content"], "gold": render([item.gold])}


def metrics(rows: Sequence[ScoredAnswer]) -> dict:
    """{"level-1", …: figures, <figures over all>}, each as from `bfcl_metrics.figures`."""
    levels = {f"level-{level}": [row for row in rows if row.category == f"level-{level}"] for level in LEVELS}
    return {name: figures(scored) for name, scored in levels.items()} | figures(rows)


def _level(level: int, path: Path) -> list[ApiBankItem]:
    try:
        rows = list(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist (evaluate.api_bank); take it from {SOURCE}") from None
    except (ValueError, TypeError) as error:
        raise DataError(f"{path} is not a JSON list ({error}); take it from {SOURCE}") from None
    return [_item(level, number, row, path) for number, row in enumerate(rows)]


def _item(level: int, number: int, row: dict, path: Path) -> ApiBankItem:
    try:
        return _read(level, number, row)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, SyntaxError) as error:
        why = f"{type(error).__name__}: {error}"
        raise DataError(f"{path}, item {number} cannot be read ({why}); take the file from {SOURCE}") from None


def _read(level: int, number: int, row: dict) -> ApiBankItem:
    messages = [
        {"role": "system", "content": calling_prompt(tools(row["system"]))},
        {"role": "user", "content": row["user"].strip()},
    ]
    gold = row["answer"][0] if isinstance(row["answer"], list) else row["answer"]  # level 2 has it without a list
    return ApiBankItem(level, f"level-{level}_{number}", messages, Call(gold["name"], gold["parameters"]))


def _scored(item: ApiBankItem, response: Response) -> ScoredAnswer:
    text = "" if unanswered(response) else without_reasoning(response.text)
    try:
        calls, error = parse(text.strip()), "no call has the name and the parameters"
    except CallSyntaxError as problem:
        calls, error = [], str(problem)[:300]
    correct = any(call.name == item.gold.name and identical(call.arguments, item.gold.arguments) for call in calls)
    level, form = f"level-{item.level}", form_of(response)
    return ScoredAnswer("api_bank", level, item.id, text, correct, "" if correct else error, form)
