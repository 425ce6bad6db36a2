"""Questions of a benchmark in disguise: as rows that were copied from it, with changes, would hold them."""

import random
import re
from collections.abc import Callable

FILLERS = ("really", "kindly", "currently", "perhaps", "nice", "something")
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
    """One word in eight, but at least one, replaced or gone; words with digits stay."""
    words = text.split()
    changeable = [at for at, word in enumerate(words) if not re.search(r"\d", word)]
    for at in rng.sample(changeable, min(max(1, len(words) // 8), len(changeable))):
        words[at] = rng.choice([*FILLERS, ""])
    return " ".join(filter(None, words))


def wrapped(text: str, rng: random.Random) -> str:
    """Inside a longer text."""
    return rng.choice(BEFORE) + text + rng.choice(AFTER)


DISGUISES: dict[str, Callable[[str, random.Random], str]] = {
    "case, punctuation": case_and_punctuation,
    "spaces, unicode": spaces_and_unicode,
    "reordered": reordered,
    "words changed": words_changed,
    "wrapped": wrapped,
}
