"""Near-duplicates: MinHash proposes pairs of texts, the weighted similarity of their words decides."""

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from rensa import RMinHash, RMinHashLSH

from funreason.decontaminate.text import COMMON, numbers, similarity, weight, word_weight

# Texts that say as little as "Order me pizza" (text.weight) are near only if they are more similar than others must be.
LITTLE, FOR_LITTLE = 17, 0.65
PERMUTATIONS, BANDS, SEED = 128, 64, 1  # proposes 99.8 % of the pairs with a Jaccard similarity of 0.3
Item = TypeVar("Item")


class NearIndex(Generic[Item]):
    """Texts, to be found by similar ones.

    Two texts are near if they have the same numbers, and of the weight of their words, as sets, at least a fraction of
    `threshold` is shared: another place or name makes another question, other small words do not.

    Args:
        threshold: 0 to 1.
    """

    def __init__(self, threshold: float):
        self.threshold = threshold
        self._proposing = RMinHashLSH(threshold, PERMUTATIONS, BANDS)
        self._texts: list[tuple[frozenset[str], list[str], float, Item]] = []

    def add(self, text: Sequence[str], item: Item) -> None:
        """Add a text, as its words, and what `find` is to give for it."""
        self._proposing.insert(len(self._texts), _sketch(text))
        least = self.threshold if weight(text) >= LITTLE else max(self.threshold, FOR_LITTLE)
        self._texts.append((frozenset(text), numbers(text), least, item))

    def find(self, text: Sequence[str]) -> Iterator[tuple[Item, float]]:
        """The items of the texts near to this one, each with the similarity, the most similar first."""
        own, own_numbers = frozenset(text), numbers(text)
        near = []
        for at in self._proposing.query(_sketch(text)):
            other, other_numbers, least, item = self._texts[at]
            if own_numbers == other_numbers and (alike := similarity(own, other)) >= least:
                near.append((-alike, at, item))
        for negative, _, item in sorted(near, key=lambda found: found[:2]):
            yield item, -negative


def _sketch(text: Sequence[str]) -> RMinHash:
    """Of the words that tell texts apart; with all words, too many pairs would be proposed."""
    telling = [word for word in text if word_weight(word) > COMMON]
    return RMinHash.from_token_sets([telling or list(text)], PERMUTATIONS, SEED)[0]
