"""What a text says that can be part of a call: numbers, dates, codes, truth values, verbatim words, functions' names.

Numbers are read in digits and in words, dates in the forms of everyday English, with this module's own tables:
dateutil is lenient where a rule must be sure ("may" is a month to it), and nothing here reads number words.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen""".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
SMALL_NUMBERS = {word: n for n, word in enumerate(_ONES)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_MONTHS = {m: n for n, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_WORD = "|".join(sorted([*SMALL_NUMBERS, *_SCALES], key=len, reverse=True))
_SCAN = re.compile(
    rf"""(?<![\w.])(?=[\d-]|{_MONTH}|{_WORD}|\w*\d)(?:
    (?P<y1>\d{{4}})([-/.])(?P<m1>\d\d?)\2(?P<d1>\d\d?)(?=t\d|(?!\w))
    | (?P<a>\d\d?)([-/.])(?P<b>\d\d?)\6(?P<y2>\d{{4}})\b
    | (?P<m3>{_MONTH})\b\.?\s*(?P<d3>\d\d?)(?:st|nd|rd|th)?\b(?![.:]\d)(?:,?\s+(?P<y3>\d{{4}})\b)?
    | (?P<d4>\d\d?)(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m4>{_MONTH})\b\.?(?:,?\s+(?P<y4>\d{{4}})\b)?
    | (?P<time>\d\d?:\d\d(?::\d\d)?)\b
    | (?P<number>-?(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?)
      (?:\s(?P<scale>hundred|thousand|million|billion)\b|(?:%|°?[a-zµμ]{{1,3}})?(?!\w|[.:-]\d))
    | (?P<words>(?:{_WORD})(?:(?:\s+and)?[\s-]+(?:{_WORD}))*)\b
    | (?P<code>\w*\d(?:[\w-]|\.(?=\d))*) )""",
    re.VERBOSE,
)
TOKEN = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+")
_DENIED = re.compile(r"\b(?:not|never|no)\b|n['’]t\b")
_LEADS = ("is", "has", "include", "show", "enable", "with", "use", "send", "should")
_SMALL_WORDS = frozenset("a and by for from in of on the to with".split())
# Words of one meaning in a function's name; any other word of it must itself stand in the text.
VERBS = {
    word: frozenset(line.split())
    for line in (
        "get find list search see show look fetch retrieve check view read query lookup what how which who when where "
        "tell give know",
        "book reserve",
        "create make add new",
        "compute calculate determine what how",
        "order buy purchase",
        "track follow monitor",
        "log record save",
        "delete remove",
        "send share",
        "set change update",
        "turn switch",
        "run start begin execute play",
        "stop end close",
    )
    for word in line.split()
}
MAX_PLACES = 32  # of one value in one text: hostile text repeats it at every word


class Said(NamedTuple):
    """Something in a text that can be a value: an int or float, a date (year, month, day), or the text itself."""

    kind: str  # number, date, time or code
    value: object
    start: int
    end: int
    sure: bool = True


def normal_of(text: str) -> tuple[int, int, int] | float | None:
    """The date or the number that `text` is as a whole, None where it is something else."""
    return _normal(text) if len(text) < 40 else None


@lru_cache(maxsize=4096)
def _normal(text: str) -> tuple[int, int, int] | float | None:
    text = lower(text.strip())
    said = next(scan(text), None)
    whole = said is not None and said.sure and (said.start, said.end) == (0, len(text))
    return said.value if whole and said.kind in ("number", "date") else None


@lru_cache(maxsize=4096)
def name_words(name: str) -> tuple[str, ...]:
    """The words of a function's or parameter's name: `get_HotelRooms` → get, hotel, room."""
    return tuple(stem(word.lower()) for word in _CAMEL.split(name) if word)


@lru_cache(maxsize=4096)
def name_parts(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(verbs, other words) of a function's name. What stands before a dot counts only behind verbs: `pizza.find`."""
    verbs: list[str] = []
    for part in reversed(name.split(".")):
        words = [word for word in name_words(part) if word not in _SMALL_WORDS and not word.isdigit()]
        verbs += [word for word in words if word in VERBS]
        if nouns := tuple(word for word in words if word not in VERBS):
            return tuple(verbs), nouns
    return tuple(verbs), ()


def stem(word: str) -> str:
    """`word` without a plural s; `movie` and `movies` become `movy`, as `city` and `cities` become `city`."""
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    return word[:-2] + "y" if len(word) > 3 and word.endswith("ie") else word


def flags(low: str, param: str) -> list[tuple[int, int, bool | None]]:
    """Each place that names the truth value `param`, with the value it gives; None where that is not plain."""
    out = []
    for found in _flag(param).finditer(low):
        before = True if found["with"] else False if found["without"] else None
        after = True if found["on"] else False if found["off"] else None
        value = before if after is None else after if before is not False or not after else None
        denied = _DENIED.search(low[max(0, found.start() - 15) : found.start()])
        out.append((*found.span(), None if denied else value))
    return out[:MAX_PLACES]


@lru_cache(maxsize=4096)
def _flag(param: str) -> re.Pattern:
    words = [word.lower() for word in _CAMEL.split(param) if word] or [param]
    words = words[1:] if words[0] in _LEADS and len(words) > 1 else words
    return re.compile(
        r"(?:\b(?:(?P<with>with|enable|include|including|show|activate|turn on|switch on)"
        r"|(?P<without>without|disable|exclude|excluding|hide|no|deactivate|turn off|switch off))\s(?:the\s|any\s)?)?"
        rf"\b{'[ _-]'.join(map(re.escape, words))}\b['\"`]?"
        r"(?:\s?(?:(?:=|:|\bis\b|\bare\b|\bset to\b|\bshould be\b|\bturned\b|\bswitched\b)\s?){0,2}"
        r"(?:(?P<on>true|yes|enabled|(?<=ed )on)|(?P<off>false|no|disabled|(?<=ed )off))\b)?"
    )


def stated(low: str, param: str) -> list[int]:
    """Where, after "`param` is", a value begins."""
    return [found.end() for found in _stating(param).finditer(low)]


@lru_cache(maxsize=4096)
def _stating(param: str) -> re.Pattern:
    name = "[ _-]".join(re.escape(word) for word in param.lower().split("_"))
    skip = "not|given|missing|optional|required|omitted|left|the|an?|also|needed|null|none|unspecified|set|default"
    return re.compile(rf"\b{name}\b['\"`]?\s?(?:=|:|\bis\b|\bare\b|\bset to\b)\s?['\"`\[({{$]*(?!(?:{skip})\b|\s|$)")


def lower(text: str) -> str:
    """Lower case of the same length: places in it are places in `text` ("İ" would become two characters)."""
    low = text.lower()
    return low if len(low) == len(text) else "".join([c.lower() if len(c.lower()) == 1 else c for c in text])


def is_joined(text: str, at: int) -> bool:
    """Whether a word goes on across `at`; a number goes on across a point, too."""
    if not 0 < at < len(text):
        return False
    left, right = text[at - 1], text[at]
    if (left.isalnum() or left == "_") and (right.isalnum() or right == "_"):
        return True
    if left.isdigit() and right in ".,:/-":
        return text[at + 1 : at + 2].isdigit()
    return right.isdigit() and left in ".,:/-" and text[max(0, at - 2)].isdigit()


def scan(low: str) -> Iterator[Said]:
    """All that a text in lower case says, from left to right, without overlap."""
    for found in _SCAN.finditer(low):
        group, (start, end) = found.groupdict(), found.span()
        if group["number"]:
            number = _number(group["number"]) * _SCALES.get(group["scale"], 1)
            yield Said("number", number, start, end if group["scale"] else found.end("number"))
        elif group["words"]:
            yield from _spelled(low, start, end)
        elif group["time"] or group["code"]:
            yield Said("time" if group["time"] else "code", found[0], start, end)
        else:
            yield _date(group, start, end)


def _number(digits: str) -> int | float:
    digits = digits.replace(",", "")
    return int(digits) if len(digits) < 400 and digits.lstrip("-").isdigit() else float(digits)


def _date(group: dict, start: int, end: int) -> Said:
    """A date; not sure where the year is missing or where day and month may have changed places."""
    if group["a"]:
        first, second = int(group["a"]), int(group["b"])
        day, month = (second, first) if second > 12 else (first, second)
        sure = max(first, second) > 12 or first == second
        return Said("date", (int(group["y2"]), month, day), start, end, sure)
    if group["y1"]:
        return Said("date", (int(group["y1"]), int(group["m1"]), int(group["d1"])), start, end)
    month, day, year = (group["m3"] or group["m4"]), group["d3"] or group["d4"], group["y3"] or group["y4"]
    return Said("date", (int(year or 0), _MONTHS[month[:3]], int(day)), start, end, year is not None)


def _spelled(low: str, start: int, end: int) -> Iterator[Said]:
    """The numbers in a run of number words: `two hundred and five`, but `twenty twenty` is two of them."""
    done, group, begin, stop, before = 0, 0, start, start, ""
    for token in TOKEN.finditer(low, start, end):
        word = token[0]
        if word == "and":
            continue
        fits = word in _SCALES or before in _SCALES or (before in _TENS and 0 < SMALL_NUMBERS[word] < 10)
        if before and not fits:
            yield Said("number", done + group, begin, stop)
            done, group, begin = 0, 0, token.start()
        if word == "hundred":
            group = (group or 1) * 100
        elif word in _SCALES:
            done, group = done + (group or 1) * _SCALES[word], 0
        else:
            group += SMALL_NUMBERS[word]
        before, stop = word, token.end()
    yield Said("number", done + group, begin, stop)
