"""What BFCL's and API-Bank's own gold answers reach: BFCL's checker refuses some of its possible answers.

Measured with the whole pipeline from text to score (`tests/evaluate/test_gold.py`, `test_gold_turns.py`).
"""

_V4 = {
    "simple_python": (400, 400), "simple_java": (87, 100), "simple_javascript": (50, 50), "multiple": (200, 200),
    "parallel": (200, 200), "parallel_multiple": (198, 200), "irrelevance": (240, 240), "live_simple": (256, 258),
    "live_multiple": (1050, 1053), "live_parallel": (16, 16), "live_parallel_multiple": (24, 24),
    "live_irrelevance": (884, 884), "live_relevance": (16, 16), "multi_turn_base": (200, 200),
    "multi_turn_miss_func": (200, 200), "multi_turn_miss_param": (200, 200), "multi_turn_long_context": (200, 200),
}  # fmt: skip
GOLD = {  # version → category → (right, of)
    "v4": _V4,
    "v3": _V4 | {
        "simple_python": (399, 400), "simple_javascript": (49, 50), "live_parallel": (15, 16),
        "live_irrelevance": (882, 882), "live_relevance": (18, 18),
    },
}  # fmt: skip


def gold_ceiling(suite: str, version: str) -> float | None:
    """The accuracy of the gold answers of a whole category, None where it is not known.

    Args:
        suite: as the page names it: bfcl.simple_java, api_bank, api_bank.level-1.
        version: of BFCL: v3 or v4.
    """
    benchmark, _, category = suite.partition(".")
    if benchmark == "api_bank":
        return 1.0
    right, of = GOLD.get(version, {}).get(category, (0, 0)) if benchmark == "bfcl" else (0, 0)
    return right / of if of else None
