"""Words: of texts, of the names of functions and parameters, and those that state a truth value."""

import re
from functools import lru_cache

TOKEN = re.compile(r"[^\W_]+")
MAX_PLACES = 32  # of one value in one text: hostile text repeats it at every word
# Values that are also plain English: the same word in a text is no evidence for them.
STOP_WORDS = frozenset(
    "a an all and any are as at be both but by can do for he her him his i if in is it its me my no not of off on one "
    "or our she so the them they this to up us was we what who yes you".split()
)
# Words that do not tell what a parameter is about.
COMMON_WORDS = frozenset(
    "all also and default false find for format from get given have include including into list name number only "
    "optional option or other parameter result search show specified specific specify string that the this true type "
    "use used user using value want what when where whether which will with would your like need please could".split()
)
# Words of one meaning in a function's name. The text must have any other word of the name itself.
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
# Words that reverse a sentence: the heuristics do not read on.
REVERSALS = re.compile(
    r"\b(?:except|instead|rather|unless|otherwise|if|but|wait|actually|however|mistake|wrong|cannot)\b|n['’]t\b"
    r"|\bnot\b(?!\s(?:given|mentioned|specified|provided|needed|required|set|stated|said))"
)
_NAME_SEPARATOR = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\W_]+")
# Scripts without spaces between words: a word or a number may begin or end beside any of their characters.
UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_ROOT = re.compile(rf"[^\W_{UNSPACED}]+|[{UNSPACED}]+")
_BOOLEAN_HEAD = re.compile(
    r"\b(?:(?P<with>with|enable|include|including|show|activate|turn on|switch on)"
    r"|without|disable|exclude|excluding|hide|no|deactivate|turn off|switch off)\s(?:the\s|any\s)?\Z"
)
_BOOLEAN_TAIL = re.compile(
    r"['\"`]?(?:\s?(?:(?:=|:|\bis\b|\bare\b|\bset to\b|\bshould be\b|\bturned\b|\bswitched\b)\s?){0,2}"
    r"(?:(?P<on>true|yes|enabled|(?<=ed )on)|(?P<off>false|no|disabled|(?<=ed )off))\b)?"
)
_NO_VALUE = "not|given|missing|optional|required|omitted|left|the|an?|also|needed|null|none|unspecified|set|default"
_VALUE_TAIL = re.compile(rf"['\"`]?\s?(?:=|:|\bis\b|\bare\b|\bset to\b)\s?['\"`\[({{$]*(?!(?:{_NO_VALUE})\b|\s|$)")
_NEGATION = re.compile(r"\b(?:not|never|no)\b|n['’]t\b")
_BOOLEAN_PREFIXES = ("is", "has", "include", "show", "enable", "with", "use", "send", "should")
_SMALL_WORDS = frozenset("a and by for from in of on the to with".split())


@lru_cache(maxsize=4096)
def name_words(name: str) -> tuple[str, ...]:
    """The words of a function's or parameter's name: `get_HotelRooms` → get, hotel, room."""
    return tuple(stem(word.lower()) for word in _NAME_SEPARATOR.split(name) if word)


@lru_cache(maxsize=4096)
def name_parts(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(verbs, other words) of a function's name. What is before a dot counts only if verbs follow it: `pizza.find`."""
    verbs: list[str] = []
    for part in reversed(name.split(".")):
        words = [word for word in name_words(part) if word not in _SMALL_WORDS and not word.isdigit()]
        verbs += [word for word in words if word in VERBS]
        if nouns := tuple(word for word in words if word not in VERBS):
            return tuple(verbs), nouns
    return tuple(verbs), ()


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """`word` without a plural s; `movie` and `movies` become `movy`, as `city` and `cities` become `city`."""
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    return word[:-2] + "y" if len(word) > 3 and word.endswith("ie") else word


def roots(text: str) -> frozenset[str]:
    """The beginnings of the words of a text in lower case, where related words agree; of Chinese, pairs of characters.

    Five letters do what a stemmer does here (calculate, calculation, calculator), in any language.
    """
    beginnings: set[str] = set()
    for word in _ROOT.findall(text):
        if word.isascii() or not is_unspaced(word[0]):
            beginnings.add(stem(word)[:5])
        else:
            beginnings.update(word[at : at + 2] for at in range(max(1, len(word) - 1)))
    return frozenset(beginnings)


def is_unspaced(letter: str) -> bool:
    """Whether a character is of a script without spaces between words."""
    return "\u3040" <= letter <= "\u30ff" or "\u3400" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7af"


def boolean_mentions(low: str, param: str) -> list[tuple[int, int, bool | None]]:
    """The places where a text mentions a parameter that is a truth value.

    Args:
        low: The text in lower case.
        param: The name of the parameter.

    Returns:
        (start, end, the value stated there) of each place, `MAX_PLACES` at most. The value is None where it is unclear.
    """
    words = tuple(word.lower() for word in _NAME_SEPARATOR.split(param) if word)
    words = words[1:] if len(words) > 1 and words[0] in _BOOLEAN_PREFIXES else words
    mentions: list[tuple[int, int, bool | None]] = []
    for start, end in _name_places(low, words):
        head = _BOOLEAN_HEAD.search(low, max(0, start - 30), start)
        tail = _BOOLEAN_TAIL.match(low, end)
        before = None if head is None else bool(head["with"])
        after = None if tail is None or not (tail["on"] or tail["off"]) else bool(tail["on"])
        value = before if after is None else after if before is not False or not after else None
        start, end = head.start() if head else start, tail.end() if tail else end
        negated = _NEGATION.search(low[max(0, start - 15) : start])
        mentions.append((start, end, None if negated else value))
    return mentions[:MAX_PLACES]


def value_starts(low: str, param: str) -> list[int]:
    """The offsets in a text in lower case where, after "`param` is", a value begins."""
    tails = [_VALUE_TAIL.match(low, end) for _, end in _name_places(low, tuple(param.lower().split("_")))]
    return [tail.end() for tail in tails if tail]


def _name_places(low: str, words: tuple[str, ...]) -> list[tuple[int, int]]:
    """The places of the words of a name with a space, a hyphen or an underscore between them.

    No regular expression: to compile one for each new name took a fifth of the time.
    """
    places: list[tuple[int, int]] = []
    at = low.find(words[0]) if words and words[0] else -1
    while at >= 0:
        end = at + len(words[0])
        for word in words[1:]:
            if low[end : end + 1] not in (" ", "_", "-") or not low.startswith(word, end + 1):
                break
            end += 1 + len(word)
        else:
            if not (_is_in_word(low, at) or _is_in_word(low, end)):
                places.append((at, end))
        at = low.find(words[0], end)
    return places


def _is_in_word(low: str, at: int) -> bool:
    return 0 < at < len(low) and all(letter.isalnum() or letter == "_" for letter in low[at - 1 : at + 1])


def lower(text: str) -> str:
    """Lower case of the same length, so that a place in it is a place in `text` ("İ" would become two characters)."""
    low = text.lower()
    return low if len(low) == len(text) else "".join([c.lower() if len(c.lower()) == 1 else c for c in text])


def is_joined(text: str, at: int) -> bool:
    """Whether a word goes on across the offset `at`; a number also goes on across a point."""
    if not 0 < at < len(text):
        return False
    left, right = text[at - 1], text[at]
    if is_unspaced(left) or is_unspaced(right):
        return False
    if (left.isalnum() or left == "_") and (right.isalnum() or right == "_"):
        return True
    if left.isdigit() and right in ".,:/-":
        return text[at + 1 : at + 2].isdigit()
    return right.isdigit() and left in ".,:/-" and text[max(0, at - 2)].isdigit()
