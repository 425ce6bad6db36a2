"""When two tools are the same."""

import json
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from funreason.calls.schema import to_bfcl
from funreason.decontaminate.text import similarity, weight, words

ALIKE = 0.75  # of the weight of the shorter description of a tool, the fraction that the other one has
# Renamed tools: what the description must weigh (text.weight), and the similarity of the parameters' descriptions.
DESCRIBED, SAME_PARAMETERS = 13, 0.75


@dataclass(frozen=True)
class Signature:
    """What same tools have in common, however it is spelled. Not the types, which conversions between formats change.

    Attributes:
        name: The name, without separators.
        parameters: The sorted names of the parameters, likewise.
        description: The words of its description.
        details: The words of its parameters' descriptions.
    """

    name: str
    parameters: tuple[str, ...]
    description: frozenset[str]
    details: frozenset[str]

    def lookups(self) -> Iterator[Hashable]:
        """The keys of an index of tools: the same tool has one of these, too."""
        yield self.name, self.parameters
        if weight(self.description) >= DESCRIBED:
            yield len(self.parameters), self.description

    def is_like(self, other: "Signature") -> bool:
        """Whether both, which share a key, are the same tool: by their names, or renamed."""
        if (self.name, self.parameters) == (other.name, other.parameters):
            return self._described_alike(other)
        return self.description == other.description and self._has_parameters_of(other)

    def _described_alike(self, other: "Signature") -> bool:
        """`calculate_bmi(height, weight)` may be anyone's: the descriptions must be alike, unless one is left out.

        One may go on where the other ends. A tool without parameters needs one.
        """
        if not self.description or not other.description:
            return bool(self.parameters)
        shared = weight(self.description & other.description)
        return shared >= ALIKE * min(weight(self.description), weight(other.description))

    def _has_parameters_of(self, other: "Signature") -> bool:
        """By their descriptions, or at least two and half of all by their names."""
        if similarity(self.details, other.details) >= SAME_PARAMETERS:
            return True
        return len(set(self.parameters) & set(other.parameters)) >= max(2, len(self.parameters) / 2)


def signature(tool: dict[str, Any]) -> Signature:
    """The signature of a tool in xLAM's or BFCL's form."""
    return _signature(json.dumps(tool))


@lru_cache(maxsize=32768)
def _signature(text: str) -> Signature:
    """Cached by the tool's text, because the same few thousand tools occur again and again."""
    tool = json.loads(text)
    parameters = to_bfcl(tool)["parameters"]["properties"]
    details = (word for parameter in parameters.values() for word in words(str(parameter.get("description") or "")))
    return Signature(
        name=_spelled(tool["name"]),
        parameters=tuple(sorted(map(_spelled, parameters))),
        description=frozenset(words(tool.get("description") or "")),
        details=frozenset(details),
    )


def _spelled(name: str) -> str:
    """`getWeather`, `get_weather` and `get.weather` are one name."""
    return "".join(words(name))
