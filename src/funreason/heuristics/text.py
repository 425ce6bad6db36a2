"""A query or a reasoning, indexed: where it says a value, and what it says that no value claims."""

import re
from functools import cached_property

from funreason.heuristics.values import (
    MAX_PLACES,
    SMALL_NUMBERS,
    TOKEN,
    VERBS,
    Said,
    is_joined,
    lower,
    name_parts,
    name_words,
    normal_of,
    scan,
    stem,
)

Place = tuple[int, int]  # from and up to which character
# A capitalised word inside a sentence, or a quotation: most likely a value.
_NAMED = re.compile(r"""(?<=[\w,;)\]'"”’%-]\s)[A-Z][\w’'-]*|["“][^"”]{1,80}["”]|(?<!\w)'[^']{1,80}'(?!\w)""")
# Further words that are values: a day, a truth value.
_UNNAMED = re.compile(
    r"\b(?:enabled|disabled|tomorrow|yesterday|tonight|(?:next|last|this)\s(?:week|month|year|weekend))\b"
)
# Values that are also plain English: the same word in a text is no evidence for them.
STOP = frozenset(
    "a an all and any are as at be both but by can do for he her him his i if in is it its me my no not of off on one "
    "or our she so the them they this to up us was we what who yes you".split()
)
# Words that stand for a number or a date which the text does not write out.
_VAGUE = re.compile(
    r"\b(?:couple|pair|dozens?|half|quarter|twice|double|triple|both|weeks?|weekly|fortnight|decades?|century"
    r"|percent|(?:first|second|third)(?!\s(?:call|function|step))|(?<!\bat )last|next|noon|midnight|square|cube|feet"
    r"|foot|pi|(?:less|more|fewer|greater)\sthan|(?:an?|per|each|every|this|past|the)\s(?:minute|hour|day|night|month|year))\b"
    r"|%|\d\s?[ap]\.?m\b"
)
_VAGUE_DATE = re.compile(
    r"\b(?:today|tomorrow|yesterday|tonight|now|days?|nights?|weeks?|months?|years?|weekend|since|ago|spring|summer|autumn"
    r"|fall|winter|christmas|easter|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
)
_FACTORS = frozenset([10**n for n in range(1, 10)] + [7, 12, 24, 30, 52, 60, 365, 1440, 3600, 86400])


class Text:
    """A query or a reasoning, indexed. What a value claims is covered, so that no other value can claim it again."""

    def __init__(self, text: str):
        self.raw, self.low = text, lower(text)
        self.said = list(scan(self.low))
        self.covered = bytearray(len(text))

    @cached_property
    def words(self) -> dict[str, list[Place]]:
        """Each word without its plural s → where it stands."""
        words: dict[str, list[Place]] = {}
        for token in TOKEN.finditer(self.low):
            words.setdefault(stem(token[0]), []).append(token.span())
        return words

    def places(self, value: str | int | float) -> list[Place]:
        """Where the text clearly says `value`, in any of its forms."""
        if not isinstance(value, str):
            return self._equal(value)
        verbatim = self.verbatim(value)
        return verbatim + [place for place in self._equal(normal_of(value)) if place not in verbatim]

    def verbatim(self, value: str) -> list[Place]:
        """`value` between word boundaries in any case; one or two letters, or a stop word, only in capitals."""
        value, found = value.strip(), []
        exact = value.lower() in STOP or (len(value) < 3 and value.isalpha())
        text, needle = (self.raw, value) if exact else (self.low, lower(value))
        at = text.find(needle) if needle and not (exact and needle.islower()) else -1
        while at >= 0 and len(found) < MAX_PLACES:
            end = at + len(needle)
            if not (is_joined(text, at) or is_joined(text, end)):
                found.append((at, end))
            at = text.find(needle, at + 1)
        return found

    def hints(self, value: str | int | float) -> bool:
        """Whether the text may mean `value`: its words or digits are there, but not as a whole."""
        if isinstance(value, str):
            normal, tokens = normal_of(value), [stem(token) for token in TOKEN.findall(value.lower()[:2000])]
            if not tokens or value.strip().lower() in self.low:
                return True
            if isinstance(normal, tuple):
                return any(said.kind == "date" and said.value[1:] in (normal[1:], normal[:0:-1]) for said in self.said)
            return sum(token in self.words for token in tokens) * 2 >= len(tokens)
        if abs(value) >= 1e15:
            return False
        whole = str(abs(int(value)))
        spelled = any(number == abs(value) and stem(word) in self.words for word, number in SMALL_NUMBERS.items())
        return spelled or any(digits.lstrip("0") == whole for digits in re.findall(r"\d+", self.low))

    def implies(self, value: str | int | float) -> bool:
        """Whether a number or a date that the text does not say may follow from what it says."""
        if isinstance(value, str):
            dated = isinstance(normal_of(value), tuple)
            return dated and bool(_VAGUE.search(self.low) or _VAGUE_DATE.search(self.low))
        # Physical constants are known, and a one or a nothing is said in too many ways.
        if value in (-1, 0, 1) or not 1e-3 < abs(value) < 1e8 or _VAGUE.search(self.low):
            return True
        said = {said.value for said in self.said if said.kind == "number" and abs(said.value) < 1e15}
        dates = sum(said.kind in ("date", "time") for said in self.said)
        return dates > 1 or len(said) > 12 or any(_follows(value, a, b) for a in said for b in said)

    def claim(self, places: list[Place]) -> Place | None:
        """Cover the first of `places` that is still free."""
        for place in places:
            if self.is_free(place):
                self.cover(place)
                return place
        return None

    def is_free(self, place: Place) -> bool:
        return self.covered.find(1, *place) < 0

    def cover(self, place: Place) -> None:
        self.covered[slice(*place)] = b"\1" * (place[1] - place[0])

    def free(self, *kinds: str) -> list[Said]:
        """What is said and covered by nothing; "one" is left out, it is often a pronoun."""
        said = [said for said in self.said if said.kind in kinds and self.is_free((said.start, said.end))]
        return [said for said in said if self.low[said.start : said.end] != "one"]

    def unused(self, limit: int = 4) -> list[str]:
        """What looks like a value and is covered by nothing, `limit` at most."""
        found = [self.raw[said.start : said.end] for said in self.free("number", "date", "time", "code")[:limit]]
        for pattern, text in ((_NAMED, self.raw), (_UNNAMED, self.low)):
            for match in pattern.finditer(text):
                if len(found) < limit and self.is_free(match.span()):
                    found.append(match[0])
        return found

    def distance(self, param: str, other: str, place: Place) -> int:
        """How many characters lie between a value and the next word of its parameter's name that `other` has not."""
        words = [word for word in name_words(param) if word not in name_words(other)]
        near = [span for word in words for span in self.words.get(word, ())[:MAX_PLACES]]
        return min([max(start - place[1], place[0] - end, 0) for start, end in near], default=len(self.low))

    def asks(self, function: str) -> bool:
        """Whether the words of a function's name are there, its verbs perhaps as words of the same meaning."""
        verbs, nouns = name_parts(function)
        done = all(any(word in self.words for word in VERBS[verb]) for verb in verbs)
        return bool(nouns) and done and all(word in self.words for word in nouns)

    def _equal(self, normal: object) -> list[Place]:
        if normal is None:
            return []
        kind = "date" if isinstance(normal, tuple) else "number"
        found = [said for said in self.said if said.sure and said.kind == kind and said.value == normal]
        return [(said.start, said.end) for said in found[:MAX_PLACES]]


def _follows(value: float, a: float, b: float) -> bool:
    """Whether `value` is a sum, a difference or a product of two numbers, one in another unit, or a short year."""
    return value in (a + b, a - b, a * b, 1900 + a, 2000 + a) or becomes(value, a)


def becomes(value: float, other: float) -> bool:
    """Whether `value` may be `other` in another unit."""
    if not (1e-15 < abs(value) < 1e15 and 1e-15 < abs(other) < 1e15):
        return False
    return any(round(ratio, 9) in _FACTORS for ratio in (value / other, other / value))
