"""BFCL's categories and groups, and the numbers that its tables show, each with its interval and count.

Sizes are those of the data in bfcl-eval 2026.3.23 (v4) and 2025.6.8 (v3, the paper's).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from funreason.evaluate.stats import rate, weighted

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
    """The categories that names of categories and groups stand for, once each, in BFCL's order."""
    wanted = {category for name in names for category in GROUPS.get(name, (name,))}
    return tuple(category for category in _SIZES if category in wanted)


def size(category: str, version: str) -> int:
    """Rows of a category."""
    return _OTHER_SIZES[version].get(category, _SIZES[category])


def toy_metrics(suites: dict[str, Sequence]) -> dict:
    """{<suite>: {"categories": {name: rate}, <rate>}, <rate>}: `Scored` rows by suite; the last rate is over all.

    A rate is {"accuracy", "low", "high", "correct", "n"}.
    """

    def overall(rows: Iterable) -> dict:
        return rate([row.correct for row in rows])

    found = {suite: {"categories": _rates(rows)} | overall(rows) for suite, rows in suites.items()}
    return found | overall([row for rows in suites.values() for row in rows])


def official_metrics(rows: Sequence, limit: int | None, version: str) -> dict:
    """BFCL's own numbers over `Scored` rows.

    {"version", "limit", "partial", "categories", "non_live_ast", "live", "overall", "multi_turn", "leaderboard",
    "when_to_call"}. `partial` stands wherever not all rows of what a number is about were asked. A summary is null
    where a category of it is missing: BFCL would count that as 0. `overall` is the mean of Non-Live AST and Live, as in
    the paper; `leaderboard` is Overall of BFCL's own table in v3 (v4's weighs categories that are not asked here).
    """
    rates = _rates(rows)
    categories = {name: it | {"partial": it["n"] < size(name, version)} for name, it in rates.items()}
    live = _LIVE_PARTS[version]
    total = sum(size(name, version) for name in live)
    live_weights = {name: size(name, version) / total for name in live}
    overall = {name: w / 2 for name, w in (_NON_LIVE_AST | live_weights).items()}
    return {
        "version": version,
        "limit": limit,
        "partial": any(it["partial"] for it in categories.values()) or not set(CATEGORIES) <= set(rates),
        "categories": categories,
        "non_live_ast": _summary(categories, _NON_LIVE_AST),
        "live": _summary(categories, live_weights),
        "overall": _summary(categories, overall),
        "multi_turn": _summary(categories, _MULTI_TURN),
        "leaderboard": _summary(categories, _leaderboard(live_weights)) if version == "v3" else None,
        "when_to_call": _when_to_call(categories),
    }


def _leaderboard(live_weights: dict[str, float]) -> dict[str, float]:
    """v3's Overall: the mean of Non-Live (the mean of its four AST columns and irrelevance), Live and Multi-Turn."""
    non_live = {name: weight * 4 / 5 for name, weight in _NON_LIVE_AST.items()} | {"irrelevance": 1 / 5}
    return {name: weight / 3 for part in (non_live, live_weights, _MULTI_TURN) for name, weight in part.items()}


def _summary(categories: dict[str, dict], weights: dict[str, float]) -> dict | None:
    if not set(weights) <= set(categories):
        return None
    partial = any(categories[name]["partial"] for name in weights)
    return weighted([(weight, categories[name]) for name, weight in weights.items()]) | {"partial": partial}


def _when_to_call(categories: dict[str, dict]) -> dict:
    """Irrelevance beside relevance: a model that never calls has 100 % of the first, and 0 % of the second.

    `calls_wanted` are all other rows, for runs without BFCL's few relevance rows.
    """
    chosen = {name: categories.get(name) for name in ("irrelevance", "live_irrelevance", "live_relevance")}
    wanted = [it for name, it in categories.items() if "irrelevance" not in name and not name.startswith("multi_turn")]
    correct, n = sum(it["correct"] for it in wanted), sum(it["n"] for it in wanted)
    return chosen | {"calls_wanted": rate([True] * correct + [False] * (n - correct)) if n else None}


def _rates(rows: Iterable) -> dict[str, dict]:
    by_category = defaultdict(list)
    for row in rows:
        by_category[row.category].append(row.correct)
    return {name: rate(by_category[name]) for name in _SIZES if name in by_category}
