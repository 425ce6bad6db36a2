"""BFCL's categories and groups, and the numbers of its tables, each with its interval and count.

Sizes are those of the data in bfcl-eval 2026.3.23 (v4) and 2025.6.8 (v3, the paper's).
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

from funreason.evaluate.stats import accuracy, weighted_accuracy

VERSIONS = ("v3", "v4")
_SIZES = {  # category: rows in v4
    "simple_python": 400, "simple_java": 100, "simple_javascript": 50, "multiple": 200, "parallel": 200,
    "parallel_multiple": 200, "irrelevance": 240, "live_simple": 258, "live_multiple": 1053, "live_parallel": 16,
    "live_parallel_multiple": 24, "live_irrelevance": 884, "live_relevance": 16, "multi_turn_base": 200,
    "multi_turn_miss_func": 200, "multi_turn_miss_param": 200, "multi_turn_long_context": 200,
}  # fmt: skip
_OTHER_SIZES = {"v3": {"live_irrelevance": 882, "live_relevance": 18}, "v4": {}}
LIVE = tuple(name for name in _SIZES if name.startswith("live_"))
MULTI_TURN = tuple(name for name in _SIZES if name.startswith("multi_turn_"))
NON_LIVE = tuple(name for name in _SIZES if name not in LIVE + MULTI_TURN)
GROUPS = {"non_live": NON_LIVE, "live": LIVE, "single_turn": NON_LIVE + LIVE, "multi_turn": MULTI_TURN}
CATEGORIES = GROUPS["single_turn"]

# The unweighted mean of four, the first of them the unweighted mean of three.
_NON_LIVE_AST = {
    "simple_python": 1 / 12, "simple_java": 1 / 12, "simple_javascript": 1 / 12,
    "multiple": 1 / 4, "parallel": 1 / 4, "parallel_multiple": 1 / 4,
}  # fmt: skip
_MULTI_TURN = dict.fromkeys(MULTI_TURN, 1 / len(MULTI_TURN))
# In v4, BFCL's Live column leaves out the rows where no call, or any call, is right.
_LIVE_PARTS = {"v3": LIVE, "v4": LIVE[:4]}


def expand(names: Iterable[str]) -> tuple[str, ...]:
    """The categories that `names` (of categories and groups) stand for, once each, in BFCL's order."""
    wanted = {category for name in names for category in GROUPS.get(name, (name,))}
    return tuple(category for category in _SIZES if category in wanted)


def size(category: str, version: str) -> int:
    """Rows of a category in BFCL `version` (v3, v4)."""
    return _OTHER_SIZES[version].get(category, _SIZES[category])


class Verdict(Protocol):
    """What the metrics need of a scored answer or conversation."""

    @property
    def category(self) -> str:
        """BFCL's category."""

    @property
    def correct(self) -> bool:
        """The official verdict."""


def official_metrics(rows: Iterable[Verdict], limit: int | None, version: str) -> dict:
    """BFCL's own numbers.

    Args:
        rows: scored answers and conversations.
        limit: rows asked per category, None for all.
        version: v3 or v4.

    Returns:
        {"version", "limit", "partial", "categories", "non_live_ast", "live", "overall", "multi_turn", "leaderboard",
        "when_to_call"}. `partial` is true for every number that is not over all its rows. A summary is null where one
        of its categories is missing: BFCL would count that as 0. `overall` is the mean of Non-Live AST and Live, as in
        the paper; `leaderboard` is Overall of BFCL's own table in v3 (v4's weighs categories that are not asked here).
    """
    accuracies = accuracy_by_category(rows)
    categories = {name: part | {"partial": part["n"] < size(name, version)} for name, part in accuracies.items()}
    live = _LIVE_PARTS[version]
    total = sum(size(name, version) for name in live)
    live_weights = {name: size(name, version) / total for name in live}
    overall = {name: weight / 2 for name, weight in (_NON_LIVE_AST | live_weights).items()}
    return {
        "version": version,
        "limit": limit,
        "partial": any(part["partial"] for part in categories.values()) or not set(CATEGORIES) <= set(accuracies),
        "categories": categories,
        "non_live_ast": _summary(categories, _NON_LIVE_AST),
        "live": _summary(categories, live_weights),
        "overall": _summary(categories, overall),
        "multi_turn": _summary(categories, _MULTI_TURN),
        "leaderboard": _summary(categories, _leaderboard(live_weights)) if version == "v3" else None,
        "when_to_call": _when_to_call(categories),
    }


def _leaderboard(live_weights: dict[str, float]) -> dict[str, float]:
    """Weights of v3's Overall: the mean of Non-Live (its four AST columns and irrelevance), Live and Multi-Turn."""
    non_live = {name: weight * 4 / 5 for name, weight in _NON_LIVE_AST.items()} | {"irrelevance": 1 / 5}
    return {name: weight / 3 for part in (non_live, live_weights, _MULTI_TURN) for name, weight in part.items()}


def _summary(categories: dict[str, dict], weights: dict[str, float]) -> dict | None:
    if not set(weights) <= set(categories):
        return None
    partial = any(categories[name]["partial"] for name in weights)
    return weighted_accuracy([(weight, categories[name]) for name, weight in weights.items()]) | {"partial": partial}


def _when_to_call(categories: dict[str, dict]) -> dict:
    """Irrelevance beside relevance: a model that never calls has 100 % of the first, and 0 % of the second.

    `calls_wanted` are all other rows, for runs without BFCL's few relevance rows.
    """
    columns = {name: categories.get(name) for name in ("irrelevance", "live_irrelevance", "live_relevance")}
    wanted = [p for name, p in categories.items() if "irrelevance" not in name and not name.startswith("multi_turn")]
    correct, n = sum(part["correct"] for part in wanted), sum(part["n"] for part in wanted)
    return columns | {"calls_wanted": accuracy([True] * correct + [False] * (n - correct)) if n else None}


def accuracy_by_category(rows: Iterable[Verdict]) -> dict[str, dict]:
    """{category: {"accuracy", "low", "high", "correct", "n"}} of the categories that were asked, in BFCL's order."""
    by_category = defaultdict(list)
    for row in rows:
        by_category[row.category].append(row.correct)
    return {name: accuracy(by_category[name]) for name in _SIZES if name in by_category}
