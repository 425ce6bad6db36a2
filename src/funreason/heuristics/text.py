"""An index of a text (a query, a reasoning): where it states a value, and which of its values no call uses."""

import re
from functools import cached_property, lru_cache
from typing import Any

from funreason.heuristics.values import SMALL_NUMBERS, TextValue, date_or_number, scan_values
from funreason.heuristics.words import (
    MAX_PLACES,
    STOP_WORDS,
    TOKEN,
    UNSPACED,
    VERBS,
    is_joined,
    lower,
    name_parts,
    name_words,
    stem,
)

Place = tuple[int, int]  # offsets of the first character and after the last
# A capitalised word inside a sentence, or a quotation: most likely a value.
_CAPITALISED_OR_QUOTED = re.compile(
    r"""(?<=[\w,;)\]'"”’%-]\s)[A-Z][\w’'-]*|["“][^"”]{1,80}["”]|(?<!\w)'[^']{1,80}'(?!\w)"""
)
# Other words that are values: a day, a truth value.
_VALUE_WORDS = re.compile(
    r"\b(?:enabled|disabled|tomorrow|yesterday|tonight|(?:next|last|this)\s(?:week|month|year|weekend))\b"
)
# Words that stand for a number or a date that the text does not write out.
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
_SMALL_WORDS = frozenset("a an and at by for in is of on the with".split())  # of `check_in`, say nothing of a place
_PERCENT = re.compile(r"\s?(?:%|percent|per cent|pct)|(?<=%)")
_MOMENT = re.compile(r"(?:(?P<date>\d{4}-\d\d-\d\d)[t ])?(?P<time>\d\d:\d\d)(?::00)?(?:\.0+)?z?", re.IGNORECASE)
_NAME = re.compile(r"(?<=[\w,;)\]'\"”’%-]\s)[A-Z][\w’'-]*(?:\s[A-Z][\w’'-]*)*")
_QUOTED = re.compile(r"""["“][^"”]{1,80}["”]|(?<!\w)'[^']{1,80}'(?!\w)|[「《『][^」》』]{1,80}[」》』]""")
_LEFT_KINDS = {"number": "number", "date": "date", "time": "date", "code": "name"}
_NEAR = re.compile(rf"[^\W_{UNSPACED}]+|[{UNSPACED}]|[:,'\"(=]")  # words, and what introduces a value
_STOP = re.compile(r"[.?!;。？！；\n](?:\s|$)|[。？！；]")
_BEFORE, _AFTER = 40, 24  # characters around a value
_UNIT_FACTORS = frozenset([10**n for n in range(1, 10)] + [7, 12, 24, 30, 52, 60, 365, 1440, 3600, 86400])


@lru_cache(maxsize=16)  # a row's texts are looked at several times, and its claims are not part of the index
def _indexed(text: str) -> tuple[str, list[TextValue], dict[str, list[Place]]]:
    """(lower case, values, words, which are filled when they are asked for) of a text."""
    low = lower(text)
    return low, list(scan_values(low)), {}


class Text:
    """An indexed text. A value of a call claims the place that states it, so that no other value can claim it again.

    Attributes:
        raw: The text.
        low: The text in lower case, of the same length.
        values: The numbers, dates, times and codes in it.
    """

    def __init__(self, text: str):
        self.raw = text
        self.low, self.values, self._indexed_words = _indexed(text)
        self._claimed = bytearray(len(text))
        self._around: dict[Place, tuple[str, frozenset[str], list[str]]] = {}

    @cached_property
    def words(self) -> dict[str, list[Place]]:
        """Each word without its plural s → its places."""
        if not self._indexed_words:
            for token in TOKEN.finditer(self.low):
                self._indexed_words.setdefault(stem(token[0]), []).append(token.span())
        return self._indexed_words

    def places(self, value: str | int | float) -> list[Place]:
        """The places where the text clearly states `value`, in any of its forms."""
        if not isinstance(value, str):
            return self._equal(value) or self._percentages(value)
        if places := self.verbatim(value):
            return places + [place for place in self._equal(date_or_number(value)) if place not in places]
        return self._equal(date_or_number(value)) or self._moments(value) or self._inflected(value)

    def verbatim(self, value: str) -> list[Place]:
        """The places of `value` as whole words in any case; of a stop word, or one or two letters, only in capitals."""
        value = value.strip()
        places: list[Place] = []
        exact = value.lower() in STOP_WORDS or (len(value) < 3 and value.isalpha())
        text, needle = (self.raw, value) if exact else (self.low, lower(value))
        at = text.find(needle) if needle and not (exact and needle.islower()) else -1
        while at >= 0 and len(places) < MAX_PLACES:
            end = at + len(needle)
            if not (is_joined(text, at) or is_joined(text, end)):
                places.append((at, end))
            at = text.find(needle, at + 1)
        return places

    def _percentages(self, value: int | float) -> list[Place]:
        """The places of a fraction that is stated in percent."""
        if not 0 < abs(value) < 10 or isinstance(value, int):
            return []
        equal = self._equal(round(value * 100, 9))
        return [(start, end) for start, end in equal if _PERCENT.match(self.low, end)]

    def _moments(self, value: str) -> list[Place]:
        """The place of a time, or of a date with a time, both of which are stated: "6 PM" for 18:00."""
        moment = _MOMENT.fullmatch(value.strip())
        if not moment:
            return []
        times = [v for v in self.values if v.kind == "time" and v.value[:5].zfill(5) == moment["time"]]
        if not moment["date"]:
            return [(v.start, v.end) for v in times]
        days = self._equal(date_or_number(moment["date"]))
        return days if times or (days and moment["time"] == "00:00") else []

    def _inflected(self, value: str) -> list[Place]:
        """The places of a text of up to six words in other forms: plural, with underscores."""
        tokens = [stem(token) for token in TOKEN.findall(lower(value)[:200])]
        if not 0 < len(tokens) <= 6 or (len(tokens) == 1 and len(tokens[0]) < 4):
            return []
        places = []
        for start, end in self.words.get(tokens[0], ())[:MAX_PLACES]:
            for token in tokens[1:]:
                following = TOKEN.match(self.low, end + 1)
                if not following or stem(following[0]) != token:
                    break
                end = following.end()
            else:
                places.append((start, end))
        return places

    def may_state(self, value: str | int | float) -> bool:
        """Whether the text may mean `value`: it has some of its words or digits, but not the whole."""
        if isinstance(value, str):
            normal, tokens = date_or_number(value), [stem(token) for token in TOKEN.findall(value.lower()[:2000])]
            if not tokens or value.strip().lower() in self.low:
                return True
            if isinstance(normal, tuple):
                day_first = normal[:0:-1]
                return any(v.kind == "date" and v.value[1:] in (normal[1:], day_first) for v in self.values)
            if len(tokens) == 1 and len(tokens[0]) <= 3:
                return any(word.startswith(tokens[0]) for word in self.words)  # IL: Illinois
            return sum(token in self.words for token in tokens) * 2 >= len(tokens)
        if abs(value) >= 1e15:
            return False
        whole = str(abs(int(value)))
        spelled = any(number == abs(value) and stem(word) in self.words for word, number in SMALL_NUMBERS.items())
        return spelled or any(digits.lstrip("0") == whole for digits in re.findall(r"\d+", self.low))

    def may_imply(self, value: str | int | float) -> bool:
        """Whether a number or a date that the text does not state may follow from what it states."""
        if isinstance(value, str):
            is_date = isinstance(date_or_number(value), tuple)
            return is_date and bool(_VAGUE.search(self.low) or _VAGUE_DATE.search(self.low))
        # Physical constants are common knowledge, and there are too many ways to state a one or a zero.
        if value in (-1, 0, 1) or not 1e-3 < abs(value) < 1e8 or _VAGUE.search(self.low):
            return True
        numbers = {v.value for v in self.values if v.kind == "number" and abs(v.value) < 1e15}
        dates = sum(v.kind in ("date", "time") for v in self.values)
        return dates > 1 or len(numbers) > 12 or any(_follows(value, a, b) for a in numbers for b in numbers)

    def claim(self, places: list[Place]) -> Place | None:
        """Claim the first of `places` that is unclaimed, and return it; None where all are claimed."""
        for place in places:
            if self.is_unclaimed(place):
                self.mark_claimed(place)
                return place
        return None

    def is_unclaimed(self, place: Place) -> bool:
        """Whether nothing claims any character of a place."""
        return self._claimed.find(1, *place) < 0

    @property
    def claims(self) -> bytes:
        """What is claimed, to be put back later."""
        return bytes(self._claimed)

    @claims.setter
    def claims(self, claims: bytes) -> None:
        self._claimed = bytearray(claims)

    def mark_claimed(self, place: Place) -> None:
        """Claim a place, whether or not it is claimed already."""
        self._claimed[slice(*place)] = b"\1" * (place[1] - place[0])

    def unclaimed(self, *kinds: str) -> list[TextValue]:
        """The values of these kinds that nothing claims, without "one", which is often a pronoun."""
        values = [v for v in self.values if v.kind in kinds and self.is_unclaimed((v.start, v.end))]
        return [v for v in values if self.low[v.start : v.end] != "one"]

    def unclaimed_texts(self, limit: int = 4) -> list[str]:
        """What looks like a value and nothing claims, `limit` texts at most."""
        texts = [self.raw[v.start : v.end] for v in self.unclaimed("number", "date", "time", "code")[:limit]]
        for pattern, text in ((_CAPITALISED_OR_QUOTED, self.raw), (_VALUE_WORDS, self.low)):
            for match in pattern.finditer(text):
                if len(texts) < limit and self.is_unclaimed(match.span()):
                    texts.append(match[0])
        return texts

    def distance(self, param: str, other: str, place: Place) -> int:
        """The distance in characters from a value to a word of its parameter's name.

        Args:
            param: The name of the parameter.
            other: The name of another parameter, whose words do not count.
            place: The place of the value.

        Returns:
            The distance to the nearest word, or the length of the text where it has none.
        """
        words = [word for word in name_words(param) if word not in name_words(other) and word not in _SMALL_WORDS]
        near = [span for word in words for span in self.words.get(word, ())[:MAX_PLACES]]
        return min([max(start - place[1], place[0] - end, 0) for start, end in near], default=len(self.low))

    def near(self, place: Place) -> frozenset[str]:
        """The words around a place: four before it and two after it in its sentence."""
        if place not in self._around:
            before, after = self.low[max(0, place[0] - _BEFORE) : place[0]], self.low[place[1] : place[1] + _AFTER]
            before = _STOP.split(before)[-1]
            after = _STOP.split(after, maxsplit=1)[0]
            left, right = _NEAR.findall(before), _NEAR.findall(after)
            words = left[-4:] + right[:2]
            self._around[place] = stem(left[-1]) if left else "", frozenset(map(stem, words)), words
        return self._around[place][1]

    def around(self, place: Place) -> list[str]:
        """The words of `near` as they are, in lower case."""
        self.near(place)
        return self._around[place][2]

    def cue(self, place: Place) -> str:
        """The word or sign before a place, "" at the beginning of a sentence."""
        self.near(place)
        return self._around[place][0]

    def leftovers(self) -> list[tuple[int, int, str]]:
        """(start, end, kind) of all that looks like a value and nothing claims: number, date, quote or name."""
        left = [(v.start, v.end, _LEFT_KINDS[v.kind]) for v in self.unclaimed(*_LEFT_KINDS)]
        for pattern, kind in ((_QUOTED, "quote"), (_NAME, "name")):
            for match in pattern.finditer(self.raw[:20_000]):
                start, end = match.span()
                if self.is_unclaimed((start, end)) and not any(a < end and start < b for a, b, _ in left):
                    left.append((start, end, kind))
        return left

    def names_function(self, function: str) -> bool:
        """Whether the text has the words of a function's name, its verbs perhaps as words of the same meaning."""
        verbs, nouns = name_parts(function)
        has_verbs = all(any(word in self.words for word in VERBS[verb]) for verb in verbs)
        return bool(nouns) and has_verbs and all(word in self.words for word in nouns)

    def lacks_function(self, function: str) -> bool:
        """Whether the text has no word of a function's name, except perhaps the verb."""
        nouns = name_parts(function)[1]
        return bool(nouns) and not any(word in self.words for word in nouns)

    def _equal(self, normal: Any) -> list[Place]:
        if normal is None:
            return []
        kind = "date" if isinstance(normal, tuple) else "number"
        equal = [v for v in self.values if v.certain and v.kind == kind and v.value == normal]
        return [(v.start, v.end) for v in equal[:MAX_PLACES]]


def _follows(value: float, a: float, b: float) -> bool:
    """Whether `value` is a sum, difference or product of two numbers, one of them in another unit, or a short year."""
    return value in (a + b, a - b, a * b, 1900 + a, 2000 + a) or may_be_converted(value, a)


def may_be_converted(value: float, other: float) -> bool:
    """Whether `value` may be `other` in another unit."""
    if not (1e-15 < abs(value) < 1e15 and 1e-15 < abs(other) < 1e15):
        return False
    return any(round(ratio, 9) in _UNIT_FACTORS for ratio in (value / other, other / value))
