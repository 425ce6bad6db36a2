"""The verifier: small boosted models that turn the evidence of a row into a score, for rows that no rule decides.

`verifier.json` holds one model per check and kind of row (with or without a reasoning), and what its scores were worth
on rows that it was not fitted on; and two models for rows without a reasoning: which values of the calls are likely
wrong, and which places of the query a call likely lacks. `benchmarks/fit_verifier.py` makes it; see docs/heuristics.md.
"""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from math import exp, log1p
from typing import Any, NamedTuple

import numpy as np

from funreason.config import VerifierParams
from funreason.heuristics.comparison import Comparison
from funreason.heuristics.habits import Habits
from funreason.heuristics.omissions import Omissions
from funreason.heuristics.value_features import ValueFeatures

VERIFIED = ("query_tool", "cot", "call")  # the checks that have a model
VALUE, OMITTED = "value", "omitted"  # the models of single values, and of places of the query that no call uses
Tree = float | list[Any]  # a leaf, or [feature, threshold, tree at or below it, tree above it]
_LEAVES = 8
_FIRST_BIT = np.array([0, *((bits & -bits).bit_length() - 1 for bits in range(1, 256))])


class Model:
    """A boosted model of trees of 8 leaves at most, all of which are evaluated at once.

    A bit stands for each leaf of a tree, from left to right. A node whose test fails rules out the leaves of its left
    branch; the first leaf that remains is the one that is reached.

    Args:
        features: The names of its features.
        bias: The log odds that the trees add to.
        trees: The trees.
        passes: (greatest fraction of unsound rows among those at or above a score, the score), rising fractions.
        fails: (fraction of sound rows below a score, the score), rising fractions.
    """

    def __init__(
        self,
        features: list[str],
        bias: float,
        trees: list[Tree],
        passes: Sequence[tuple[float, float]] = (),
        fails: Sequence[tuple[float, float]] = (),
    ):
        self.features, self.bias, self.passes, self.fails = features, bias, passes, fails
        shape = (_LEAVES - 1, len(trees))  # the nodes of a tree in a column
        self._feature, self._threshold = np.zeros(shape, np.intp), np.full(shape, np.inf)
        self._left = np.full(shape, 255, np.uint8)
        self._values = np.zeros((_LEAVES, len(trees)))
        for at, tree in enumerate(trees):
            nodes, leaves = _flattened(tree)
            self._values[: len(leaves), at] = leaves
            for row, (feature, threshold, left) in enumerate(nodes):
                self._feature[row, at], self._threshold[row, at] = feature, threshold
                self._left[row, at] = 255 & ~sum(1 << leaf for leaf in left)
        self._columns = np.arange(len(trees))

    def scores(self, evidence: Sequence[dict[str, float]]) -> list[float]:
        """The log odds of rows or values; evidence that is missing is 0."""
        if not evidence:
            return []
        x = np.array([[numbers.get(name, 0.0) for name in self.features] for numbers in evidence])
        remaining = np.where(x[:, self._feature] > self._threshold, self._left, np.uint8(255))
        reached = _FIRST_BIT[np.bitwise_and.reduce(remaining, axis=1)]  # [rows, trees]
        return [float(score) for score in self._values[reached, self._columns].sum(axis=1) + self.bias]


def _flattened(tree: Tree) -> tuple[list[tuple[int, float, range]], list[float]]:
    """The nodes of a tree as (feature, threshold, the leaves of its left branch), and its leaves from left to right."""
    if not isinstance(tree, list):
        return [], [tree]
    feature, threshold, low, high = tree
    (low_nodes, low_leaves), (high_nodes, high_leaves) = _flattened(low), _flattened(high)
    first = len(low_leaves)
    shifted = [(f, t, range(left.start + first, left.stop + first)) for f, t, left in high_nodes]
    return [(feature, threshold, range(first)), *low_nodes, *shifted], low_leaves + high_leaves


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
    (score,) = model.scores([evidence])
    value = None
    if score >= _at(model.passes, getattr(limits.max_error, check), float("inf")):
        value = True
    elif score < _at(model.fails, limits.max_false, float("-inf")):
        value = False
    return Opinion(round(score, 3), value, score >= _at(model.fails, getattr(limits.max_loss, check), float("-inf")))


def part_evidence(comparison: Comparison) -> dict[str, float]:
    """How likely the values of the calls are wrong, and what no call uses is lacking, as evidence of the row."""
    models, habits = _read()
    values = models[VALUE].scores([*ValueFeatures(comparison, habits).of_values()])
    places = models[OMITTED].scores([*Omissions(comparison).features()])
    return of_scores(VALUE, values) | of_scores(OMITTED, places)


def of_scores(name: str, scores: Sequence[float]) -> dict[str, float]:
    """The evidence of a row from the log odds that each of its values is wrong, or each place is lacking."""
    first, second, *_ = (*sorted(scores, reverse=True), -6.0, -6.0)
    return {
        f"{name}_worst": first,
        f"{name}_second": second,
        f"{name}_sum": log1p(sum(1 / (1 + exp(-score)) for score in scores)),
        f"{name}_mean": sum(scores) / len(scores) if scores else -6.0,
    }


def _at(curve: Sequence[tuple[float, float]], limit: float, otherwise: float) -> float:
    """The score of the last point of a curve within a limit."""
    within = [score for fraction, score in curve if fraction <= limit]
    return within[-1] if within else otherwise


@cache
def _read() -> tuple[dict[str, Model], Habits]:
    values = json.loads(files(__package__).joinpath("verifier.json").read_text())
    return {name: Model(**model) for name, model in values["models"].items()}, Habits(**values["habits"])
