"""Near-duplicates: shared words and MinHash of letters propose pairs of texts, weighted similarities decide."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Generic, TypeVar

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA
from rensa import RMinHash, RMinHashLSH

from funreason.decontaminate.text import COMMON, numbers, weight, word_weight

# Texts that say as little as "Order me pizza" (text.weight) are near only if they are more similar than others must be.
LITTLE, FOR_LITTLE = 17, 0.65
# A part of a text is near if such a fraction of its words is in the same order, its similarity exceeds the threshold by
# FOR_PART, and what it shares weighs PART: three telling words. "The flight number is 7" is part of many texts.
IN_ORDER, FOR_PART, PART = 0.7, 0.1, 18
SAME_WORD, LETTERS = 0.7, 4  # similarity of the letters of one word in two spellings, from so many letters on
SHARED = 0.35  # of the weight of a text's telling words: with less, it is not compared
# Texts as similar in their letters are near, whatever their words are: "wi fi" and "wifi". MinHash proposes 99 % of the
# pairs that share 60 % of their shingles.
SAME_LETTERS, SHINGLE, PERMUTATIONS, BANDS, SEED = 0.88, 4, 128, 32, 1
SMOOTHING, LEAST_RARITY = 1000, 0.34  # with the first, words that few texts have weigh about the same
Item = TypeVar("Item")


@dataclass(frozen=True)
class Known(Generic[Item]):
    """A text that can be found: its words in order and as a set, its numbers, and the least similarity to it."""

    words: tuple[str, ...]
    set: frozenset[str]
    numbers: Counter[str]
    least: float
    item: Item

    @cached_property
    def letters(self) -> str:
        """All words without separators."""
        return "".join(self.words)


class NearIndex(Generic[Item]):
    """Texts, to be found by similar ones.

    The similarity of two texts is, of the weight of their words as sets, the fraction that both have. The more of the
    index's texts have a word, the less it weighs. A word counts as the same if only a letter or two are different.

    A text is near to one of the index if they are similar, if a part of it is, in about the same order, or if nearly
    all letters are the same. Neither has a number in place of one of the other: that makes another question.

    Args:
        threshold: The least similarity, 0 to 1.
    """

    def __init__(self, threshold: float):
        self.threshold = threshold
        self._proposing = RMinHashLSH(threshold, PERMUTATIONS, BANDS)
        self._texts: list[Known[Item]] = []
        self._holders: dict[str, list[int]] = defaultdict(list)  # word → texts that have it
        self._weights: dict[str, float] = {}

    def add(self, text: Sequence[str], item: Item) -> None:
        """Add a text, as its words, and what `find` is to give for it. All are added before the first is looked up."""
        least = self.threshold if weight(text) >= LITTLE else max(self.threshold, FOR_LITTLE)
        at = len(self._texts)
        known = Known(tuple(text), frozenset(text), Counter(numbers(text)), least, item)
        self._texts.append(known)
        self._proposing.insert(at, _sketch(known.letters))
        for word in known.set:
            self._holders[word].append(at)

    def find(self, text: Sequence[str]) -> Iterator[tuple[Item, float]]:
        """The items of the texts near to this one, each with the similarity, the most similar first."""
        own, letters, own_numbers = frozenset(text), "".join(text), Counter(numbers(text))
        near: dict[int, float] = {}
        for at in self._sharing_words(own):
            near[at] = self._near(_respelled(text, own, self._texts[at].set), own_numbers, self._texts[at])
        for at in self._proposing.query(_sketch(letters)):
            near[at] = near.get(at) or _letters_alike(letters, own_numbers, self._texts[at])
        for at in sorted(filter(near.get, near), key=lambda at: (-near[at], at)):
            yield self._texts[at].item, near[at]

    def _sharing_words(self, own: frozenset[str]) -> list[int]:
        shared: dict[int, float] = defaultdict(float)
        for word in own:
            if word_weight(word) > COMMON and word in self._holders:
                weighs = self._weight((word,))
                for at in self._holders[word]:
                    shared[at] += weighs
        return [at for at, weighs in shared.items() if weighs >= SHARED * self._telling[at]]

    @cached_property
    def _telling(self) -> list[float]:
        """Of each text the weight of its telling words."""
        return [self._weight(word for word in known.set if word_weight(word) > COMMON) for known in self._texts]

    def _near(self, text: Sequence[str], own_numbers: Counter[str], other: Known) -> float:
        """The similarity of the text, or of the part of it that is most like the other; 0 if it is not near."""
        similarity = self._similarity(text, own_numbers, other)
        if similarity >= other.least:
            return similarity
        part = fuzz.partial_ratio_alignment(other.words, text, score_cutoff=100 * IN_ORDER)
        if part is None or len(text) <= len(other.words) / 2:
            return 0.0
        copied = text[part.dest_start : part.dest_end]
        if weight(other.set.intersection(copied)) < PART:
            return 0.0
        similarity = self._similarity(copied, Counter(numbers(copied)) if own_numbers else own_numbers, other)
        return similarity if similarity >= self.threshold + FOR_PART else 0.0

    def _similarity(self, text: Sequence[str], own_numbers: Counter[str], other: Known) -> float:
        if _numbers_differ(own_numbers, other):
            return 0.0
        own = frozenset(text)
        return self._weight(own & other.set) / (self._weight(own | other.set) or 1)

    def _weight(self, of: Iterable[str]) -> float:
        return sum(self._weights.get(word) or self._weigh(word) for word in of)

    def _weigh(self, word: str) -> float:
        """`word_weight`, less for a word that many of the texts have."""
        weighs: float = word_weight(word)
        if weighs > COMMON:
            holding = len(self._holders.get(word, ())) or 1
            weighs *= max(LEAST_RARITY, 1 - math.log(holding) / math.log(len(self._texts) + SMOOTHING))
        self._weights[word] = weighs
        return weighs


def _numbers_differ(own: Counter[str], other: Known) -> bool:
    """Whether each has a number that the other lacks."""
    return bool(own - other.numbers and other.numbers - own)


def _letters_alike(letters: str, own_numbers: Counter[str], other: Known) -> float:
    if _numbers_differ(own_numbers, other):
        return 0.0
    return fuzz.ratio(letters, other.letters, score_cutoff=100 * SAME_LETTERS) / 100


def _respelled(text: Sequence[str], own: frozenset[str], other: frozenset[str]) -> Sequence[str]:
    """The text with the other's spelling of words that are the same but for a letter or two."""
    open_words = [word for word in other - own if _spellable(word)]
    if not open_words:
        return text
    same = {}
    for word in filter(_spellable, own - other):
        match = process.extractOne(word, open_words, scorer=OSA.normalized_similarity, score_cutoff=SAME_WORD)
        if match:
            same[word] = match[0]
    return [same.get(word, word) for word in text] if same else text


@lru_cache(maxsize=65536)
def _spellable(word: str) -> bool:
    return len(word) >= LETTERS and word.isalpha() and word_weight(word) > COMMON


def _sketch(letters: str) -> RMinHash:
    sketch = RMinHash(PERMUTATIONS, SEED)
    sketch.update([letters[at : at + SHINGLE] for at in range(max(1, len(letters) - SHINGLE + 1))])
    return sketch
