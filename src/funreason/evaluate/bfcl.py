"""BFCL by its official scorer: v4 or v3 on its own data, and single turns of v4 on any folder in its layout.

What is asked over several turns is in bfcl_turns.py, and scored here.

A folder in BFCL's layout holds BFCL_v4_<category>.json (rows {"id", "question", "function"}) and
possible_answer/BFCL_v4_<category>.json; irrelevance has no possible answers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.evaluate.answers import too_long, without_reasoning
from funreason.evaluate.bfcl_metrics import CATEGORIES
from funreason.llm import Response
from funreason.prompts import calling_prompt
from funreason.sandbox.scorer import drive, in_halves, scorer_python

ENVIRONMENTS = {"v3": ".venv-bfcl3", "v4": ".venv-bfcl"}  # each release in its own, see requirements/
_PREFIX = "BFCL_v4_"
_SECONDS = {str: 0.1, list: 5}  # to judge one answer, or one conversation: many times what it takes


@dataclass(frozen=True)
class Prompt:
    """One entry: `suite` names its data (BFCL's own, or a folder), `messages` is the chat to be answered."""

    suite: str
    category: str
    id: str
    messages: list[dict]


@dataclass(frozen=True)
class Scored:
    """One entry with the text that was scored and the official verdict; `error` is empty if correct."""

    suite: str
    category: str
    id: str
    text: str
    correct: bool = True
    error: str = ""


def official_prompts(
    suite: str, categories: Sequence[str], limit: int | None, mode: str, version: str = "v4"
) -> list[Prompt]:
    """The first `limit` entries of each category (None: all), as chats made by BFCL's own functions."""
    request = {"categories": list(categories), "limit": limit}
    found = drive("bfcl_prompts.py", scorer_python(ENVIRONMENTS[version]), request, timeout_s=120, mode=mode)
    return [Prompt(suite, category, row["id"], row["messages"]) for category, rows in found.items() for row in rows]


def folder_prompts(suite: str, folder: str | Path) -> list[Prompt]:
    """The entries of a folder in BFCL's layout, under BFCL's system prompt, functions as they are."""
    files = {path.stem.removeprefix(_PREFIX): path for path in Path(folder).glob(f"{_PREFIX}*.json")}
    if not files or (unknown := set(files) - set(CATEGORIES)):
        what = f"unknown categories {sorted(unknown)}" if files else "no BFCL_v4_<category>.json"
        raise DataError(f"{folder} holds {what}; known are {', '.join(CATEGORIES)}; rerun its stage")
    return [
        Prompt(suite, category, row["id"], [_system(row), *row["question"][0]])
        for category in CATEGORIES if category in files
        for row in _in_order(read_jsonl(files[category]), category, files[category])
    ]  # fmt: skip


def scored_text(category: str, response: Response) -> str:
    """What goes to the scorer for a response: without reasoning, and certainly wrong if nothing was asked."""
    if not too_long(response):
        return without_reasoning(response.text)
    # No answer would be right where no call is expected, any call where some call is.
    return "" if "irrelevance" not in category and "relevance" in category else "[prompt_too_long()]"


def score(
    prompts: Sequence[Prompt],
    responses: Sequence[Response],
    folders: dict[str, str | Path | None],
    mode: str,
    version: str = "v4",
) -> list[Scored]:
    """The official verdict on each response, in order. `folders`: the data of each suite, None for BFCL's own."""
    rows = [
        Scored(prompt.suite, prompt.category, prompt.id, scored_text(prompt.category, response))
        for prompt, response in zip(prompts, responses, strict=True)
    ]
    wrong = failures([Answer(row.suite, row.category, row.id, row.text) for row in rows], folders, mode, version)
    errors = [wrong.get((row.suite, row.category, row.id)) for row in rows]
    return [replace(row, correct=error is None, error=error or "") for row, error in zip(rows, errors, strict=True)]


class Answer(NamedTuple):
    """What the official scorer sees of an entry: the text, in the multi-turn categories the texts of each turn."""

    suite: str
    category: str
    id: str
    result: str | list[list[str]]

    @property
    def key(self) -> tuple[str, str, str]:
        return self[:3]


def failures(answers: Sequence[Answer], folders: dict, mode: str, version: str) -> dict[tuple[str, str, str], str]:
    """{(suite, category, id): what is wrong} of the answers that the official scorer refuses; `folders` as above."""

    def call(part: Sequence[Answer]) -> dict:
        return _official_failures(part, folders, mode, version)

    found: dict[tuple, str] = {}
    for more in in_halves(call, answers, lambda answer: {answer.key: "ended the scorer"}):
        found |= more
    return found


def _official_failures(part: Sequence[Answer], folders: dict, mode: str, version: str) -> dict[tuple, str]:
    suites = {name: {"data": _files(folder) if folder else None, "answers": {}} for name, folder in folders.items()}
    for answer in part:
        rows = suites[answer.suite]["answers"].setdefault(answer.category, [])
        rows.append({"id": answer.id, "result": answer.result})
    reply = drive(
        "bfcl_score.py", scorer_python(ENVIRONMENTS[version]), {"suites": suites}, mode=mode,
        timeout_s=120 + sum(_SECONDS[type(answer.result)] for answer in part),
    )  # fmt: skip
    return {
        (suite, category, failure["id"]): f"{failure['type']}: {failure['error']}"
        for suite, categories in reply.items()
        for category, failures in categories.items()
        for failure in failures
    }


def _files(folder: str | Path) -> dict[str, str]:
    """The files of a folder by name. They go in as text: as root the scorer is another user, who may not read them."""
    paths = Path(folder).rglob(f"{_PREFIX}*.json")
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in paths}


def _system(row: dict) -> dict:
    return {"role": "system", "content": calling_prompt(row["function"])}


def _in_order(rows: Iterable[dict], category: str, path: Path) -> Iterable[dict]:
    """Refuse other ids: the runner sorts answers by the number in the id, and pairs with rows by position."""
    for number, row in enumerate(rows):
        wanted = f"{category}_{number}"
        if row.get("id") != wanted or not {"question", "function"} <= row.keys():
            found = f"id {row.get('id')!r}, keys {sorted(row)}"
            raise DataError(f"{path}:{number + 1}: {found}; wanted id {wanted!r}, question, function; rerun its stage")
        yield row
