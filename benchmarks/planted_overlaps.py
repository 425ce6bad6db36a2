"""Questions of a benchmark in disguise: as rows that were copied from it, with changes, would hold them."""

import random
import re
from collections.abc import Callable
from typing import Any

FILLERS = ("really", "kindly", "currently", "perhaps", "nice", "something")
CHARACTERS = "很某的真新"
BEFORE = (
    "I have been at this for a while and my manager is waiting. My question is this: ",
    "You are a careful assistant. Read the request, then answer in full.\n\nRequest:\n",
    "Hello! Yesterday you helped me with my trip to the mountains, thank you. Now ",
)
AFTER = (
    " Answer in one short paragraph.",
    "\n\nThanks a lot, and have a nice evening!",
    " And then remind me at noon.",
)
POLITE_BEFORE = (
    "Good morning! Would you be so kind as to help me with this: ",
    "Could you please do me a favour? ",
    "Hi there, I hope you are well. If it is not too much trouble, ",
    "您好，麻烦您帮个忙：",
)
POLITE_AFTER = (
    " I would really appreciate it.",
    " Thank you so much in advance!",
    " Many thanks, please.",
    " 非常感谢！",
)
SYNONYMS = {
    word: line.split()
    for line in (
        "find locate search discover", "get retrieve fetch obtain", "calculate compute determine",
        "give provide supply", "show display present", "create make generate", "book reserve", "need require want",
        "want wish", "tell inform", "big large", "current present latest", "weather forecast climate", "price cost",
        "movie film", "buy purchase", "help assist", "area surface", "distance length", "delete remove erase",
        "update modify change", "check verify", "start begin launch", "list enumerate", "information details data",
        "city town", "trip journey", "flight plane", "restaurant diner eatery", "using with", "between among",
        "near around", "company firm", "average mean", "best top", "schedule plan", "send dispatch", "play listen",
        "song track", "user member", "house home",
    )
    for word in line.split()
}  # fmt: skip
NAMES = {
    "New York": "Nueva York", "London": "Londres", "Paris": "巴黎", "San Francisco": "旧金山",
    "Los Angeles": "洛杉矶", "Italy": "Italia", "Germany": "Deutschland", "Spain": "España", "Japan": "Japón",
    "Chicago": "芝加哥", "Rome": "Roma", "California": "Kalifornien", "Tokyo": "东京", "Boston": "波士顿",
    "Berlin": "柏林", "India": "印度", "China": "Chine", "北京": "Beijing", "上海": "Shanghai",
    "广州": "Guangzhou", "深圳": "Shenzhen", "杭州": "Hangzhou", "中国": "China",
}  # fmt: skip
RENAMED = ("run", "obtener", "werkzeug", "process", "chaxun", "handler", "outil", "task")
NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def case_and_punctuation(text: str, rng: random.Random) -> str:
    """Upper or lower case; punctuation gone, or doubled."""
    text = rng.choice([str.upper, str.lower])(text)
    return re.sub(r"[^\w\s]", " ", text) if rng.random() < 0.5 else re.sub(r"([.?!,])", r" \1\1", text)


def spaces_and_unicode(text: str, rng: random.Random) -> str:
    """Other white space, characters without width, full-width letters."""
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and rng.random() < 0.3 else c for c in text)
    spaced = "".join(rng.choice(["  ", "\u00a0", "\n", "\u2003", "\t"]) if c == " " else c for c in wide)
    return "".join(c + ("\u200b" if rng.random() < 0.1 else "") for c in spaced)


def reordered(text: str, rng: random.Random) -> str:
    """Sentences, clauses, or of a single clause its halves in another order."""
    parts = [part for part in re.split(r"(?<=[.?!。？！;,，])\s*", text.strip()) if part]
    if len(parts) > 1:
        rng.shuffle(parts)
        return " ".join(parts)
    words = text.split()
    return " ".join(words[len(words) // 2 :] + words[: len(words) // 2])


def words_changed(text: str, rng: random.Random) -> str:
    """One word (or Chinese character) in eight, but at least one, replaced or gone; words with digits stay."""
    chinese = len(_CJK.findall(text)) > len(text) / 4
    words = list(text) if chinese else text.split()
    changeable = [at for at, word in enumerate(words) if not re.search(r"[\d\s]", word)]
    for at in rng.sample(changeable, min(max(1, len(words) // 8), len(changeable))):
        words[at] = rng.choice([*(CHARACTERS if chinese else FILLERS), ""])
    return "".join(words) if chinese else " ".join(filter(None, words))


def wrapped(text: str, rng: random.Random) -> str:
    """Inside a longer text."""
    return rng.choice(BEFORE) + text + rng.choice(AFTER)


def polite(text: str, rng: random.Random) -> str:
    """With polite phrases around it, and a "please" inside."""
    words = text.split(" ")
    words.insert(rng.randrange(len(words) + 1), "please")
    return rng.choice(POLITE_BEFORE) + " ".join(words) + rng.choice(POLITE_AFTER)


def synonyms(text: str, rng: random.Random) -> str:
    """Common words replaced by words of the same meaning."""

    def other(match: re.Match) -> str:
        word = match[0]
        others = [each for each in SYNONYMS.get(word.lower(), ()) if each != word.lower()]
        return rng.choice(others) if others and rng.random() < 0.8 else word

    return re.sub(r"[A-Za-z]+", other, text)


def typos(text: str, rng: random.Random) -> str:
    """In one word of five two letters change places, or one is gone or doubled."""

    def mistyped(match: re.Match) -> str:
        word = match[0]
        if rng.random() > 0.2:
            return word
        at = rng.randrange(1, len(word) - 1)
        return rng.choice([
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[: at + 1] + word[at:],
        ])  # fmt: skip

    return re.sub(r"(?<![\w.@/])[A-Za-z]{4,}(?![\w@/])", mistyped, text)


def names_translated(text: str, rng: random.Random) -> str:
    """Names of cities and countries in another language."""
    return re.sub("|".join(NAMES), lambda match: NAMES[match[0]], text)


def numbers_in_words(text: str, rng: random.Random) -> str:
    """Small numbers in words."""
    return re.sub(r"(?<![\w.,:/$-])\d{1,2}(?![\w,:/%-]|\.\d)", lambda match: _in_words(int(match[0])), text)


def _in_words(number: int) -> str:
    return NUMBERS[number] if number < len(NUMBERS) else str(number)


def renamed(tool: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """A tool in BFCL's form with another name, and other names of its parameters."""
    properties = tool["parameters"]["properties"]
    name, *others = (f"{rng.choice(RENAMED)}_{at}" for at in range(len(properties) + 1))
    names = dict(zip(properties, others, strict=True))
    parameters = {
        "properties": {names[old]: value for old, value in properties.items()},
        "required": [names[old] for old in tool["parameters"].get("required", ())],
    }
    return tool | {"name": name, "parameters": tool["parameters"] | parameters}


def several(*changes: Callable[[str, random.Random], str]) -> Callable[[str, random.Random], str]:
    """Some changes, one after the other."""

    def change(text: str, rng: random.Random) -> str:
        for one in changes:
            text = one(text, rng)
        return text

    return change


Disguise = Callable[[str, random.Random], str]
DISGUISES: dict[str, Disguise] = {
    "case, punctuation": case_and_punctuation,
    "spaces, unicode": spaces_and_unicode,
    "reordered": reordered,
    "words changed": words_changed,
    "wrapped": wrapped,
    "polite": polite,
    "synonyms": synonyms,
    "typos": typos,
    "names translated": names_translated,
    "numbers in words": numbers_in_words,
}
COMBINED: dict[str, Disguise] = {
    "words changed, polite": several(words_changed, polite),
    "synonyms, reordered": several(synonyms, reordered),
    "words changed, wrapped, case": several(words_changed, wrapped, case_and_punctuation),
}
