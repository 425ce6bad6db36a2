"""SSB's α: where it rests, that it stays in its bounds, and what a checkpoint keeps of it."""

from math import exp, log

import pytest

from funreason.srml.adaptive import Balance


def test_one_step_by_hand():
    """θ₀ = ln(7/3); the slope at the start is L_think − L_result = 2 − 1; θ = ln(7/3) − 0.1."""
    balance = Balance(0.7, rate=0.1, anchor=1.0)
    balance.update(2.0, 1.0)
    assert balance.value == pytest.approx(1 / (1 + exp(-(log(7 / 3) - 0.1))))


@pytest.mark.parametrize("rate, anchor", [(0.01, 1.0), (1.0, 1.0), (0.5, 2.0)])
def test_it_rests_where_the_anchor_holds_it(rate, anchor):
    balance = Balance(0.7, rate, anchor)
    for _ in range(2000):
        balance.update(1.5, 1.2)
    assert balance.value == pytest.approx(1 / (1 + exp(-(log(7 / 3) - 0.3 / anchor))))


def test_without_an_anchor_it_runs_to_the_easier_segment_and_stops_at_a_bound():
    harder_think, harder_result = Balance(0.7, 0.1, 0.0, 0.2, 0.9), Balance(0.7, 0.1, 0.0, 0.2, 0.9)
    for _ in range(500):
        harder_think.update(2.0, 1.0)
        harder_result.update(1.0, 2.0)
    assert (harder_think.value, harder_result.value) == (0.2, 0.9)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"start": 0.05}, "`ssb_min` 0.1, `think_weight` 0.05"),
        ({"high": 1.0}, "`ssb_max` 1.0"),
        ({"rate": 0.6, "anchor": 2.0}, "a product of at most 1"),
        ({"rate": 0.0}, "`ssb_rate` 0.0"),
    ],
)
def test_refused_rules(options, message):
    with pytest.raises(ValueError, match=message):
        Balance(**options)


def test_a_checkpoint_keeps_every_bit(tmp_path):
    saved, loaded = Balance(), Balance()
    saved.update(1.234, 0.567)
    saved.save(tmp_path)
    loaded.load(tmp_path)
    assert loaded.value == saved.value != 0.7
    with pytest.raises(ValueError, match="balance.json does not exist: .* start anew"):
        loaded.load(tmp_path / "other")
