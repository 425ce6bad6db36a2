"""ACEBench's tables: per language and category, with interval, strict score and gold ceiling."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from funreason.evaluate.acebench import AceVerdict
from funreason.evaluate.acebench_data import CATEGORIES, GROUPS, is_agent
from funreason.evaluate.disputed import disputed_rows
from funreason.evaluate.forms import CUT
from funreason.evaluate.stats import accuracy, weighted_accuracy

WEIGHTS = {"normal": 0.578, "special": 0.2676, "agent": 0.1545}  # of the official Overall
_SIZES = {  # dialogues, or rows, where they are not 50
    "normal_single_turn_single_function": 100, "normal_single_turn_parallel_function": 100,
    "agent_multi_step": 20, "agent_multi_turn": 30,
}  # fmt: skip


def metrics(verdicts: Iterable[AceVerdict], gold: Iterable[AceVerdict], limit: int | None) -> dict:
    """The numbers of ACEBench.

    Args:
        verdicts: of a model's answers.
        gold: of the possible answers to the same rows, as from `acebench.gold_verdicts`.
        limit: rows asked per category, None for all.

    Returns:
        {"limit", <language>: {"categories", "normal", "special", "agent", "overall", "strict", "covered_weight",
        "undisputed"}}. A group is null where one of its categories is missing, and Overall where a group is;
        `covered_weight` is the weight of the groups that are whole. `strict` holds the same summaries by our own
        checker, `undisputed` the official ones without the rows in disputed.yaml, null where none of them was asked.
    """
    answers, ceilings = _by_language(verdicts), _by_language(gold)
    return {"limit": limit} | {
        language: _language(rows, ceilings.get(language, [])) | {"undisputed": _undisputed(language, rows)}
        for language, rows in answers.items()
    }


def _by_language(verdicts: Iterable[AceVerdict]) -> dict[str, list[AceVerdict]]:
    languages: dict[str, list[AceVerdict]] = defaultdict(list)
    for verdict in verdicts:
        languages[verdict.suite.removeprefix("acebench_")].append(verdict)
    return dict(languages)


def _language(rows: Sequence[AceVerdict], gold: Sequence[AceVerdict]) -> dict:
    categories = {name: _category(name, rows, gold) for name in CATEGORIES if any(row.category == name for row in rows)}
    strict = {name: part["strict"] | {"partial": part["partial"]} for name, part in categories.items()}
    official, ours = _summaries(categories), _summaries(strict)
    covered = sum(weight for name, weight in WEIGHTS.items() if official[name])
    return {"categories": categories} | official | {"strict": ours, "covered_weight": round(covered / _total(), 4)}


def _undisputed(language: str, rows: Sequence[AceVerdict]) -> dict | None:
    """{"left_out", <category with such rows>, "normal", "special", "agent", "overall"}."""
    kept = [row for row in rows if row.dialogue not in disputed_rows(f"acebench_{language}")]
    if len(kept) == len(rows):
        return None
    whole, parts = (
        {name: _category(name, part, []) for name in CATEGORIES if any(row.category == name for row in part)}
        for part in (rows, kept)
    )
    parts = {name: part | {"partial": whole[name]["partial"]} for name, part in parts.items()}
    fields = ("accuracy", "low", "high", "correct", "n", "partial")
    changed = {name: {key: part[key] for key in fields} for name, part in parts.items() if part["n"] < whole[name]["n"]}
    return {"left_out": sum(whole[name]["n"] - parts[name]["n"] for name in changed)} | changed | _summaries(parts)


def _category(name: str, rows: Sequence[AceVerdict], gold: Sequence[AceVerdict]) -> dict:
    rows, gold = ([row for row in part if row.category == name] for part in (rows, gold))
    official, strict = _marks(rows, "correct"), _marks(rows, "strict")
    more: dict = {}
    if is_agent(name):
        more = {"progress": round(sum(row.progress or 0 for row in rows) / len(rows), 4)}
    if len(official) < len(rows):
        more = {"steps": accuracy([row.correct for row in rows])}
    ceilings = {key: _share(_marks(gold, field)) for key, field in (("gold", "correct"), ("gold_strict", "strict"))}
    cut = Counter(row.form for row in rows)[CUT]
    partial = len(official) < _SIZES.get(name, 50)
    return accuracy(official) | {"strict": accuracy(strict)} | ceilings | more | {"cut": cut, "partial": partial}


def _marks(rows: Sequence[AceVerdict], field: str) -> list[bool]:
    """Whether each dialogue is right: all of its rows are. A row of no dialogue is one of its own."""
    dialogues: dict[str, bool] = {}
    for row in rows:
        dialogues[row.dialogue] = dialogues.get(row.dialogue, True) and getattr(row, field)
    return list(dialogues.values())


def _share(marks: Sequence[bool]) -> float | None:
    return round(sum(marks) / len(marks), 4) if marks else None


def _summaries(categories: dict[str, dict]) -> dict:
    weights = {group: dict.fromkeys(names, 1 / len(names)) for group, names in GROUPS.items()}
    whole = {
        name: weight * part for group, weight in WEIGHTS.items() for name, part in weights[group].items()
    }  # fmt: skip
    return {group: _summary(categories, part) for group, part in weights.items()} | {
        "overall": _summary(categories, whole)
    }


def _summary(categories: dict[str, dict], weights: dict[str, float]) -> dict | None:
    if not set(weights) <= set(categories):
        return None
    partial = any(categories[name]["partial"] for name in weights)
    return weighted_accuracy([(weight, categories[name]) for name, weight in weights.items()]) | {"partial": partial}


def _total() -> float:
    return sum(WEIGHTS.values())
