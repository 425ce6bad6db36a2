"""BFCL's categories and groups, and the numbers of its tables, each with its interval and count.

Sizes are those of the data in bfcl-eval 2026.3.23 (v4) and 2025.6.8 (v3, the paper's).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import stdev
from typing import Protocol

from funreason.calls.forms import REFUSALS, UNREADABLE
from funreason.evaluate.disputed import disputed_rows
from funreason.evaluate.forms import CUT
from funreason.evaluate.stats import accuracy, weighted_accuracy

VERSIONS = ("v3", "v4")
_SIZES = {  # category: rows in v4
    "simple_python": 400, "simple_java": 100, "simple_javascript": 50, "multiple": 200, "parallel": 200,
    "parallel_multiple": 200, "irrelevance": 240, "live_simple": 258, "live_multiple": 1053, "live_parallel": 16,
    "live_parallel_multiple": 24, "live_irrelevance": 884, "live_relevance": 16, "multi_turn_base": 200,
    "multi_turn_miss_func": 200, "multi_turn_miss_param": 200, "multi_turn_long_context": 200,
    "format_sensitivity": 5200, "memory_kv": 155, "memory_vector": 155, "memory_rec_sum": 155, "web_search_base": 100,
    "web_search_no_snippet": 100,
}  # fmt: skip
_OTHER_SIZES = {"v3": {"live_irrelevance": 882, "live_relevance": 18}, "v4": {}}
LIVE = tuple(name for name in _SIZES if name.startswith("live_"))
MULTI_TURN = tuple(name for name in _SIZES if name.startswith("multi_turn_"))
FORMATS = "format_sensitivity"  # 200 rows in 26 forms of the prompt, v4 only; scored beside the table, not in it
MEMORY = tuple(name for name in _SIZES if name.startswith("memory_"))
WEB_SEARCH = tuple(name for name in _SIZES if name.startswith("web_search_"))
AGENTIC = MEMORY + WEB_SEARCH
V4_ONLY = (FORMATS, *AGENTIC)
NON_LIVE = tuple(name for name in _SIZES if name not in (*LIVE, *MULTI_TURN, *V4_ONLY))
GROUPS = {
    "non_live": NON_LIVE,
    "live": LIVE,
    "single_turn": NON_LIVE + LIVE,
    "multi_turn": MULTI_TURN,
    "memory": MEMORY,
    "web_search": WEB_SEARCH,
    "agentic": AGENTIC,
}
CATEGORIES = GROUPS["single_turn"]

# The unweighted mean of four, the first of them the unweighted mean of three.
_NON_LIVE_AST = {
    "simple_python": 1 / 12, "simple_java": 1 / 12, "simple_javascript": 1 / 12,
    "multiple": 1 / 4, "parallel": 1 / 4, "parallel_multiple": 1 / 4,
}  # fmt: skip
_MULTI_TURN = dict.fromkeys(MULTI_TURN, 1 / len(MULTI_TURN))
_MEMORY = dict.fromkeys(MEMORY, 1 / len(MEMORY))
_WEB_SEARCH = dict.fromkeys(WEB_SEARCH, 1 / len(WEB_SEARCH))
# In v4, BFCL's Live column leaves out the rows where no call, or any call, is right.
_LIVE_PARTS = {"v3": LIVE, "v4": LIVE[:4]}


def expand(names: Iterable[str]) -> tuple[str, ...]:
    """The categories that `names` (of categories and groups) stand for, once each, in BFCL's order."""
    wanted = {category for name in names for category in GROUPS.get(name, (name,))}
    return tuple(category for category in _SIZES if category in wanted)


def asked_once(names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` (categories) whose rows have one question: all but the conversations."""
    return tuple(name for name in names if name not in MULTI_TURN + AGENTIC)


def size(category: str, version: str) -> int:
    """Rows of a category in BFCL `version` (v3, v4)."""
    return _OTHER_SIZES[version].get(category, _SIZES[category])


class Verdict(Protocol):
    """What the metrics need of a scored answer or conversation."""

    @property
    def id(self) -> str:
        """BFCL's id."""

    @property
    def category(self) -> str:
        """BFCL's category."""

    @property
    def correct(self) -> bool:
        """The official verdict."""

    @property
    def form(self) -> str:
        """The form of the answer, see `forms.form_of`."""


def wants_no_call(category: str) -> bool:
    """Whether no call is right in a category: irrelevance, live_irrelevance."""
    return "irrelevance" in category


def official_metrics(rows: Iterable[Verdict], limit: int | None, version: str) -> dict:
    """BFCL's own numbers.

    Args:
        rows: scored answers and conversations.
        limit: rows asked per category, None for all.
        version: v3 or v4.

    Returns:
        {"version", "limit", "partial", "categories", "non_live_ast", "live", "overall", "multi_turn", "memory",
        "web_search", "leaderboard", "covered_weight", "format_sensitivity", "when_to_call", "undisputed"}. `partial` is
        true for every number that is not over all its rows. A summary is null where one of its categories is missing:
        BFCL would count that as 0. `overall` is the mean of Non-Live AST and Live, as in the paper; `leaderboard` is
        Overall of BFCL's own table; `covered_weight` is the weight of its columns that are whole, 0 to 1. `undisputed`
        is null where no row is disputed, see `_undisputed`.
    """
    rows = list(rows)
    accuracies = accuracy_by_category(rows)
    categories = {name: part | {"partial": part["n"] < size(name, version)} for name, part in accuracies.items()}
    live = _LIVE_PARTS[version]
    total = sum(size(name, version) for name in live)
    live_weights = {name: size(name, version) / total for name in live}
    overall = {name: weight / 2 for name, weight in (_NON_LIVE_AST | live_weights).items()}
    undisputed = [row for row in rows if row.id not in disputed_rows(version)]
    return {
        "version": version,
        "limit": limit,
        "partial": any(part["partial"] for part in categories.values()) or not set(CATEGORIES) <= set(accuracies),
        "categories": categories,
        "non_live_ast": _summary(categories, _NON_LIVE_AST),
        "live": _summary(categories, live_weights),
        "overall": _summary(categories, overall),
        "multi_turn": _summary(categories, _MULTI_TURN),
        "memory": _summary(categories, _MEMORY),
        "web_search": _summary(categories, _WEB_SEARCH),
        "leaderboard": _summary(categories, _leaderboard(version, live_weights)),
        "covered_weight": _covered(categories, version, live_weights),
        "format_sensitivity": formats([row for row in rows if row.category == FORMATS]),
        "when_to_call": _when_to_call(categories, rows),
        "undisputed": _undisputed(undisputed, categories, len(rows), live_weights, overall),
    }


def formats(rows: Sequence[Verdict]) -> dict | None:
    """BFCL's numbers of format sensitivity.

    Args:
        rows: verdicts, whose ids name the form of the prompt: format_sensitivity_0:ret_fmt=python&…:simple_python_19.

    Returns:
        {"std", "max_delta": of the accuracies by form, in percent points, "forms": {form: accuracy}}; null without
        rows.
    """
    by_form: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        by_form[row.id.split(":")[1]].append(row.correct)
    if not rows:
        return None
    values = [sum(marks) / len(marks) for marks in by_form.values()]
    spread = stdev(values) if len(values) > 1 else 0.0
    delta = {"std": round(100 * spread, 2), "max_delta": round(100 * (max(values) - min(values)), 2)}
    return delta | {"forms": {form: accuracy(marks) for form, marks in by_form.items()}}


def _columns(version: str, live_weights: dict[str, float]) -> list[tuple[float, dict[str, float]]]:
    """The columns that BFCL's own Overall is made of: the weight of each, and of the categories in it."""
    if version == "v3":  # the mean of Non-Live (its four AST columns and irrelevance), Live and Multi-Turn
        non_live = {name: weight * 4 / 5 for name, weight in _NON_LIVE_AST.items()} | {"irrelevance": 1 / 5}
        return [(1 / 3, non_live), (1 / 3, live_weights), (1 / 3, _MULTI_TURN)]
    irrelevance = dict.fromkeys(("irrelevance", "live_irrelevance"), 1 / 2)
    small = [(0.1, _NON_LIVE_AST), (0.1, live_weights), (0.1, irrelevance)]
    return [*small, (0.3, _MULTI_TURN), (0.2, _MEMORY), (0.2, _WEB_SEARCH)]


def _leaderboard(version: str, live_weights: dict[str, float]) -> dict[str, float]:
    """{category: its weight in BFCL's own Overall}."""
    columns = _columns(version, live_weights)
    return {name: column * weight for column, part in columns for name, weight in part.items()}


def _covered(categories: dict[str, dict], version: str, live_weights: dict[str, float]) -> float:
    """The weight of the columns of BFCL's own Overall of which every category is there."""
    columns = _columns(version, live_weights)
    return round(sum(weight for weight, names in columns if set(names) <= set(categories)), 4)


def _undisputed(
    rows: Sequence[Verdict], whole: dict[str, dict], asked: int, live: dict[str, float], overall: dict[str, float]
) -> dict | None:
    """{"left_out", <category with such rows>, "non_live_ast", "live", "overall"}: the scores without disputed rows."""
    if len(rows) == asked:
        return None
    by_category: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        by_category[row.category].append(row.correct)
    parts = {
        name: accuracy(marks) | {"partial": whole[name]["partial"]} for name, marks in by_category.items()
    }  # fmt: skip
    weights = {"non_live_ast": _NON_LIVE_AST, "live": live, "overall": overall}
    changed = {name: part for name, part in parts.items() if part["n"] < whole[name]["n"]}
    return {"left_out": asked - len(rows)} | changed | {key: _summary(parts, part) for key, part in weights.items()}


def _summary(categories: dict[str, dict], weights: dict[str, float]) -> dict | None:
    if not set(weights) <= set(categories):
        return None
    partial = any(categories[name]["partial"] for name in weights)
    return weighted_accuracy([(weight, categories[name]) for name, weight in weights.items()]) | {"partial": partial}


def _when_to_call(categories: dict[str, dict], rows: Sequence[Verdict]) -> dict:
    """Irrelevance beside relevance: a model that never calls has 100 % of the first, and 0 % of the second.

    `calls_wanted` and `no_call_wanted` are all rows of single turns, for runs without BFCL's few relevance rows.
    """
    columns = {name: categories.get(name) for name in ("irrelevance", "live_irrelevance", "live_relevance")}
    return columns | calls_apart([row for row in rows if row.category in CATEGORIES])


def calls_apart(rows: Sequence[Verdict]) -> dict:
    """The accuracies on questions that need a call, and on those that no tool fits.

    Args:
        rows: scored answers.

    Returns:
        {"calls_wanted", "no_call_wanted"}, each as from `figures`, None where there are no such rows.
    """
    sides: dict[bool, list[Verdict]] = {False: [], True: []}
    for row in rows:
        sides[wants_no_call(row.category)].append(row)
    return {"calls_wanted": figures(sides[False]) if sides[False] else None,
            "no_call_wanted": figures(sides[True], no_call=True) if sides[True] else None}  # fmt: skip


def figures(rows: Sequence[Verdict], no_call: bool = False) -> dict:
    """Accuracy, and the answers whose end is missing or that nobody can read.

    Args:
        rows: scored answers.
        no_call: whether no call is right for them. The official rule then takes every text that it cannot read for a
            refusal; in `strict` only a statement and `[]` are.

    Returns:
        {"accuracy", "low", "high", "correct", "n", "unreadable", "cut"} and, for `no_call`, "strict" with the first
        five.
    """
    forms = Counter(row.form for row in rows)
    counts = {"unreadable": forms[UNREADABLE], "cut": forms[CUT]}
    strict = {"strict": accuracy([row.correct and row.form in REFUSALS for row in rows])} if no_call else {}
    return accuracy([row.correct for row in rows]) | counts | strict


def accuracy_by_category(rows: Iterable[Verdict]) -> dict[str, dict]:
    """{category: its `figures`} of the categories that were asked, in BFCL's order."""
    by_category: dict[str, list[Verdict]] = defaultdict(list)
    for row in rows:
        by_category[row.category].append(row)
    return {name: figures(by_category[name], wants_no_call(name)) for name in _SIZES if name in by_category}
