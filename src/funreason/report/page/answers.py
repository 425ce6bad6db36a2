"""What a model answered in the benchmarks, with question and gold answer, and how two models differ on the same."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from funreason.core import paths
from funreason.core.errors import FunReasonError
from funreason.core.jsonio import JsonObject
from funreason.evaluate.stats import equivalence, paired_difference
from funreason.report.page.rows import cut
from funreason.report.page.sources import Folder, Source, lines_of
from funreason.report.paired import MARGIN
from funreason.sandbox.scorer import scorer_files

# BFCL's own questions come with its scorer; requirements/bfcl.lock names the version.
_BFCL = ".venv-bfcl"
_GOLD = "possible_answer"


def answers(files: Source, name: str) -> list[JsonObject]:
    """The scored answers of a model.

    Args:
        files: the state of the project.
        name: the round, or base for the untrained model.

    Returns:
        [{"key", "suite", "category", "text", "correct"}], with "error" (the scorer's reason), "question" and "gold"
        where the answer is wrong. `key` is the same for the same question of every model.
    """
    rows = [*lines_of(files, paths.answers(name, "bfcl"))]
    questions = _Questions(files)
    entries = [_call_entry(row, questions) for row in rows]
    return entries + [_code_entry(row) for row in lines_of(files, paths.answers(name, "code")) if not row.get("sample")]


def _call_entry(row: JsonObject, questions: "_Questions") -> JsonObject:
    suite, category, number = (str(row.get(field, "")) for field in ("suite", "category", "id"))
    entry = {
        "key": f"{suite}/{category}/{number}",
        "suite": suite,
        "category": category,
        "correct": bool(row["correct"]),
    }
    text = row["text"] if "text" in row else json.dumps({k: v for k, v in row.items() if k not in _ENTRY}, indent=1)
    if entry["correct"]:
        return entry | {"text": cut(text)}
    question, gold = questions.find(suite, category, number)
    more = {"question": row.get("question") or question, "gold": row.get("gold") or gold}
    return entry | {"text": cut(text), "error": cut(str(row.get("error", "")))} | {k: v for k, v in more.items() if v}


_ENTRY = ("suite", "category", "id", "correct", "error", "form")


def _code_entry(row: JsonObject) -> JsonObject:
    benchmark, task = str(row.get("benchmark", "")), str(row.get("task_id", ""))
    entry: JsonObject = {"key": f"{benchmark}/code/{task}", "suite": f"code: {benchmark}", "category": "code"}
    entry |= {"correct": bool(row.get("passed")), "text": cut(row.get("completion"))}
    return entry if entry["correct"] else entry | {"error": cut(str(row.get("result", ""))), "question": task}


class _Questions:
    """Questions and gold answers in BFCL's layout, by suite and category, read when asked for."""

    def __init__(self, files: Source):
        self._files = files
        self._read: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}

    def find(self, suite: str, category: str, number: str) -> tuple[str, str]:
        """(question, gold answer) as texts, each "" where it is not at hand."""
        if (suite, category) not in self._read:
            self._read[suite, category] = self._of(suite, category)
        return self._read[suite, category].get(number, ("", ""))

    def _of(self, suite: str, category: str) -> dict[str, tuple[str, str]]:
        if suite in paths.TOY_SUITES:
            files, folder = self._files, paths.TOY_SUITES[suite]
        elif suite == "bfcl":
            try:
                files, folder = Folder(scorer_files(_BFCL, "bfcl_eval/data")), "."
            except FunReasonError:  # a page needs no scorer
                return {}
        else:
            return {}
        gold = {row["id"]: row.get("ground_truth") for row in _entries(files, f"{folder}/{_GOLD}", category)}
        return {row["id"]: (_question(row), _gold(gold.get(row["id"]))) for row in _entries(files, folder, category)}


def _entries(files: Source, folder: str, category: str) -> Iterator[JsonObject]:
    for name in files.names(folder):
        if name.startswith("BFCL_v") and name.partition("_v")[2].partition("_")[2] == f"{category}.json":
            yield from lines_of(files, f"{folder}/{name}")


def _question(row: JsonObject) -> str:
    turns = row.get("question") or []
    messages = [message for turn in turns for message in turn if isinstance(message, dict)]
    return cut("\n".join(f"{message.get('role')}: {message.get('content')}" for message in messages))


def _gold(value: Any) -> str:
    return cut(json.dumps(value, ensure_ascii=False)) if value else ""


def pairs(before: Sequence[JsonObject], after: Sequence[JsonObject]) -> list[JsonObject]:
    """Two models on the questions that both answered, by suite.

    Args:
        before: the answers of one model, as from `answers`.
        after: those of the other.

    Returns:
        [{"suite", "before", "after", "difference", "low", "high", "lost", "gained", "p", "n", "equivalence",
        "lost_keys", "gained_keys"}], see `stats.paired_difference` and `stats.equivalence`.
    """
    earlier = {row["key"]: row for row in before}
    suites: dict[str, list[tuple[JsonObject, JsonObject]]] = {}
    for row in after:
        if row["key"] in earlier:
            suites.setdefault(row["suite"], []).append((earlier[row["key"]], row))
    return [_pair(suite, rows) for suite, rows in suites.items()]


def _pair(suite: str, rows: list[tuple[JsonObject, JsonObject]]) -> JsonObject:
    marks = [a["correct"] for a, _ in rows], [b["correct"] for _, b in rows]
    figures = paired_difference(*marks) | {"equivalence": equivalence(*marks, MARGIN)}
    lost = [b["key"] for a, b in rows if a["correct"] and not b["correct"]]
    gained = [b["key"] for a, b in rows if b["correct"] and not a["correct"]]
    return {"suite": suite} | figures | {"lost_keys": lost, "gained_keys": gained}
