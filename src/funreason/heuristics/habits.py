"""Habits: how often sound rows state the values of parameters with a word in their name, and what stands before them.

A currency is seldom stated, a city nearly always, and "from" stands before an origin. The tables are counted on sound
rows by benchmarks/fit_verifier.py and kept in verifier.json; a word that no three tools have is not in them.
"""

from collections import Counter
from collections.abc import Iterable
from math import fsum, log
from typing import NamedTuple

_LEAST, _LEAST_TOOLS = 12, 3  # sightings of a word, and tools that have it


class Sighting(NamedTuple):
    """A value of a sound row: the words of its parameter's name, its tool, whether it is stated, the word before it."""

    words: frozenset[str]
    tool: str
    stated: bool
    cue: str


class Habits:
    """The tables.

    Args:
        unstated: Word of a parameter's name → log odds that its values are not stated, less those of all.
        cues: Word of a parameter's name → word before a value → log of how much more often than elsewhere.
    """

    def __init__(self, unstated: dict[str, float], cues: dict[str, dict[str, float]]):
        self.unstated, self.cues = unstated, cues

    def seldom_stated(self, words: Iterable[str]) -> float:
        """How much seldomer than others the values of a parameter are stated; 0 where nothing is known."""
        known = [self.unstated[word] for word in words if word in self.unstated]
        return max(known, key=lambda odds: (abs(odds), odds)) if known else 0.0  # words come in no fixed order

    def cue(self, before: str, words: Iterable[str]) -> float:
        """How much the word before a value speaks for a parameter; 0 where nothing is known."""
        return fsum(of[before] for word in words if before in (of := self.cues.get(word, {})))


def count_habits(sightings: list[Sighting]) -> Habits:
    """Count the tables of sound rows."""
    counts: Counter[str] = Counter()
    unstated: Counter[str] = Counter()
    tools: dict[str, set[str]] = {}
    pairs: Counter[tuple[str, str]] = Counter()
    cues = Counter(sighting.cue for sighting in sightings if sighting.stated and sighting.cue)
    for sighting in sightings:
        for word in sighting.words:
            counts[word] += 1
            unstated[word] += not sighting.stated
            tools.setdefault(word, set()).add(sighting.tool)
            if sighting.stated and sighting.cue:
                pairs[word, sighting.cue] += 1
    known = sorted(word for word in counts if counts[word] >= _LEAST and len(tools[word]) >= _LEAST_TOOLS)
    overall = sum(not sighting.stated for sighting in sightings) / max(1, len(sightings))
    base = log(overall / (1 - overall)) if 0 < overall < 1 else 0.0
    rates = {
        word: round(log((unstated[word] + 0.5) / (counts[word] - unstated[word] + 0.5)) - base, 2) for word in known
    }
    return Habits(rates, {word: of for word in known if (of := _cues_of(word, counts, pairs, cues))})


def _cues_of(word: str, counts: Counter[str], pairs: Counter, cues: Counter[str]) -> dict[str, float]:
    """The cues of a word that are seen at least three times more, or fewer, than elsewhere, with a prior of five."""
    stated, total = sum(n for (w, _), n in pairs.items() if w == word), cues.total()
    table = {}
    for cue, count in cues.items():
        if count >= _LEAST:
            expected = stated * count / total
            weight = round(log((pairs[word, cue] + 5) / (expected + 5)), 2)
            if abs(weight) > 0.3:
                table[cue] = weight
    return table
