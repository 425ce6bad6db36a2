"""SSB's adaptive λ: the weight of the reasoning, learned while training.

BalanceSFT (arXiv 2505.20192 v3) trains α of L = α · L_think + (1 − α) · L_result with the model, from 0.7. There are
two rules:

`plain`, the paper's description: α is one more parameter of AdamW, at the model's learning rate, with the gradient
∂L/∂α = L_think − L_result. Nothing holds it: it only ever moves to the segment that is easier now, by about the
learning rate per step, whatever the losses are. The bounds [low, high] are ours.

`anchored`, ours: the loss that α descends is anchored at its start by the Kullback–Leibler divergence of two Bernoulli
distributions,

    J(α) = L + τ · KL(α ‖ α₀),      dJ/dα = (L_think − L_result) + τ · (logit α − logit α₀),

and the step is taken on θ = logit α (mirror descent: α stays in (0, 1), whatever the rate η), within [low, high]:

    θ ← θ − η · dJ/dα,      fixed point α* = σ(logit α₀ − (L_think − L_result) / τ),      approached by 1 − ητ per step.

Under both, α is a float beside the model, not a parameter in it: DDP would not find a gradient for it, and ranks with
optimizers of their own drift apart.

This module needs only the standard library: the parameters of the pipeline are checked by it, too.
"""

import json
from dataclasses import dataclass, field
from math import exp, log, sqrt
from pathlib import Path

FILE = "balance.json"
RULES = ("anchored", "plain")
BETAS = 0.9, 0.999  # AdamW's, as Trainer has them by default
EPSILON = 1e-8


def check_rule(rate: float, anchor: float, low: float, high: float, rule: str = "anchored") -> None:
    """Check the rule, its step size and anchor, and the bounds of α.

    Args:
        rate: η, the step of logit α per nat.
        anchor: τ, in nats.
        low: Smallest α.
        high: Largest α.
        rule: One of RULES.

    Raises:
        ValueError: A value is out of its range.
    """
    if rule not in RULES:
        raise ValueError(f"ssb: the rule is {rule!r}, allowed are {', '.join(RULES)}")
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
        rate: η of `anchored`, the step of logit α per nat, above 0.
        anchor: τ of `anchored` in nats, 0 or more; rate · anchor is at most 1.
        low: Smallest α, above 0.
        high: Largest α, below 1.
        rule: `anchored` or `plain`.

    Raises:
        ValueError: A value is out of its range.
    """

    start: float
    rate: float
    anchor: float
    low: float
    high: float
    rule: str = "anchored"
    value: float = field(init=False)
    _mean: float = field(default=0.0, init=False)  # AdamW's moments of the gradient
    _square: float = field(default=0.0, init=False)
    _steps: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        check_rule(self.rate, self.anchor, self.low, self.high, self.rule)
        check_start(self.start, self.low, self.high)
        self.value = self.start

    def update(self, think: float, result: float, learning_rate: float) -> None:
        """Take one step.

        Args:
            think: Mean loss of the reasoning in nats, over one optimizer step on all ranks.
            result: The same of the result.
            learning_rate: The model's in this step; only `plain` uses it.
        """
        slope = think - result
        moved = self._descended(slope, learning_rate) if self.rule == "plain" else self._mirrored(slope)
        self.value = min(max(moved, self.low), self.high)

    def _mirrored(self, slope: float) -> float:
        slope += self.anchor * (_logit(self.value) - _logit(self.start))
        return 1 / (1 + exp(-(_logit(self.value) - self.rate * slope)))

    def _descended(self, slope: float, learning_rate: float) -> float:
        """AdamW's step on α, without weight decay."""
        self._steps += 1
        self._mean += (1 - BETAS[0]) * (slope - self._mean)
        self._square += (1 - BETAS[1]) * (slope**2 - self._square)
        mean, square = (
            moment / (1 - beta**self._steps) for moment, beta in zip((self._mean, self._square), BETAS, strict=True)
        )
        return self.value - learning_rate * mean / (sqrt(square) + EPSILON)

    def save(self, folder: str | Path) -> None:
        """Write α, and what its rule remembers, into a checkpoint folder."""
        state: dict[str, float] = {"think_weight": self.value}
        if self.rule == "plain":
            state |= {"mean": self._mean, "square": self._square, "steps": self._steps}
        Path(folder, FILE).write_text(json.dumps(state) + "\n")

    def load(self, folder: str | Path) -> None:
        """Read α from a checkpoint folder. Raises ValueError where the checkpoint is of a training of another kind."""
        path = Path(folder, FILE)
        if not path.exists():
            raise ValueError(f"{path} does not exist: the checkpoint is of a training without ssb; start anew")
        state = json.loads(path.read_text())
        if ("steps" in state) != (self.rule == "plain"):
            raise ValueError(f"{path} is of another rule of ssb than {self.rule!r}; start anew")
        self.value = state["think_weight"]
        if self.rule == "plain":
            self._mean, self._square, self._steps = state["mean"], state["square"], state["steps"]


def _logit(probability: float) -> float:
    return log(probability) - log(1 - probability)
