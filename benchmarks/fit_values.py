"""The models of single values and of places of the query: which values of a row are wrong, which places a call lacks;
and what sound rows tell of the habits of parameters."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from funreason.calls import parse
from funreason.core.records import Sample
from funreason.heuristics.comparison import Comparison
from funreason.heuristics.habits import Habits, Sighting, count_habits
from funreason.heuristics.looked_at import LookedAt, look_at
from funreason.heuristics.omissions import Omissions
from funreason.heuristics.value_features import kind_of, parameter_words

SOUND = ("gold", "right")
# Kinds of planted defects that change one value of a call, or all values of one call.
IN_VALUES = (
    "wrong value", "wrong number", "wrong choice", "wrong function", "swapped values", "invented argument",
    "truncated text", "answer off reasoning",
)  # fmt: skip
# Those that leave a part of the query without a call.
IN_PLACES = (
    "wrong value", "wrong number", "wrong choice", "wrong function", "truncated text", "dropped call",
    "answer off reasoning",
)  # fmt: skip
Features = Callable[[int], list[dict[str, float]]]  # of the values or places of a row, by its index
OTHERS = 0.1  # weight of the sound values or places beside a planted one


class Part(NamedTuple):
    """A labelled value, or a place of the query: its row, its features, whether it is wrong or lacking, its weight."""

    row: int
    features: dict[str, float]
    is_wrong: bool
    weight: float


def sightings(comparison: Comparison) -> Iterable[Sighting]:
    """What a sound row tells of habits."""
    for match in comparison.matches:
        if not match.scalar.is_key and kind_of(match.scalar.value) != "flag":
            tool, place = comparison.calls[match.scalar.call].name, match.place
            cue = comparison.text.cue(place) if place else ""
            yield Sighting(parameter_words(match.scalar.param)[0], tool, place is not None, cue)


def habits_of_others(rows: Sequence[tuple[str, Comparison]], fold: np.ndarray, folds: int) -> list[Habits]:
    """For each fold the habits in the sound rows of the others; the last ones are those of all rows."""
    seen: list[list[Sighting]] = [[] for _ in range(folds)]
    for (kind, comparison), of in zip(rows, fold, strict=True):
        seen[of] += sightings(comparison) if kind in SOUND else ()
    others = [[s for at, some in enumerate(seen) if at != number for s in some] for number in range(folds)]
    return [count_habits(some) for some in (*others, [s for some in seen for s in some])]


def labelled_values(row: int, kind: str, sample: Sample, sound: Sample | None, features: Features) -> list[Part]:
    """The values of a row with their labels; none where nothing is known of single values.

    Args:
        row: The index of the row.
        kind: What it counts as.
        sample: The row.
        sound: The row without its planted defect, if it has one.
        features: Gives the features of its values; their habits were counted without it.
    """
    wrong = _wrong_values(kind, _compared(sample), sound)
    if wrong is None:
        return []
    weights = [1.0 if is_wrong or sound is None else OTHERS for is_wrong in wrong]
    return [Part(row, *rest) for rest in zip(features(row), wrong, weights, strict=True)]


def labelled_places(row: int, kind: str, sample: Sample, sound: Sample | None, features: Features) -> list[Part]:
    """The places of the query that no call uses: lacking are those that the sound row uses. See `labelled_values`."""
    if kind not in SOUND and (sound is None or kind not in IN_PLACES):
        return []
    unused = {place[:2] for place in Omissions(_compared(sound)).places} if sound else None
    parts = []
    for of_place, (start, end, _) in zip(features(row), Omissions(_compared(sample)).places, strict=True):
        is_lacking = unused is not None and (start, end) not in unused
        parts.append(Part(row, of_place, is_lacking, 1.0 if is_lacking or sound is None else OTHERS))
    return parts


def _compared(sample: Sample) -> Comparison:
    looked_at = look_at(sample)
    assert isinstance(looked_at, LookedAt)
    return looked_at.on_query()


def _wrong_values(kind: str, comparison: Comparison, sound: Sample | None) -> list[bool] | None:
    if kind in SOUND:
        return [False] * len(comparison.matches)
    if sound is None:
        return None
    before = parse(sound.answer)
    if kind == "value not in query":
        stated = {_key(match.scalar) for match in _compared(sound).matches if match.state == "stated"}
        return [match.state != "stated" and _key(match.scalar) in stated for match in comparison.matches]
    if kind not in IN_VALUES or len(before) != len(comparison.calls):
        return None
    return [
        before[scalar.call].name != comparison.calls[scalar.call].name
        or before[scalar.call].arguments.get(scalar.param) != comparison.calls[scalar.call].arguments.get(scalar.param)
        for scalar in (match.scalar for match in comparison.matches)
    ]


def _key(scalar: Any) -> tuple[int, str, str]:
    return scalar.call, scalar.param, repr(scalar.value)


def fit_parts(values: Sequence[Part], features: list[str]) -> HistGradientBoostingClassifier:
    """A model of labelled values or places."""
    model = HistGradientBoostingClassifier(
        max_iter=100, learning_rate=0.08, max_leaf_nodes=8, min_samples_leaf=20, l2_regularization=3.0,
        max_features=0.3, random_state=0,
    )  # fmt: skip
    wrong, weights = [value.is_wrong for value in values], [value.weight for value in values]
    return model.fit(array([value.features for value in values], features), wrong, sample_weight=weights)


def array(evidence: Sequence[dict[str, float]], features: list[str]) -> np.ndarray:
    """Evidence by name as an array, [rows or values, features]."""
    return np.array([[numbers.get(name, 0.0) for name in features] for numbers in evidence])
