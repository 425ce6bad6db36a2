"""The verifier: small boosted models that turn the evidence of a row into a score, for rows that no rule decides.

`verifier.json` holds one model per check and kind of row (with or without a reasoning), and what its scores were worth
on rows that it was not fitted on; and one model of single values, which tells of a row without a reasoning which of its
values are likely wrong. `benchmarks/fit_verifier.py` makes it; see docs/heuristics.md.
"""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from math import exp, log1p
from typing import Any, NamedTuple

from funreason.config import VerifierParams
from funreason.heuristics.comparison import Comparison
from funreason.heuristics.habits import Habits
from funreason.heuristics.value_features import ValueFeatures

VERIFIED = ("query_tool", "cot", "call")  # the checks that have a model
VALUE = "value"  # the model of single values
Tree = float | list[Any]  # a leaf, or [feature, threshold, tree at or below it, tree above it]


class Model(NamedTuple):
    """A boosted model.

    Attributes:
        features: The names of its features.
        bias: The log odds that the trees add to.
        trees: The trees.
        passes: (greatest fraction of unsound rows among those at or above a score, the score), rising fractions.
        fails: (fraction of sound rows below a score, the score), rising fractions.
    """

    features: list[str]
    bias: float
    trees: list[Tree]
    passes: Sequence[tuple[float, float]] = ()
    fails: Sequence[tuple[float, float]] = ()

    def score(self, evidence: dict[str, float]) -> float:
        """The log odds of a row or a value; evidence that is missing is 0."""
        values = [evidence.get(name, 0.0) for name in self.features]
        score = self.bias
        for tree in self.trees:
            node: Any = tree
            while type(node) is list:  # not isinstance, which takes twice the time
                node = node[2] if values[node[0]] <= node[1] else node[3]
            score += node
        return score


class Opinion(NamedTuple):
    """What the verifier says of a row.

    Attributes:
        score: The log odds that the row is sound.
        value: True where it passes, False where it fails, None where the score is between.
        likely: Whether an undecided row is worth keeping.
    """

    score: float
    value: bool | None
    likely: bool


def verify(check: str, evidence: dict[str, float], has_cot: bool, limits: VerifierParams) -> Opinion:
    """Score a row.

    Args:
        check: query_tool, cot or call.
        evidence: The evidence of the row.
        has_cot: Whether it has a reasoning.
        limits: fcdr.verifier.
    """
    model = _read()[0][f"{check}/{'reasoned' if has_cot else 'bare'}"]
    score = model.score(evidence)
    value = None
    if score >= _at(model.passes, getattr(limits.max_error, check), float("inf")):
        value = True
    elif score < _at(model.fails, limits.max_false, float("-inf")):
        value = False
    return Opinion(round(score, 3), value, score >= _at(model.fails, getattr(limits.max_loss, check), float("-inf")))


def wrong_value_evidence(comparison: Comparison) -> dict[str, float]:
    """How likely the values of the calls are wrong, as evidence of the row."""
    models, habits = _read()
    return of_value_scores([models[VALUE].score(f) for f in ValueFeatures(comparison, habits).of_values()])


def of_value_scores(scores: Sequence[float]) -> dict[str, float]:
    """The evidence of a row from the log odds that each of its values is wrong."""
    first, second, *_ = (*sorted(scores, reverse=True), -6.0, -6.0)
    return {
        "value_worst": first,
        "value_second": second,
        "value_sum": log1p(sum(1 / (1 + exp(-score)) for score in scores)),
        "value_mean": sum(scores) / len(scores) if scores else -6.0,
    }


def _at(curve: Sequence[tuple[float, float]], limit: float, otherwise: float) -> float:
    """The score of the last point of a curve within a limit."""
    within = [score for fraction, score in curve if fraction <= limit]
    return within[-1] if within else otherwise


@cache
def _read() -> tuple[dict[str, Model], Habits]:
    values = json.loads(files(__package__).joinpath("verifier.json").read_text())
    return {name: Model(**model) for name, model in values["models"].items()}, Habits(**values["habits"])
