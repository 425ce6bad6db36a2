"""The regression gate: is a round's model good enough to build on, against the model it was trained from?

Calls decide, and questions that no tool fits are a guard: in one mixed accuracy a model that never calls has a fifth of
the points, and could win.
"""

from funreason.core import paths
from funreason.core.errors import DataError, RegressionError
from funreason.core.jsonio import read_details
from funreason.evaluate.stats import difference

# gate.measure → where metrics/<round>/bfcl.json has the two sides, and what to do where no question needs a call
MEASURES = {"toy": ("toy",), "bfcl": ("bfcl", "when_to_call")}
_REMEDIES = {
    "toy": "rerun its stage, evaluate_bfcl",
    "bfcl": "put a category with calls into evaluate.bfcl.categories, or set gate.measure to toy",
}


def calls_apart(name: str, measure: str) -> dict[str, dict]:
    """The accuracies of a model on questions that need a call, and on those that no tool fits.

    Args:
        name: of the round, or base for the untrained model.
        measure: toy (held-out queries) or bfcl (all its single turns that were asked), as gate.measure.

    Returns:
        {"calls_wanted", "no_call_wanted"}, each {"accuracy", "low", "high", "correct", "n", …}. `no_call_wanted` is the
        strict accuracy, for which only a refusal that can be read counts; it is left out where none was asked.

    Raises:
        DataError: no question that needs a call was asked.
    """
    path = paths.accuracy(name, "bfcl")
    sides: dict | None = read_details(path)
    for key in MEASURES[measure]:
        sides = sides.get(key) if sides else None
    if not sides or not sides.get("calls_wanted"):
        where = ".".join(MEASURES[measure])
        raise DataError(f"{path} has no {where}.calls_wanted, which gate.measure {measure} needs; {_REMEDIES[measure]}")
    no_call = sides.get("no_call_wanted")
    return {"calls_wanted": sides["calls_wanted"]} | ({"no_call_wanted": no_call["strict"]} if no_call else {})


def check_regression(name: str, init: str, measure: str, max_regression: float) -> None:
    """Refuse a model that got worse than the one it was trained from.

    Args:
        name: of the round.
        init: the round that its training started from, or base.
        measure: toy or bfcl, as gate.measure.
        max_regression: the loss of accuracy that is allowed, 0 to 1, on calls and where no tool fits alike. There,
            questions are few: a loss that may be chance, at 95 %, is allowed as well.

    Raises:
        RegressionError: the model lost more than that.
        DataError: one of the two was not measured.
    """
    before, after = calls_apart(init, measure), calls_apart(name, measure)
    lost = {side: round(before[side]["accuracy"] - after[side]["accuracy"], 4) for side in before if side in after}
    worse = [side for side, loss in lost.items() if loss > max_regression]
    if "no_call_wanted" in worse and difference(before["no_call_wanted"], after["no_call_wanted"])["high"] >= 0:
        worse.remove("no_call_wanted")
    if not worse:
        return
    figures = " against ".join(f"{who} ({_text(sides)})" for who, sides in ((name, after), (init, before)))
    losses = " and ".join(f"{lost[side]:.1%} of {side}" for side in worse)
    raise RegressionError(
        f"round {name} got worse than {init}: {figures}, a loss of {losses} where gate.max_regression allows "
        f"{max_regression:.1%}; no further round builds on it. {paths.model_folder(name)} is kept for inspection: "
        f"change how the round is made (rounds, recipes, train), delete it from rounds, or allow more"
    )


def _text(sides: dict[str, dict]) -> str:
    return ", ".join(
        f"{side} {part['accuracy']:.1%} [{part['low']:.1%}, {part['high']:.1%}] of {part['n']}"
        for side, part in sides.items()
    )
