"""The numbers of BFCL's tables, from verdicts whose shares are known."""

import pytest

from funreason.evaluate import toy_suites
from funreason.evaluate.answers import ScoredAnswer
from funreason.evaluate.bfcl_metrics import (
    CATEGORIES,
    GROUPS,
    LIVE,
    MEMORY,
    MULTI_TURN,
    WEB_SEARCH,
    expand,
    official_metrics,
    size,
)


def rows(category: str, correct: int, n: int, form: str = "unreadable") -> list[ScoredAnswer]:
    ids = [f"{category}_{number}" for number in range(n)]
    return [ScoredAnswer("bfcl", category, id, "", at < correct, form=form) for at, id in enumerate(ids)]


def complete(shares: dict[str, float], version: str) -> list[ScoredAnswer]:
    return [
        row
        for name in (*CATEGORIES, *(name for name in MULTI_TURN if name in shares))
        for row in rows(name, round(shares.get(name, 0.0) * size(name, version)), size(name, version))
    ]


def test_sizes_and_groups():
    assert sum(size(name, "v4") for name in GROUPS["single_turn"]) == 3641
    assert sum(size(name, "v3") for name in LIVE) == 2251
    assert expand(["multi_turn_base", "multi_turn", "multiple"]) == ("multiple", *MULTI_TURN)
    assert expand(["live_relevance", "non_live", "multiple"]) == (*GROUPS["non_live"], "live_relevance")


def test_means_are_those_of_bfcl():
    shares = {"simple_python": 0.9, "simple_java": 0.6, "simple_javascript": 0.3, "multiple": 0.8, "parallel": 0.4,
              "parallel_multiple": 0.2, "live_simple": 0.5, "irrelevance": 1.0, "live_irrelevance": 1.0}  # fmt: skip
    v4, v3 = (official_metrics(complete(shares, version), None, version) for version in ("v4", "v3"))
    assert v4["non_live_ast"]["accuracy"] == v3["non_live_ast"]["accuracy"] == 0.5  # (0.6 + 0.8 + 0.4 + 0.2) / 4
    assert v4["live"]["accuracy"] == pytest.approx(129 / 1351, abs=1e-4) and v4["live"]["n"] == 1351
    assert v3["live"]["accuracy"] == pytest.approx((129 + 882) / 2251, abs=1e-4) and v3["live"]["n"] == 2251
    assert v3["overall"]["accuracy"] == pytest.approx((0.5 + 1011 / 2251) / 2, abs=1e-4)
    assert v4["partial"] is v4["overall"]["partial"] is v4["categories"]["multiple"]["partial"] is False
    for summary in ("non_live_ast", "live", "overall"):
        assert v4[summary]["low"] < v4[summary]["accuracy"] < v4[summary]["high"]


def test_several_turns_and_the_leaderboard():
    """v3's Overall is a mean of three means, v4's also of memory and web search."""
    shares = {"simple_python": 0.9, "irrelevance": 1.0, "live_multiple": 1.0, "multi_turn_base": 0.4,
              "multi_turn_miss_func": 0.2, "multi_turn_miss_param": 0.2, "multi_turn_long_context": 0.0}  # fmt: skip
    v4, v3 = (official_metrics(complete(shares, version), None, version) for version in ("v4", "v3"))
    assert v4["multi_turn"]["accuracy"] == v3["multi_turn"]["accuracy"] == 0.2 and v4["multi_turn"]["n"] == 800
    means = (0.3 / 4 * 4 + 1.0) / 5, 1053 / 2251, 0.2
    assert v3["leaderboard"]["accuracy"] == pytest.approx(sum(means) / 3, abs=1e-4)
    assert v3["leaderboard"]["n"] == 3641 + 800 and not v3["leaderboard"]["partial"]
    assert v4["leaderboard"] is None and v4["covered_weight"] == 0.6
    shares |= {"memory_kv": 0.6, "memory_vector": 0.4, "web_search_base": 0.5}
    remembered = [row for name in MEMORY for row in rows(name, round(155 * shares.get(name, 0)), 155)]
    part = official_metrics([*complete(shares, "v4"), *remembered], None, "v4")
    assert part["leaderboard"] is None and part["covered_weight"] == 0.8 and part["memory"]["n"] == 465
    searched = [row for name in WEB_SEARCH for row in rows(name, round(100 * shares.get(name, 0)), 100)]
    whole = official_metrics([*complete(shares, "v4"), *remembered, *searched], None, "v4")
    means = 0.9 / 3 / 4, 1053 / 1351, 1.0 / 2
    expected = sum(means) / 10 + 0.3 * 0.2 + 0.2 * (93 + 62) / 465 + 0.2 * 0.25
    assert whole["covered_weight"] == 1 and whole["leaderboard"]["accuracy"] == pytest.approx(expected, abs=1e-4)
    assert whole["leaderboard"]["n"] == 3641 - 16 + 800 + 465 + 200 and not whole["leaderboard"]["partial"]
    assert official_metrics(complete({}, "v3"), None, "v3")["leaderboard"] is None  # without several turns


def test_a_partial_category_marks_every_number_that_it_is_part_of():
    figures = official_metrics([*complete({}, "v4")[:-1]], 39, "v4")
    assert figures["partial"] and figures["limit"] == 39 and figures["categories"]["live_relevance"]["partial"]
    assert not figures["categories"]["live_irrelevance"]["partial"] and not figures["overall"]["partial"]
    short = official_metrics([row for row in complete({}, "v4") if row.id != "live_simple_0"], None, "v4")
    assert short["live"]["partial"] and short["overall"]["partial"] and not short["non_live_ast"]["partial"]


def test_a_missing_category_makes_a_summary_null():
    figures = official_metrics(rows("multiple", 3, 3), 3, "v4")
    assert figures["non_live_ast"] is figures["live"] is figures["overall"] is figures["multi_turn"] is None


def test_irrelevance_is_shown_beside_relevance():
    """Always-garbage: all of irrelevance right, none of what wants a call."""
    figures = official_metrics(complete({"irrelevance": 1.0, "live_irrelevance": 1.0}, "v4"), None, "v4")[
        "when_to_call"
    ]
    assert figures["irrelevance"]["accuracy"] == figures["live_irrelevance"]["accuracy"] == 1.0
    assert figures["live_relevance"]["accuracy"] == figures["calls_wanted"]["accuracy"] == 0.0
    assert figures["calls_wanted"]["n"] == 3641 - 240 - 884


def test_always_garbage_refuses_nothing_in_the_strict_accuracy():
    answers = [*complete({"irrelevance": 1.0, "live_irrelevance": 1.0}, "v4")]
    figures = official_metrics(answers, None, "v4")
    category = figures["categories"]["irrelevance"]
    assert (category["accuracy"], category["strict"]["accuracy"], category["unreadable"]) == (1.0, 0.0, 240)
    assert figures["when_to_call"]["no_call_wanted"]["strict"] == category["strict"] | {"n": 1124, "high": 0.0034}
    assert "strict" not in figures["categories"]["multiple"]


def test_forms_are_counted_apart():
    answers = [
        *rows("irrelevance", 3, 4, "statement"), *rows("irrelevance", 2, 2, "cut"), *rows("irrelevance", 1, 1, "empty"),
        *rows("live_irrelevance", 1, 1, "unreadable"), *rows("irrelevance", 0, 2, "calls"),
    ]  # fmt: skip
    figures = official_metrics(answers, None, "v4")["when_to_call"]
    part = figures["no_call_wanted"]
    assert (part["correct"], part["n"], part["unreadable"], part["cut"]) == (7, 10, 1, 2)
    assert (part["strict"]["correct"], part["strict"]["n"]) == (4, 10)
    assert figures["calls_wanted"] is None


def test_toy_metrics():
    known = [*rows("multiple", 1, 2), *rows("irrelevance", 1, 1)]
    figures = toy_suites.metrics({"known": known, "new": rows("multiple", 0, 1)})
    assert figures["known"]["categories"]["multiple"]["accuracy"] == 0.5
    assert (figures["known"]["accuracy"], figures["known"]["n"]) == (0.6667, 3)
    assert (figures["accuracy"], figures["correct"], figures["n"]) == (0.5, 2, 4)
    assert (figures["calls_wanted"]["correct"], figures["calls_wanted"]["n"]) == (1, 3)
    assert figures["known"]["no_call_wanted"]["strict"]["accuracy"] == 0.0 and figures["new"]["no_call_wanted"] is None
