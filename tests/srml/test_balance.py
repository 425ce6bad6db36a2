"""SSB's α: its fixed point, its bounds, and what a checkpoint keeps of it."""

from math import exp, log

import pytest
import torch

from funreason.srml.adaptive import Balance


def balance_of(**options: float) -> Balance:
    return Balance(**{"start": 0.7, "rate": 0.01, "anchor": 1.0, "low": 0.1, "high": 0.95} | options)


def test_one_step_by_hand():
    """θ₀ = ln(7/3); the slope at the start is L_think − L_result = 2 − 1; θ = ln(7/3) − 0.1."""
    balance = balance_of(rate=0.1)
    balance.update(2.0, 1.0, 1e-3)
    assert balance.value == pytest.approx(1 / (1 + exp(-(log(7 / 3) - 0.1))))


@pytest.mark.parametrize("rate, anchor", [(0.01, 1.0), (1.0, 1.0), (0.5, 2.0)])
def test_the_anchor_decides_the_fixed_point(rate, anchor):
    balance = balance_of(rate=rate, anchor=anchor)
    for _ in range(2000):
        balance.update(1.5, 1.2, 1e-3)
    assert balance.value == pytest.approx(1 / (1 + exp(-(log(7 / 3) - 0.3 / anchor))))


def test_without_an_anchor_it_runs_to_the_easier_segment_and_stops_at_a_bound():
    options = {"rate": 0.1, "anchor": 0.0, "low": 0.2, "high": 0.9}
    harder_think, harder_result = balance_of(**options), balance_of(**options)
    for _ in range(500):
        harder_think.update(2.0, 1.0, 1e-3)
        harder_result.update(1.0, 2.0, 1e-3)
    assert (harder_think.value, harder_result.value) == (0.2, 0.9)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"start": 0.05}, "starts at 0.05, allowed are 0.1 .min. to 0.95"),
        ({"high": 1.0}, "min is 0.1 and max is 1.0, allowed is 0 < min"),
        ({"rate": 0.6, "anchor": 2.0}, "rate 0.6 times anchor 2.0 is over 1"),
        ({"rate": 0.0}, "rate is 0.0 and anchor is 1.0, allowed is rate > 0"),
        ({"rule": "free"}, "the rule is 'free', allowed are anchored, plain"),
    ],
)
def test_refused_options(options, message):
    with pytest.raises(ValueError, match=message):
        balance_of(**options)


STEPS = [(2.0, 1.0, 1e-2), (1.2, 1.5, 8e-3), (1.0, 1.1, 5e-3), (0.9, 0.2, 1e-3)]  # losses and learning rate


def test_plain_is_a_parameter_of_adamw():
    """The same steps as torch's optimizer takes on a parameter with the gradient of α · think + (1 − α) · result."""
    balance, alpha = balance_of(rule="plain"), torch.nn.Parameter(torch.tensor(0.7, dtype=torch.float64))
    optimizer = torch.optim.AdamW([alpha], weight_decay=0.0)
    for think, result, rate in STEPS:
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        (alpha * think + (1 - alpha) * result).backward()
        optimizer.step()
        balance.update(think, result, rate)
        assert balance.value == pytest.approx(alpha.item(), rel=1e-12)


def test_plain_stops_at_a_bound():
    balance = balance_of(rule="plain", low=0.3)
    for _ in range(100):
        balance.update(2.0, 1.0, 1e-2)
    assert balance.value == 0.3


@pytest.mark.parametrize("rule", ["anchored", "plain"])
def test_a_checkpoint_keeps_every_bit(tmp_path, rule):
    saved, loaded = balance_of(rule=rule), balance_of(rule=rule)
    saved.update(*STEPS[0])
    saved.save(tmp_path)
    loaded.load(tmp_path)
    assert loaded.value == saved.value != 0.7
    for balance in (saved, loaded):
        balance.update(*STEPS[1])
    assert loaded.value == saved.value
    with pytest.raises(ValueError, match="is of another rule of ssb than .*; start anew"):
        balance_of(rule="plain" if rule == "anchored" else "anchored").load(tmp_path)
    with pytest.raises(ValueError, match="balance.json does not exist: .* start anew"):
        loaded.load(tmp_path / "other")
