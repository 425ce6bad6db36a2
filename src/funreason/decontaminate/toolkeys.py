"""When two tools are the same."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from funreason.calls.schema import to_bfcl
from funreason.decontaminate.text import weight, words

ALIKE = 0.75  # of the weight of the shorter description of a tool, the fraction that the other one has


@dataclass(frozen=True)
class Signature:
    """What same tools have in common, however it is spelled. Not the types, which conversions between formats change.

    Attributes:
        key: The name and the sorted names of the parameters.
        description: The words of its description.
    """

    key: tuple[str, ...]
    description: frozenset[str]

    def is_like(self, other: "Signature") -> bool:
        """Whether both are the same tool.

        `calculate_bmi(height, weight)` may be anyone's: the descriptions must be alike, unless one has been left out.
        One may go on where the other ends. A tool without parameters needs one.
        """
        if self.key != other.key:
            return False
        if not self.description or not other.description:
            return len(self.key) > 1
        shared = weight(self.description & other.description)
        return shared >= ALIKE * min(weight(self.description), weight(other.description))


def signature(tool: dict[str, Any]) -> Signature:
    """The signature of a tool in xLAM's or BFCL's form."""
    return _signature(json.dumps(tool))


@lru_cache(maxsize=32768)
def _signature(text: str) -> Signature:
    """Cached by the tool's text, because the same few thousand tools occur again and again."""
    tool = json.loads(text)
    parameters = sorted(map(_spelled, to_bfcl(tool)["parameters"]["properties"]))
    return Signature((_spelled(tool["name"]), *parameters), frozenset(words(tool.get("description") or "")))


def _spelled(name: str) -> str:
    """`getWeather`, `get_weather` and `get.weather` are one name."""
    return "".join(words(name))
