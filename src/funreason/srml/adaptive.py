"""SSB's adaptive λ: the weight of the reasoning, learned while training.

BalanceSFT (arXiv 2505.20192 v3) trains α of L = α · L_think + (1 − α) · L_result with the model, from 0.7. Plain
descent, ∂L/∂α = L_think − L_result, has no minimum inside (0, 1): it only ever moves to the segment that is easier now.
So the loss that α descends is anchored at its start by the Kullback–Leibler divergence of two Bernoulli distributions,

    J(α) = L + τ · KL(α ‖ α₀),      dJ/dα = (L_think − L_result) + τ · (logit α − logit α₀),

and the step is taken on θ = logit α (mirror descent: α stays in (0, 1), whatever the rate η), within [low, high]:

    θ ← θ − η · dJ/dα,      fixed point α* = σ(logit α₀ − (L_think − L_result) / τ),      approached by 1 − ητ per step.

τ = 0 is the paper's unanchored form. α is a float beside the model, not a parameter in it: DDP would not find a
gradient for it, and ranks with optimizers of their own drift apart.

This module needs only the standard library: the parameters of the pipeline are checked by it, too.
"""

import json
from dataclasses import dataclass, field
from math import exp, log
from pathlib import Path

FILE = "balance.json"


def check_rule(rate: float, anchor: float, low: float, high: float) -> None:
    """Check the step size, the anchor and the bounds of α.

    Args:
        rate: η, the step of logit α per nat.
        anchor: τ, in nats.
        low: Smallest α.
        high: Largest α.

    Raises:
        ValueError: A value is out of its range.
    """
    if not 0 < low <= high < 1:
        raise ValueError(f"ssb: min is {low} and max is {high}, allowed is 0 < min ≤ max < 1")
    if rate <= 0 or anchor < 0:
        raise ValueError(f"ssb: rate is {rate} and anchor is {anchor}, allowed is rate > 0 and anchor ≥ 0")
    if rate * anchor > 1:
        raise ValueError(f"ssb: rate {rate} times anchor {anchor} is over 1: the weight would oscillate; lower one")


def check_start(start: float, low: float, high: float) -> None:
    """Raise ValueError unless α starts within its bounds, `low` to `high`."""
    if not low <= start <= high:
        raise ValueError(f"ssb: the weight starts at {start}, allowed are {low} (min) to {high} (max)")


@dataclass
class Balance:
    """α and the rule by which it is learned.

    Args:
        start: α₀, the weight of the reasoning before the first step.
        rate: η, the step of logit α per nat, above 0.
        anchor: τ in nats, 0 or more; rate · anchor is at most 1.
        low: Smallest α, above 0.
        high: Largest α, below 1.

    Raises:
        ValueError: A value is out of its range.
    """

    start: float
    rate: float
    anchor: float
    low: float
    high: float
    value: float = field(init=False)

    def __post_init__(self) -> None:
        check_rule(self.rate, self.anchor, self.low, self.high)
        check_start(self.start, self.low, self.high)
        self.value = self.start

    def update(self, think: float, result: float) -> None:
        """Take one step.

        Args:
            think: Mean loss of the reasoning in nats, over one optimizer step on all ranks.
            result: The same of the result.
        """
        slope = think - result + self.anchor * (_logit(self.value) - _logit(self.start))
        moved = 1 / (1 + exp(-(_logit(self.value) - self.rate * slope)))
        self.value = min(max(moved, self.low), self.high)

    def save(self, folder: str | Path) -> None:
        """Write α into a checkpoint folder."""
        Path(folder, FILE).write_text(json.dumps({"think_weight": self.value}) + "\n")

    def load(self, folder: str | Path) -> None:
        """Read α from a checkpoint folder. Raises ValueError where the checkpoint is of a training without SSB."""
        path = Path(folder, FILE)
        if not path.exists():
            raise ValueError(f"{path} does not exist: the checkpoint is of a training without ssb; start anew")
        self.value = json.loads(path.read_text())["think_weight"]


def _logit(probability: float) -> float:
    return log(probability) - log(1 - probability)
