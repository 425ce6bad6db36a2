"""Whether a set's model is good enough to build on: its accuracy against that of the model it was trained from."""

from funreason.core import paths
from funreason.core.errors import DataError, RegressionError
from funreason.core.jsonio import read_json

# gate.measure → the place of the accuracy in metrics/<set>/bfcl.json
MEASURES = {"toy": ("toy",), "bfcl": ("bfcl", "overall")}


def accuracy(name: str, measure: str) -> dict:
    """{"accuracy", "low", "high", "n"} of a set, or of the untrained model (base). Raises DataError."""
    path = paths.accuracy(name, "bfcl")
    found = read_json(path)
    for key in MEASURES[measure]:
        found = found.get(key)
    if found is None:
        raise DataError(
            f"{path} has no Overall accuracy for gate.measure: bfcl; put single_turn into evaluate.bfcl.categories, "
            "or set gate.measure to toy"
        )
    return found


def refuse_worse(name: str, init: str, measure: str, max_regression: float) -> None:
    """Raises RegressionError where set `name` lost more than `max_regression` (0 to 1) against `init`, DataError."""
    before, after = accuracy(init, measure), accuracy(name, measure)
    lost = round(before["accuracy"] - after["accuracy"], 4)
    if lost <= max_regression:
        return
    shown = " against ".join(_shown(who, rate) for who, rate in ((name, after), (init, before)))
    raise RegressionError(
        f"set {name} got worse than {init}: {shown}, a loss of {lost:.1%} where gate.max_regression allows "
        f"{max_regression:.1%}; no further set builds on it. {paths.model_folder(name)} stays for a look: change how "
        f"the set is made (rounds, train), delete it from rounds, or allow more"
    )


def _shown(name: str, rate: dict) -> str:
    return f"{name} {rate['accuracy']:.1%} ({rate['low']:.1%} to {rate['high']:.1%}, n = {rate['n']})"
