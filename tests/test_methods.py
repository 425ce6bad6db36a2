"""The comparison of methods: arms, intervals that pair the same questions and seeds, and the table."""

import sys
from pathlib import Path

import pytest

from funreason.core.errors import ParamsError
from funreason.evaluate.stats import paired_difference

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "experiments/methods"))

import methods  # noqa: E402


def point(arm, seed, right, tokens=1_000_000, dead=None):
    marks = {f"known/{at}": at < right for at in range(100)}
    fractions = dict.fromkeys(("calls_wanted", "no_call_wanted", "heldout", "code"), right / 100)
    return {
        "arm": arm,
        "seed": seed,
        "tokens": tokens,
        "dead_before": dead,
        "dead_trained": dead,
        "marks": marks,
    } | fractions


def test_every_stage_names_an_arm_that_exists():
    text = (ROOT / "experiments/methods/dvc.yaml").read_text()
    assert text.count(f"arm: [{', '.join(methods.ARMS)}]") == 2
    with pytest.raises(ParamsError, match="the arm is 'dpo'; allowed are sft, msl"):
        methods.arm_of("dpo")


def test_the_interval_counts_questions_and_not_answers():
    """Ten seeds that answer alike are ten times the answers and no more evidence."""
    differences = [1.0] * 10 + [0.0] * 90
    low, high = methods.clustered_interval(differences)
    single = paired_difference([False] * 100, [True] * 10 + [False] * 90)
    assert (low, high) == pytest.approx((single["low"], single["high"]), abs=0.03)


def test_the_table_compares_the_seeds_that_both_arms_have(tmp_path):
    points = [
        point("sft", 0, 50),
        point("sft", 1, 60),
        point("grpo", 1, 70, 3_000_000, 0.4),
        point("grpo", 2, 10, 3_000_000, 0.6),
    ]
    rows = methods.write_results(tmp_path / "results.csv", reversed(points))
    assert [(row["arm"], row["seed"]) for row in rows] == [("sft", 0), ("sft", 1), ("grpo", 1), ("grpo", 2)]
    methods.write_table(
        tmp_path / "table.md", rows, dict.fromkeys(("calls_wanted", "no_call_wanted", "heldout", "code"), 0.4)
    )
    header, rule, before, sft, grpo = (tmp_path / "table.md").read_text().splitlines()
    assert {line.count("|") for line in (header, rule, before, sft, grpo)} == {11}
    assert "55.0 (50.0 to 60.0)" in sft and "| 1.0 |" in sft
    assert "+10.0 (" in grpo and "| 0.002 |" in grpo and "50.0 (40.0 to 60.0) → " in grpo
