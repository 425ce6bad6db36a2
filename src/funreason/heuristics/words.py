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
    found: set[str] = set()
    for word in _ROOT.findall(text):
        if word.isascii() or not is_unspaced(word[0]):
            found.add(stem(word)[:5])
        else:
            found.update(word[at : at + 2] for at in range(max(1, len(word) - 1)))
    return frozenset(found)


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
    mentions = []
    for match in _boolean_pattern(param).finditer(low):
        before = True if match["with"] else False if match["without"] else None
        after = True if match["on"] else False if match["off"] else None
        value = before if after is None else after if before is not False or not after else None
        negated = _NEGATION.search(low[max(0, match.start() - 15) : match.start()])
        mentions.append((*match.span(), None if negated else value))
    return mentions[:MAX_PLACES]


@lru_cache(maxsize=4096)
def _boolean_pattern(param: str) -> re.Pattern[str]:
    words = [word.lower() for word in _NAME_SEPARATOR.split(param) if word] or [param]
    words = words[1:] if words[0] in _BOOLEAN_PREFIXES and len(words) > 1 else words
    return re.compile(
        r"(?:\b(?:(?P<with>with|enable|include|including|show|activate|turn on|switch on)"
        r"|(?P<without>without|disable|exclude|excluding|hide|no|deactivate|turn off|switch off))\s(?:the\s|any\s)?)?"
        rf"\b{'[ _-]'.join(map(re.escape, words))}\b['\"`]?"
        r"(?:\s?(?:(?:=|:|\bis\b|\bare\b|\bset to\b|\bshould be\b|\bturned\b|\bswitched\b)\s?){0,2}"
        r"(?:(?P<on>true|yes|enabled|(?<=ed )on)|(?P<off>false|no|disabled|(?<=ed )off))\b)?"
    )


def value_starts(low: str, param: str) -> list[int]:
    """The offsets in a text in lower case where, after "`param` is", a value begins."""
    return [match.end() for match in _value_pattern(param).finditer(low)]


@lru_cache(maxsize=4096)
def _value_pattern(param: str) -> re.Pattern[str]:
    name = "[ _-]".join(re.escape(word) for word in param.lower().split("_"))
    skip = "not|given|missing|optional|required|omitted|left|the|an?|also|needed|null|none|unspecified|set|default"
    return re.compile(rf"\b{name}\b['\"`]?\s?(?:=|:|\bis\b|\bare\b|\bset to\b)\s?['\"`\[({{$]*(?!(?:{skip})\b|\s|$)")


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
