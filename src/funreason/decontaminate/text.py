"""Texts as they are compared: without case, punctuation, white space, accents and the many ways of Unicode."""

import re
import unicodedata
from collections.abc import Iterable

# Characters of scripts that write no spaces; each is a word.
_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_LETTER = rf"[^\W\d_{_CJK}]"
# An identifier (letters between digits), a number, a character, or a run of letters: "5km" is 5 and km.
_WORD = re.compile(rf"(?:{_LETTER}|\d)*\d{_LETTER}+\d(?:{_LETTER}|\d)*|\d+|[{_CJK}]|{_LETTER}+")
_ONE_CJK = re.compile(rf"[{_CJK}]")
_DIGIT = re.compile(r"\d")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])['\u2019\u02bc`](?=[^\W\d_])")  # don't and dont are one word
_SENTENCE_ENDS = re.compile(r"[.?!:;\n\"\u201c\u201d\u3002\uff1f\uff01\uff1a\uff1b]+")

# Words that most requests share: they say little about which question a text is.
_COMMON = frozenset(
    """a about after all also am an and any are as at be been before but by can could did do does each find for from get
    give had has have hello help her here hi him his how i id if im in into is it its ive just know let lets like
    looking make me more my need no not now of on one or our out please provide see should show so some such tell than
    thank thanks that thats the their them then there these they this those time to today two up us use using want was
    we were what whats when where which who whose will with would yes you your yours
    的 了 我 你 您 请 帮 在 是 有 和 个 一 下 想 要 这 那 给 们 为 能 不 吗 到 上 中 以 与 并 或 从 把 对 就 都 也 还 用
    会 可 查 看 些 什 么 多 少""".split()
)
COMMON, NUMBER, CHARACTER, WORD = 1, 3, 3, 6  # weights
_POLITE = frozenset("please kindly thanks thank hello hi hey dear appreciate appreciated grateful 请 您 谢".split())
# Adverbs and pronouns that change nothing of what is asked: "perhaps", "something nice".
_FILLERS = frozenset(
    "really perhaps maybe currently actually basically possibly probably simply quickly nice something anything "
    "somehow somewhat anyway anyhow again indeed honestly literally exactly".split()
)
_SPELLED = {
    word: str(at) for at, word in enumerate("two three four five six seven eight nine ten eleven twelve".split(), 2)
}


def words(text: str) -> list[str]:
    """The words and numbers of a text in their normal form, in their order.

    NFKC makes one letter of full-width and other variants; accents and characters without width go.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFC", "".join(filter(_has_width, unicodedata.normalize("NFKD", folded))))
    return [_SPELLED.get(word, word) for word in _WORD.findall(_APOSTROPHE.sub("", folded))]


def without_courtesy(of: Iterable[str]) -> list[str]:
    """The words without those that only make a request polite, and without fillers."""
    return [word for word in of if word not in _POLITE and word not in _FILLERS]


def _has_width(character: str) -> bool:
    return unicodedata.category(character) not in ("Mn", "Cf")


def sentences(text: str) -> list[str]:
    """The parts of a text between full stops, colons, quotes and line ends."""
    return _SENTENCE_ENDS.split(text)


def numbers(of: Iterable[str]) -> list[str]:
    """Those of the words that hold digits, sorted."""
    return sorted(word for word in of if _DIGIT.search(word))


def weight(of: Iterable[str]) -> int:
    """How much words say about which question a text is."""
    return sum(map(word_weight, of))


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Of the weight of the words of two texts, as sets, the fraction that both have."""
    return weight(one & other) / (weight(one | other) or 1)


def word_weight(word: str) -> int:
    """How much a word says: little if most requests have it, more if it is a number, most if it is another word."""
    if word in _COMMON:
        return COMMON
    if word.isdigit():
        return NUMBER
    return CHARACTER if _ONE_CJK.match(word) else WORD
