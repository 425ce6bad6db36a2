"""ACEBench's rows from a checkout of chenchen0103/ACEBench (arXiv 2501.12851), English and Chinese, and its categories.

A folder data_all/data_<language>/ holds data_<category>.json and possible_answer/data_<category>.json, one row per
line.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from funreason.core.errors import DataError

SOURCE = "github.com/chenchen0103/ACEBench"
LANGUAGES = ("en", "zh")
ATOM = tuple(
    f"normal_atom_{kind}" for kind in ("bool", "enum", "number", "list", "object_deep", "object_short")
)  # one per type of parameter
NORMAL = (
    "normal_single_turn_single_function", "normal_single_turn_parallel_function", "normal_multi_turn_user_adjust",
    "normal_multi_turn_user_switch", "normal_similar_api", "normal_preference", *ATOM,
)  # fmt: skip
SPECIAL = ("special_incomplete", "special_error_param", "special_irrelevant")
SIMULATED_USER = "agent_multi_turn"  # needs a second model, which plays the user
AGENT = ("agent_multi_step", SIMULATED_USER)
GROUPS = {"normal": NORMAL, "special": SPECIAL, "agent": AGENT}
CATEGORIES = NORMAL + SPECIAL + AGENT


@dataclass(frozen=True)
class AceRow:
    """One row: a question, or for an agent a task in a simulated world.

    Attributes:
        language: en or zh.
        category: ACEBench's category.
        data: the row of the data, with at least id, question and function.
        gold: the row of the possible answers, with at least ground_truth.
    """

    language: str
    category: str
    data: dict[str, Any]
    gold: dict[str, Any]

    @property
    def id(self) -> str:
        """ACEBench's id."""
        return self.data["id"]

    @property
    def dialogue(self) -> str:
        """What is right or wrong as a whole: a dialogue of several rows, else the row itself."""
        return self.id.rpartition("_")[0] if is_dialogue(self.category) else self.id


def is_dialogue(category: str) -> bool:
    """Whether several rows of a category make one dialogue."""
    return category.startswith("normal_multi_turn")


def is_agent(category: str) -> bool:
    """Whether a category is played in a simulated world."""
    return category in AGENT


def expand(names: Iterable[str]) -> tuple[str, ...]:
    """The categories that `names` (of categories and groups) stand for, once each, in ACEBench's order."""
    wanted = {category for name in names for category in GROUPS.get(name, (name,))}
    return tuple(category for category in CATEGORIES if category in wanted)


def load_rows(
    folder: str | Path, languages: Sequence[str], categories: Sequence[str], limit: int | None
) -> list[AceRow]:
    """The rows of the chosen categories.

    Args:
        folder: a checkout of ACEBench, or its folder data_all.
        languages: of LANGUAGES.
        categories: of CATEGORIES.
        limit: rows per category (dialogues where a row is a step of one), from the first; None for all.

    Returns:
        The rows by language and category, in the order of the files.

    Raises:
        DataError: names the file that is missing or damaged.
    """
    root = Path(folder)
    root = root / "data_all" if (root / "data_all").is_dir() else root
    parts = [_category(root, language, category) for language in languages for category in categories]
    return [row for rows in parts for row in _first(rows, limit)]


def _first(rows: list[AceRow], limit: int | None) -> Iterator[AceRow]:
    kept = set(list(dict.fromkeys(row.dialogue for row in rows))[:limit])
    return (row for row in rows if row.dialogue in kept)


def _category(root: Path, language: str, category: str) -> list[AceRow]:
    path = root / f"data_{language}" / f"data_{category}.json"
    gold = path.parent / "possible_answer" / path.name
    rows, answers = _lines(path, ("question", "function")), _lines(gold, ("ground_truth",))
    if [row["id"] for row in rows] != [answer["id"] for answer in answers]:
        raise DataError(f"{path} and {gold} have other ids or another order; take both from {SOURCE}")
    return [AceRow(language, category, row, answer) for row, answer in zip(rows, answers, strict=True)]


def _lines(path: Path, keys: Sequence[str]) -> list[dict]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise DataError(f"{path} does not exist (evaluate.acebench.data); take it from {SOURCE}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 ({error.reason}); take it from {SOURCE}") from None
    return [_line(text, f"{path}:{number}", keys) for number, text in enumerate(lines, 1) if text.strip()]


def _line(text: str, where: str, keys: Sequence[str]) -> dict:
    try:
        row = json.loads(text)
        if missing := [key for key in ("id", *keys) if key not in row]:
            raise DataError(f"{where} has no {', '.join(missing)}; take the file from {SOURCE}")
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(f"{where} is not a row of ACEBench ({error}); take the file from {SOURCE}") from None
    return row
