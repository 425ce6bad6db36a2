"""SSB's balance: the weight α of the reasoning, learned while training.

BalanceSFT (arXiv 2505.20192 v3) trains α of L = α · L_think + (1 − α) · L_result with the model, from 0.7. Plain
descent, ∂L/∂α = L_think − L_result, has no minimum inside (0, 1): it only ever moves to the segment that is easier now.
So the loss that α descends is anchored at its start by the Kullback–Leibler divergence of two coins,

    J(α) = L + τ · KL(α ‖ α₀),      dJ/dα = (L_think − L_result) + τ · (logit α − logit α₀),

and the step is taken on θ = logit α (mirror descent: α stays in (0, 1), whatever the rate η), within [low, high]:

    θ ← θ − η · dJ/dα,      rest at α* = σ(logit α₀ − (L_think − L_result) / τ),      reached by 1 − ητ a step.

τ = 0 is the paper's unanchored form. α is a float beside the model, not a parameter in it: DDP would not find a
gradient for it, and ranks with optimizers of their own drift apart.
"""

import json
from dataclasses import dataclass
from math import exp, log
from pathlib import Path

FILE = "balance.json"


@dataclass
class Balance:
    """α and its rule. `start`, `low`, `high`: weights in (0, 1); `rate`: η, per nat; `anchor`: τ in nats."""

    start: float = 0.7
    rate: float = 0.01
    anchor: float = 1.0
    low: float = 0.1
    high: float = 0.95

    def __post_init__(self):
        if not 0 < self.low <= self.start <= self.high < 1:
            raise ValueError(
                f"`ssb_min` {self.low}, `think_weight` {self.start}, `ssb_max` {self.high}: "
                "wanted is 0 < ssb_min ≤ think_weight ≤ ssb_max < 1"
            )
        if self.rate <= 0 or self.anchor < 0 or self.rate * self.anchor > 1:
            raise ValueError(
                f"`ssb_rate` {self.rate}, `ssb_anchor` {self.anchor}: wanted is ssb_rate > 0, ssb_anchor ≥ 0 and "
                "a product of at most 1, beyond which α swings around its rest"
            )
        self.value = self.start

    def update(self, think: float, result: float) -> None:
        """One step on the mean losses (nats) of one optimizer step over all ranks."""
        slope = think - result + self.anchor * (_logit(self.value) - _logit(self.start))
        moved = 1 / (1 + exp(-(_logit(self.value) - self.rate * slope)))
        self.value = min(max(moved, self.low), self.high)

    def save(self, folder: str | Path) -> None:
        Path(folder, FILE).write_text(json.dumps({"think_weight": self.value}) + "\n")

    def load(self, folder: str | Path) -> None:
        """Take α from a checkpoint. Raises ValueError if it is one of a training without SSB."""
        path = Path(folder, FILE)
        if not path.exists():
            raise ValueError(f"{path} does not exist: the checkpoint is of a training without ssb; start anew")
        self.value = json.loads(path.read_text())["think_weight"]


def _logit(share: float) -> float:
    return log(share) - log(1 - share)
