"""Intervals and tests against published worked examples and values computed by other means."""

import itertools

import pytest

from funreason.evaluate.stats import (
    accuracy,
    difference,
    mcnemar,
    paired_difference,
    pass_at_k,
    weighted_accuracy,
    wilson,
)


def test_wilson_published():
    """Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_accuracy():
    assert accuracy([True, False]) == {"accuracy": 0.5, "low": 0.0945, "high": 0.9055, "correct": 1, "n": 2}
    assert accuracy([]) == {"accuracy": 0.0, "low": 0.0, "high": 1.0, "correct": 0, "n": 0}


def test_a_weighted_accuracy_of_more_parts_has_a_narrower_interval():
    one = accuracy([True] * 30 + [False] * 70)
    assert weighted_accuracy([(1.0, one)]) == {key: one[key] for key in ("accuracy", "low", "high", "n")}
    four = weighted_accuracy([(0.25, one)] * 4)
    assert four["accuracy"] == 0.3 and four["n"] == 400
    assert four["high"] - four["low"] == pytest.approx((one["high"] - one["low"]) / 2, abs=2e-4)


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (1, 0), (3, 8), (5, 5), (12, 2)])
def test_mcnemar_is_the_probability_of_coin_throws(lost, gained):
    n = lost + gained
    heads = [sum(throws) for throws in itertools.product((0, 1), repeat=n)]
    extreme = sum(abs(2 * h - n) >= abs(lost - gained) for h in heads) / len(heads)
    assert mcnemar(lost, gained) == pytest.approx(extreme)


def marks(both, lost, gained, neither):
    before = [True] * (both + lost) + [False] * (gained + neither)
    return before, [True] * both + [False] * lost + [True] * gained + [False] * neither


def test_paired_difference_published():
    """Newcombe, Statistics in Medicine 17 (1998) 2635-2650, table II, method 10."""
    for cells, low, high in [((36, 12, 2, 0), 0.0569, 0.3404), ((36, 14, 0, 0), 0.1528, 0.4167)]:
        change = paired_difference(*marks(*cells))
        assert (-change["high"], -change["low"]) == pytest.approx((low, high), abs=2e-4), cells


def test_difference_published():
    """Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10: 56/70 - 48/80."""
    change = difference({"correct": 48, "n": 80}, {"correct": 56, "n": 70})
    assert (change["difference"], change["low"], change["high"]) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


def test_the_interval_of_no_change_has_a_width():
    change = paired_difference(*marks(20, 0, 0, 0))
    assert change["difference"] == 0 and change["p"] == 1 and change["low"] < 0 < change["high"]


def test_paired_difference_counts():
    change = paired_difference(*marks(5, 3, 1, 1))
    assert (change["before"], change["after"], change["difference"]) == (0.8, 0.6, -0.2)
    assert (change["lost"], change["gained"], change["n"], change["p"]) == (3, 1, 10, 0.625)
    with pytest.raises(ValueError, match="shorter|longer"):
        paired_difference([True], [])


@pytest.mark.parametrize(("n", "correct", "k"), [(5, 0, 2), (5, 2, 3), (5, 5, 1), (6, 1, 6)])
def test_pass_at_k_counts_draws(n, correct, k):
    draws = list(itertools.combinations([True] * correct + [False] * (n - correct), k))
    assert pass_at_k(n, correct, k) == pytest.approx(sum(map(any, draws)) / len(draws))
    with pytest.raises(ValueError, match="pass@7"):
        pass_at_k(6, 1, 7)
