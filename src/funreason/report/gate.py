"""The regression gate: is a round's model good enough to build on, against the model it was trained from?"""

from funreason.core import paths
from funreason.core.errors import DataError, RegressionError
from funreason.core.jsonio import read_json

# gate.measure → where metrics/<round>/bfcl.json has the accuracy
MEASURES = {"toy": ("toy",), "bfcl": ("bfcl", "overall")}


def measured_accuracy(name: str, measure: str) -> dict:
    """The accuracy of a model on function calls.

    Args:
        name: of the round, or base for the untrained model.
        measure: toy or bfcl, as gate.measure.

    Returns:
        {"accuracy", "low", "high", "n"} and what else the metrics say of it.

    Raises:
        DataError: where it was not measured.
    """
    path = paths.accuracy(name, "bfcl")
    value: dict | None = read_json(path)
    for key in MEASURES[measure]:
        value = value.get(key) if value else None
    if value is None:
        raise DataError(
            f"{path} has no Overall accuracy for gate.measure: bfcl; put single_turn into evaluate.bfcl.categories, "
            "or set gate.measure to toy"
        )
    return value


def calls_apart(name: str, measure: str) -> dict:
    """The accuracies of a model on queries that need a call, and on those that no tool fits.

    Args:
        name: of the round, or base for the untrained model.
        measure: toy or bfcl, as gate.measure.

    Returns:
        {"calls", "no_call"}, 0 to 1, as far as they were asked; of `no_call` the strict accuracy, for which only a
        refusal that can be read counts.
    """
    figures = read_json(paths.accuracy(name, "bfcl"))[measure]
    parts = figures if measure == "toy" else figures.get("when_to_call", {})
    calls, no_call = parts.get("calls_wanted"), parts.get("no_call_wanted")
    measured = {"calls": calls, "no_call": no_call and no_call["strict"]}
    return {name: part["accuracy"] for name, part in measured.items() if part}


def check_regression(name: str, init: str, measure: str, max_regression: float) -> None:
    """Refuse a model that got worse than the one it was trained from.

    Args:
        name: of the round.
        init: the round that its training started from, or base.
        measure: toy or bfcl, as gate.measure.
        max_regression: the loss of accuracy that is allowed, 0 to 1.

    Raises:
        RegressionError: where the model lost more than that.
        DataError: where one of the two was not measured.
    """
    before, after = measured_accuracy(init, measure), measured_accuracy(name, measure)
    lost = round(before["accuracy"] - after["accuracy"], 4)
    if lost <= max_regression:
        return
    figures = " against ".join(_text(who, part, measure) for who, part in ((name, after), (init, before)))
    raise RegressionError(
        f"round {name} got worse than {init}: {figures}, a loss of {lost:.1%} where gate.max_regression allows "
        f"{max_regression:.1%}; no further round builds on it. {paths.model_folder(name)} is kept for inspection: "
        f"change how the round is made (rounds, recipes, train), delete it from rounds, or allow more"
    )


def _text(name: str, accuracy: dict, measure: str) -> str:
    apart = "".join(f", {side.replace('_', ' ')} {value:.1%}" for side, value in calls_apart(name, measure).items())
    interval = f"{accuracy['low']:.1%} to {accuracy['high']:.1%}, n = {accuracy['n']}{apart}"
    return f"{name} {accuracy['accuracy']:.1%} ({interval})"
