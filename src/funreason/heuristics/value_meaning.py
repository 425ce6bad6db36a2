"""Whether a value means what its parameter is about, by word vectors: alone, beside its rivals, and if swapped."""

from functools import cached_property

import numpy as np

from funreason.heuristics.comparison import Comparison, ScalarMatch
from funreason.heuristics.text import Place
from funreason.heuristics.vectors import Vector, text_vector, words_vector
from funreason.heuristics.words import STOP_WORDS, TOKEN, name_words

_MAX_VALUE, _MAX_DESCRIPTION, _MAX_QUERY = 200, 200, 2000  # characters that are looked at
_NONE = -1.0  # where there is nothing to compare with


class Meanings:
    """The features of the values of one row.

    Args:
        comparison: The calls compared with the query.
    """

    def __init__(self, comparison: Comparison):
        self.comparison, self.text = comparison, comparison.text
        self._around: dict[Place, Vector] = {}
        self._parameters: dict[tuple[str, str], Vector] = {}

    def of_text(self, match: ScalarMatch, rivals: list[Place], others: list[str]) -> dict[str, float]:
        """Whether a text fits its parameter better than other texts of the query do, or other parameters it.

        Args:
            match: The text with its parameter.
            rivals: What the query has that could be meant instead.
            others: The names of the other parameters of its type.
        """
        value, parameter = text_vector(match.scalar.value[:_MAX_VALUE]), self.parameter(match, match.scalar.param)
        own = float(value @ parameter)
        features = {
            "means_own": own,
            "means_query": float(value @ self._query),
            "means_other": max([float(value @ self.parameter(match, other)) for other in others], default=_NONE) - own,
        }
        if not match.place:
            texts = [text_vector(self.text.raw[slice(*place)]) for place in rivals]
            features["means_rival"] = max([float(text @ parameter) for text in texts], default=_NONE) - own
            features["means_word"] = float((self._words @ value).max()) if len(self._words) else _NONE
        return features

    def of_place(self, match: ScalarMatch) -> float:
        """How well the words around a stated value fit its parameter."""
        assert match.place
        return float(self._near(match.place) @ self.parameter(match, match.scalar.param))

    def of_swap(self, match: ScalarMatch, other: ScalarMatch) -> tuple[float, float]:
        """How much better two values of a call would fit if swapped: they themselves, and the words around them."""
        a, b = self.parameter(match, match.scalar.param), self.parameter(match, other.scalar.param)
        values = _NONE
        if isinstance(match.scalar.value, str) and isinstance(other.scalar.value, str):
            texts = [text_vector(m.scalar.value[:_MAX_VALUE]) for m in (match, other)]
            values = float((texts[0] - texts[1]) @ (b - a))
        assert match.place and other.place
        return values, float((self._near(match.place) - self._near(other.place)) @ (b - a))

    def parameter(self, match: ScalarMatch, param: str) -> Vector:
        """The vector of a parameter of the match's tool, of its name and description."""
        key = self.comparison.calls[match.scalar.call].name, param
        if key not in self._parameters:
            spec = self.comparison.specs.get(key[0])
            declared = spec.parameters.get(param, {}) if spec else {}
            text = f"{' '.join(name_words(param))} {str(declared.get('description'))[:_MAX_DESCRIPTION]}"
            self._parameters[key] = text_vector(text)
        return self._parameters[key]

    def _near(self, place: Place) -> Vector:
        if place not in self._around:
            self._around[place] = words_vector(self.text.around(place))
        return self._around[place]

    @cached_property
    def _query(self) -> Vector:
        return text_vector(self.text.low)

    @cached_property
    def _words(self) -> np.ndarray:
        words = {word for word in TOKEN.findall(self.text.low[:_MAX_QUERY]) if len(word) > 2}
        return np.array([text_vector(word) for word in sorted(words - STOP_WORDS)])
