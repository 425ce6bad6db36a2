"""What a reasoning says of its answer: how much it doubts, and whether it has the functions and values of the calls.

A model that is wrong has often hesitated before. The words are those of English and Chinese reasonings in general.
"""

from collections import Counter
from math import log1p

from funreason.heuristics.comparison import Comparison
from funreason.heuristics.tool_fit import telling_roots

# Words are counted as parts of the text in lower case: a regular expression of them all takes ten times as long.
_DOUBTS = {
    "maybe": ("maybe", "perhaps", "might", "probably", "也许", "可能", "或许"),
    "but": ("but ", "but,", "however", "although", "但是", "不过", "然而"),
    "wait": ("wait", "hmm", "等等", "等一下"),
    "assume": ("assum", "suppos", "guess", "infer", "假设", "假定", "推测"),
    "unstated": (
        "not specif", "n't specif", "not mention", "n't mention", "not provid", "n't provid", "not given", "not state",
        "n't state", "n't give", "n't say", "not explicit", "n't explicit", "missing", "没有提供", "没有指定",
        "没有提到", "未提供", "未指定", "未提到",
    ),
    "refuse": (
        "none of", "no function", "no tool", "not available", "n't match", "not match", "n't direct", "not direct",
        "n't exact", "not exact", "n't support", "n't cover", "closest", "没有函数", "没有工具",
    ),
    "or": (" or ", "alternativ", "either", "another way", "another option", "或者", "还是"),
    "ask": (" ask ", "clarif", "prompt the user", "prompt them", "询问", "确认"),
    "cannot": ("can't", "can’t", "cannot", "unable", "not possible", "无法", "不能"),
    "sure": (
        "no missing", "all required", "all the required", "all necessary", "all needed", "provided all", "are provided",
        "is provided", "are given", "is given", "are specified", "is specified", "correctly", "straightforward",
        "exactly",
    ),
    "error": ("typo", "mistake", "confus", "unclear", "ambigu", "not sure", "contradict", "tricky", "problem"),
    "default": ("default", "optional", "默认", "可选"),
}  # fmt: skip
_LATE = ("maybe", "but", "wait", "assume", "or")  # kinds that tell at the end of a reasoning
_END = 300  # characters that are its end
_MAX_QUERY = 2_000  # characters of a query that are looked for in its reasoning


def reasoning_evidence(comparison: Comparison, on_cot: Comparison) -> dict[str, float]:
    """The evidence of a reasoning; lengths and counts as logarithms.

    Args:
        comparison: The calls compared with the query.
        on_cot: The same calls compared with the reasoning.
    """
    cot, low = on_cot.text.raw, on_cot.text.low
    length = len(low) / 100
    counts = {kind: count_of(kind, low) for kind in _DOUBTS}
    states = Counter(match.state for match in on_cot.matches)
    used = {(call.name, param) for call in comparison.calls for param in call.arguments}
    declared = {(name, param) for name, spec in comparison.specs.items() for param in spec.parameters if len(param) > 3}
    return {
        "cot": 1.0,
        "cot_length": log1p(length),
        "cot_per_call": log1p(length / len(comparison.calls)),
        "cot_per_value": log1p(length / (1 + len(comparison.matches))),
        **{f"cot_{kind}": log1p(count) for kind, count in counts.items()},
        "cot_question": log1p(low.count("?")),
        "cot_late_doubt": float(sum(count_of(kind, low[-_END:]) for kind in _LATE)),
        "cot_others": float(sum(name in cot for name in comparison.tools if name not in comparison.specs)),
        "cot_lacks_function": float(sum(name not in cot for name in comparison.names)),
        "cot_absent": float(states["absent"]),
        "cot_hinted": float(states["hinted"]),
        "cot_unused_params": float(sum(param in cot for _, param in declared - used)),
        "cot_unnamed_params": float(sum(param not in cot for _, param in declared & used)),
        **_account_of_values(comparison, on_cot),
        "cot_query": _covered(comparison.text.low, low),
    }


def _account_of_values(comparison: Comparison, on_cot: Comparison) -> dict[str, float]:
    """How many values neither query nor reasoning has, and how many only one of them states."""
    counts = {"cot_nowhere": 0.0, "cot_lost": 0.0, "cot_gained": 0.0}
    for of_query, of_cot in zip(comparison.matches, on_cot.matches, strict=True):
        if of_query.state == "absent" == of_cot.state:
            counts["cot_nowhere"] += 1
        elif of_query.state == "stated" and of_cot.state in ("absent", "hinted"):
            counts["cot_lost"] += 1
        elif of_cot.state == "stated" and of_query.state in ("absent", "hinted"):
            counts["cot_gained"] += 1
    return counts


def _covered(query: str, reasoning: str) -> float:
    """The fraction of the telling roots of a query that a reasoning has."""
    telling = telling_roots(query[:_MAX_QUERY])
    return sum(root in reasoning for root in telling) / max(1, len(telling))


def count_of(kind: str, low: str) -> int:
    """How often a text in lower case has words of a kind of doubt."""
    return sum(low.count(words) for words in _DOUBTS[kind])
