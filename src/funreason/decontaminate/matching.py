"""Finds what a row has in common with the questions and tools of benchmarks."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

from funreason.decontaminate.near import NearIndex
from funreason.decontaminate.text import COMMON, sentences, weight, without_courtesy, word_weight, words
from funreason.decontaminate.toolkeys import Signature, signature

TEXT_KINDS = ("query", "ngram", "near")  # the strongest first: a row has one of them with a benchmark
KINDS = (*TEXT_KINDS, "tools")
# What a question must weigh (text.weight) to be found reworded or inside a longer text: two words that say something,
# and a common one. A lighter one is found as a whole text or sentence ("open calc"), one below LEAST ("hi", "how are
# you") not at all, nor is one below FOLLOWING that only goes on in a conversation ("create a file").
ENOUGH, LEAST, FOLLOWING = 13, 8, 17
# A question of so few words is found, too, where one of its words is gone: a common one, or any if a word that remains
# is in so few of the questions ("Who radium?").
_FEW, _RARE = 8, 2
_LINKS = frozenset("now so and then next also but first".split())  # that may begin a sentence: "Now open calc."
_ANCHOR = 3  # words by which a short question is looked up inside a text
_SHOWN = 200  # characters of what is shared

Words = tuple[str, ...]
Key = TypeVar("Key", str, Words)


@dataclass(frozen=True)
class Question:
    """A text that the user of a benchmark says.

    Attributes:
        benchmark: The name of the benchmark.
        id: The id of its entry there.
        text: The text.
        follows: Whether it goes on in a conversation.
    """

    benchmark: str
    id: str
    text: str
    follows: bool = False


Asked = dict[str, Question]  # benchmark → its first question with a text


@dataclass(frozen=True)
class Overlap:
    """What a row shares with an entry of a benchmark: one of `KINDS`, and the text, similarity or tool."""

    benchmark: str
    kind: str
    entry: str
    shared: str


class OverlapIndex:
    """Questions and tools of benchmarks, to be looked up by the rows.

    Args:
        questions: The questions.
        tools: The tools, each with the name of its benchmark.
        ngram: Words in a row that a text must share with a question, for the kind `ngram`; a shorter question must be
            shared as a whole.
        threshold: The least similarity for the kind `near`, 0 to 1.

    Attributes:
        unused: Benchmark → questions that say too little to be found.
    """

    def __init__(self, questions: Iterable[Question], tools: Iterable[tuple[str, dict]], ngram: int, threshold: float):
        self.ngram = ngram
        self.unused: Counter[str] = Counter()
        self._exact: dict[str, Asked] = defaultdict(dict)
        self._light: dict[str, Asked] = defaultdict(dict)
        self._reordered: dict[Words, Asked] = defaultdict(dict)
        self._runs: dict[str, Asked] = defaultdict(dict)
        self._short: dict[Words, list[tuple[Words, Asked]]] = defaultdict(list)
        self._one_gone: dict[Words, list[tuple[str, Asked]]] = defaultdict(list)  # without one word → the word
        self._holders: Counter[str] = Counter()  # word → questions that have it
        self._near: NearIndex[Asked] = NearIndex(threshold)
        self._tools: dict[Hashable, list[tuple[Signature, str, str]]] = defaultdict(list)
        for found, asked in self._by_words(questions).items():
            self._add(found, asked)
        for benchmark, tool in tools:
            own = signature(tool)
            for key in own.lookups():
                self._tools[key].append((own, benchmark, tool["name"]))
        # The turns of a conversation share its texts.
        self._text_overlaps = lru_cache(maxsize=1024)(self._of_text)

    def _by_words(self, questions: Iterable[Question]) -> dict[Words, Asked]:
        """The questions that say enough, by their words."""
        asked: dict[Words, Asked] = defaultdict(dict)
        for question in questions:
            found = tuple(without_courtesy(words(question.text)))
            if weight(found) >= (FOLLOWING if question.follows else LEAST):
                asked[found].setdefault(question.benchmark, question)
            else:
                self.unused[question.benchmark] += 1
        return asked

    def _add(self, found: Words, asked: Asked) -> None:
        _put(self._exact, "".join(found), asked)
        _put(self._reordered, tuple(sorted(found)), asked)
        self._holders.update(set(found))
        for at, word in enumerate(found if len(found) <= _FEW else ()):
            self._one_gone[found[:at] + found[at + 1 :]].append((word, asked))
        for run in _runs(found, self.ngram):
            _put(self._runs, run, asked)
        if weight(found) < ENOUGH or len(found) < _ANCHOR:
            _put(self._light, "".join(found), asked)
            return
        self._near.add(found, asked)
        if len(found) < self.ngram:
            self._short[found[:_ANCHOR]].append((found, asked))

    def find(
        self, texts: Iterable[str], tools: Iterable[dict[str, Any]], kinds: Iterable[str] = KINDS
    ) -> list[Overlap]:
        """What a row shares with the benchmarks.

        Args:
            texts: What its user says.
            tools: Its tools.
            kinds: Those of `KINDS` that are looked for.

        Returns:
            At most two per benchmark: the strongest of `TEXT_KINDS`, and `tools`.
        """
        kinds = tuple(kinds)
        found = [overlap for text in texts for overlap in self._text_overlaps(text, kinds)]
        if "tools" in kinds:
            found += self._tool_overlaps(tools)
        found.sort(key=lambda overlap: KINDS.index(overlap.kind))
        first: dict[tuple[str, bool], Overlap] = {}
        for overlap in found:
            first.setdefault((overlap.benchmark, overlap.kind == "tools"), overlap)
        return [first[key] for key in sorted(first)]

    def _of_text(self, text: str, kinds: tuple[str, ...]) -> list[Overlap]:
        found = tuple(without_courtesy(words(text)))
        ways = {"query": self._query, "ngram": self._ngram, "near": self._similar}
        return [
            Overlap(question.benchmark, kind, question.id, shared[:_SHOWN])
            for kind in TEXT_KINDS if kind in kinds
            for asked, shared in ways[kind](found, text)
            for question in asked.values()
        ]  # fmt: skip

    def _query(self, found: Words, text: str) -> Iterator[tuple[Asked, str]]:
        """Compared without any separators: "e-mail" and "1,000" are written in many ways."""
        if asked := self._exact.get("".join(found)):
            yield asked, " ".join(found)

    def _ngram(self, found: Words, text: str) -> Iterator[tuple[Asked, str]]:
        for run in _runs(found, self.ngram):
            if asked := self._runs.get(run):
                yield asked, run
        for at in range(len(found) - _ANCHOR + 1):
            for question, asked in self._short.get(found[at : at + _ANCHOR], ()):
                if found[at : at + len(question)] == question:
                    yield asked, " ".join(question)
        for sentence in sentences(text):
            request = without_courtesy(words(sentence))
            asked = self._light.get("".join(request))
            if not asked and request and request[0] in _LINKS:
                asked = self._light.get("".join(request[1:]))
            if asked:
                yield asked, sentence.strip()

    def _similar(self, found: Words, text: str) -> Iterator[tuple[Asked, str]]:
        if reordered := self._reordered.get(tuple(sorted(found))):
            yield reordered, "all words, in another order"
        for gone, asked in self._missing_one(found):
            yield asked, f"all words but {gone!r}"
        for asked, similarity in self._near.find(found):
            yield asked, f"similarity {similarity:.2f}"

    def _missing_one(self, found: Words) -> Iterator[tuple[str, Asked]]:
        """The short questions with one word more than a text, which may have a word that no question has instead."""
        if len(found) > _FEW:
            return
        known = tuple(word for word in found if self._holders[word])
        telling = [word for word in known if word_weight(word) > COMMON]
        is_rare = any(self._holders[word] <= _RARE for word in telling)
        for gone, asked in self._one_gone.get(known, ()) if telling and len(known) >= len(found) - 1 else ():
            if is_rare or word_weight(gone) == COMMON:
                yield gone, asked

    def _tool_overlaps(self, tools: Iterable[dict[str, Any]]) -> Iterator[Overlap]:
        for tool in tools:
            own = signature(tool)
            for other, benchmark, name in chain.from_iterable(self._tools.get(key, ()) for key in own.lookups()):
                if own.is_like(other):
                    yield Overlap(benchmark, "tools", name, tool["name"])


def _put(into: dict[Key, Asked], key: Key, asked: Asked) -> None:
    for benchmark, question in asked.items():
        into[key].setdefault(benchmark, question)


def _runs(found: Sequence[str], length: int) -> list[str]:
    return [" ".join(found[at : at + length]) for at in range(len(found) - length + 1)]
