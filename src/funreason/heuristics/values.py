"""Values in a text: numbers in digits and in words, dates in the forms of everyday English, times and codes.

The tables are this module's own: dateutil accepts too much ("may" is a month to it) and does not read number words.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from funreason.heuristics.words import TOKEN, UNSPACED, lower

_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen""".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
SMALL_NUMBERS = {word: n for n, word in enumerate(_ONES)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_SIGNS = {"千": 1000, "万": 10**4, "亿": 10**8}
_MONTHS = {m: n for n, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_WORD = "|".join(sorted([*SMALL_NUMBERS, *_SCALES], key=len, reverse=True))
_W = UNSPACED  # beside these characters a number begins or ends; inside [^\W…] they are no part of a word
_SCAN = re.compile(
    rf"""(?<![^\W{_W}])(?<!\.)(?=[\d-]|{_MONTH}|{_WORD}|[^\W{_W}]*\d)(?:
    (?P<y1>\d{{4}})([-/.]|年)(?P<m1>\d\d?)(?:\2|月)(?P<d1>\d\d?)(?:[日号]|(?=t\d|(?![^\W{_W}])))
    | (?P<a>\d\d?)([-/.])(?P<b>\d\d?)\6(?P<y2>\d{{4}})\b
    | (?P<m3>{_MONTH})\b\.?\s*(?P<d3>\d\d?)(?:st|nd|rd|th)?\b(?![.:]\d)(?:,?\s+(?P<y3>\d{{4}})\b)?
    | (?P<d4>\d\d?)(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m4>{_MONTH})\b\.?(?:,?\s+(?P<y4>\d{{4}})\b)?
    | (?P<m5>\d\d?)月(?P<d5>\d\d?)[日号]
    | (?P<hour>\d\d?)(?::(?P<minute>\d\d))?\s?(?P<half>[ap])\.?m\b
    | (?P<time>\d\d?:\d\d(?::\d\d)?)\b
    | (?P<number>-?(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?)
      (?:(?:\s|(?=[万亿千]))(?P<scale>hundred|thousand|million|billion|[万亿千])(?![^\W{_W}])
        |(?P<unit>%|°?[a-zµμ]{{1,3}})?(?![^\W{_W}]|[.:-]\d))
    | (?P<words>(?:{_WORD})(?:(?:\s+and)?[\s-]+(?:{_WORD}))*)\b
    | (?P<code>[^\W{_W}]*\d(?:[^\W{_W}]|-|\.(?=\d))*) )""",
    re.VERBOSE,
)


class TextValue(NamedTuple):
    """Something in a text that can be a value.

    Attributes:
        kind: number, date, time or code.
        value: An int or float, a date (year, month, day), or the text itself.
        start: The offset of its first character in the text.
        end: The offset after its last character.
        certain: Whether it can be read in one way only.
    """

    kind: str
    value: Any
    start: int
    end: int
    certain: bool = True


def date_or_number(text: str) -> tuple[int, int, int] | float | None:
    """The date or the number that `text` is as a whole, None where it is something else."""
    return _date_or_number(text) if len(text) < 40 else None


@lru_cache(maxsize=4096)
def _date_or_number(text: str) -> tuple[int, int, int] | float | None:
    text = lower(text.strip())
    first = next(scan_values(text), None)
    if first is None or not first.certain or (first.start, first.end) != (0, len(text)):
        return None
    return first.value if first.kind in ("number", "date") else None


def scan_values(low: str) -> Iterator[TextValue]:
    """The values in a text in lower case, from left to right, without overlap."""
    for match in _SCAN.finditer(low):
        group, (start, end) = match.groupdict(), match.span()
        if group["number"]:
            number = _number(group["number"]) * (_SCALES | _SIGNS).get(group["scale"], 1)
            yield TextValue("number", number, start, end if group["scale"] else match.end("number"))
        elif group["words"]:
            yield from _spelled(low, start, end)
        elif group["hour"]:
            hour = int(group["hour"]) % 12 + (12 if group["half"] == "p" else 0)
            yield TextValue("time", f"{hour:02}:{group['minute'] or '00'}", start, end)
        elif group["time"] or group["code"]:
            yield TextValue("time" if group["time"] else "code", match[0], start, end)
        else:
            yield _date(group, start, end)


def _number(digits: str) -> int | float:
    digits = digits.replace(",", "")
    return int(digits) if len(digits) < 400 and digits.lstrip("-").isdigit() else float(digits)


def _date(group: dict, start: int, end: int) -> TextValue:
    """A date; it is not certain where the year is missing or where day and month may be swapped."""
    if group["a"]:
        first, second = int(group["a"]), int(group["b"])
        day, month = (second, first) if second > 12 else (first, second)
        certain = max(first, second) > 12 or first == second
        return TextValue("date", (int(group["y2"]), month, day), start, end, certain)
    if group["y1"]:
        return TextValue("date", (int(group["y1"]), int(group["m1"]), int(group["d1"])), start, end)
    if group["m5"]:
        return TextValue("date", (0, int(group["m5"]), int(group["d5"])), start, end, False)
    month, day, year = (group["m3"] or group["m4"]), group["d3"] or group["d4"], group["y3"] or group["y4"]
    return TextValue("date", (int(year or 0), _MONTHS[month[:3]], int(day)), start, end, year is not None)


def _spelled(low: str, start: int, end: int) -> Iterator[TextValue]:
    """The numbers in a run of number words: `two hundred and five`, but `twenty twenty` is two of them."""
    done, group, begin, stop, before = 0, 0, start, start, ""
    for token in TOKEN.finditer(low, start, end):
        word = token[0]
        if word == "and":
            continue
        fits = word in _SCALES or before in _SCALES or (before in _TENS and 0 < SMALL_NUMBERS[word] < 10)
        if before and not fits:
            yield TextValue("number", done + group, begin, stop)
            done, group, begin = 0, 0, token.start()
        if word == "hundred":
            group = (group or 1) * 100
        elif word in _SCALES:
            done, group = done + (group or 1) * _SCALES[word], 0
        else:
            group += SMALL_NUMBERS[word]
        before, stop = word, token.end()
    yield TextValue("number", done + group, begin, stop)
