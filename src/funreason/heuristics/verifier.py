"""The verifier: a small boosted model that turns the evidence of a row into a score, for rows that no rule decides.

`verifier.json` holds one model per check and kind of row (with or without a reasoning), and what its scores were worth
on rows that it was not fitted on. `benchmarks/fit_verifier.py` makes it; see docs/heuristics.md.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from funreason.config import VerifierParams

VERIFIED = ("query_tool", "cot", "call")  # the checks that have a model
Tree = float | list[Any]  # a leaf, or [feature, threshold, tree at or below it, tree above it]


class Model(NamedTuple):
    """A boosted model of one check.

    Attributes:
        bias: The log odds that the trees add to.
        trees: The trees.
        passes: (greatest fraction of unsound rows among those at or above a score, the score), rising fractions.
        fails: (fraction of sound rows below a score, the score), rising fractions.
    """

    bias: float
    trees: list[Tree]
    passes: list[tuple[float, float]]
    fails: list[tuple[float, float]]


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
    names, models = _read()
    model = models[f"{check}/{'reasoned' if has_cot else 'bare'}"]
    values = [evidence.get(name, 0.0) for name in names]
    score = model.bias
    for tree in model.trees:
        node: Any = tree
        while type(node) is list:  # not isinstance, which takes twice the time
            node = node[2] if values[node[0]] <= node[1] else node[3]
        score += node
    value = None
    if score >= _at(model.passes, getattr(limits.max_error, check), float("inf")):
        value = True
    elif score < _at(model.fails, limits.max_false, float("-inf")):
        value = False
    return Opinion(round(score, 3), value, score >= _at(model.fails, getattr(limits.max_loss, check), float("-inf")))


def _at(curve: list[tuple[float, float]], limit: float, otherwise: float) -> float:
    """The score of the last point of a curve within a limit."""
    within = [score for fraction, score in curve if fraction <= limit]
    return within[-1] if within else otherwise


@cache
def _read() -> tuple[list[str], dict[str, Model]]:
    text = files(__package__).joinpath("verifier.json").read_text()
    values = json.loads(text)
    return values["features"], {name: Model(**model) for name, model in values["models"].items()}
