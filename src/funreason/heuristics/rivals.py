"""What the query says where a value of the answer is not to be found in it: another value of the same kind.

A rival makes a clear False of the call check: the query says Rome, the call says Oslo. Where there is a name, a time or
a code, the rival has its very shape; else it is another value of the list that the tool gives, or the other truth
value.
"""

import json
import re
from difflib import SequenceMatcher

from funreason.heuristics.doubts import TURNS, excused
from funreason.heuristics.look import Found, Leaf, Look
from funreason.heuristics.values import TOKEN, VERBS, flags, name_words, normal_of, stem

_NAME = r"[A-Z][a-z]{2,30}+(?: [A-Z][a-z]{2,30}+){0,4}+"  # bounded: hostile text goes on and on
_CODE = r"(?=[A-Za-z_-]*\d)(?=\d*[A-Za-z])[A-Za-z\d_-]{3,}|\d\d?:\d\d"
# (what a value is, where the text says one): whole names inside a sentence, whole codes and times.
_SHAPED = (
    (re.compile(_NAME), re.compile(rf"(?<=[a-z0-9,;)%] ){_NAME}\b(?! [A-Z])")),
    (re.compile(_CODE), re.compile(rf"(?<![\w.:/-])(?:{_CODE})(?![\w:/-]|\.\w|\s?[ap]\.?m)")),
)
_CALENDAR = frozenset(
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday christmas easter".split()
)
# What people infer: the country of a city, the currency of a country, the ticker of a company.
_INFERRED = frozenset(
    "state country region continent province language lang currency symbol ticker timezone zone unit gender team "
    "league category genre type kind nationality".split()
)
_ALIKE = 0.7  # share of letters in common, in order: a misspelt name


def rival(found: Found, look: Look) -> str | None:
    """What the query says instead of a value, None where nothing plainly is."""
    leaf = found.leaf
    if leaf.key:
        return None
    if isinstance(leaf.value, bool):
        return _other_truth(leaf, look)
    if not isinstance(leaf.value, str) or found.place:
        return None
    listed = look.declared(leaf).get("enum")
    if isinstance(listed, list) and listed:
        return _listed(found, listed, look)
    return _of_its_shape(leaf, look) if made_up(found, look) or _half_said(found, look) else None


def made_up(found: Found, look: Look) -> bool:
    """Whether nothing in the query accounts for a value. One that is known, or told by the tool, is not made up."""
    leaf, state = found.leaf, found.state
    if leaf.key or state != "absent" or not look.text.low.isascii():
        return False
    if not isinstance(leaf.value, str) or isinstance(normal_of(leaf.value), tuple):
        return not excused(leaf, look)
    return len(leaf.value) > 2 and leaf.value.isascii() and not _known(leaf, look)


def _known(leaf: Leaf, look: Look) -> bool:
    """Whether a text may stand in a call although nobody said it; a verb is said by another word for it."""
    value, declared = leaf.value.lower(), look.declared(leaf)
    if value in VERBS or not _INFERRED.isdisjoint(name_words(leaf.param)):
        return not declared.get("enum") or value in VERBS
    return not declared.get("enum") and value in json.dumps(look.tools.get(look.calls[leaf.call].name)).lower()


def _half_said(found: Found, look: Look) -> bool:
    """Whether the query has some words of a name of several: `Paul Reed` where it says `Paul Hall`."""
    leaf, low = found.leaf, look.text.low
    half = found.state == "hinted" and not look.before and " " in leaf.value
    return half and leaf.value.lower() not in low and not _known(leaf, look)


def _of_its_shape(leaf: Leaf, look: Look) -> str | None:
    """A free name, time or code of the query in the shape of the value, unless it may be another form of it."""
    others = " ".join([*look.names, *(str(found.leaf.value) for found in look.found)]).lower()
    for whole, inside in _SHAPED:
        if not whole.fullmatch(leaf.value):
            continue
        for place in inside.finditer(look.text.raw):
            said = place[0]
            free = look.text.is_free(place.span()) and said.lower() not in others
            if free and _shape(said) == _shape(leaf.value) and not _one_name(said.lower(), leaf.value.lower()):
                return said
    return None


def _shape(text: str) -> str:
    return re.sub(r"\d", "9", re.sub(r"[a-z]+", "a", re.sub(r"[A-Z]", "A", text)))


def _one_name(said: str, value: str) -> bool:
    """Whether a name may be short for the other, or misspelt, or is a day; digits are what they are."""
    if any(letter.isdigit() for letter in said):
        return False
    pairs = list(zip(said.split(), value.split(), strict=True))
    if not _CALENDAR.isdisjoint(said.split()):
        return True
    return all(one[:3] == two[:3] or SequenceMatcher(None, one, two).ratio() > _ALIKE for one, two in pairs)


def _other_truth(leaf: Leaf, look: Look) -> str | None:
    """The words that give a truth value the other way round, unless they are about another of several calls."""
    said = flags(look.text.low, leaf.param)
    others = any(found.leaf.param == leaf.param and found.leaf.call != leaf.call for found in look.found)
    about_it = len(look.calls) == 1 or not (leaf.default or others)
    other = about_it and {value for _, _, value in said} == {not leaf.value}
    return look.text.raw[slice(*said[0][:2])] if other else None


def _listed(found: Found, listed: list, look: Look) -> str | None:
    """Another value of the tool's list; beside a word of its parameter, if the call has the tool's own default."""
    leaf, text = found.leaf, look.text
    if found.state not in ("absent", "default") or leaf.value not in listed or TURNS.search(text.low):
        return None
    for value in listed:
        others = text.verbatim(value) if isinstance(value, str) and len(value) > 2 and value != leaf.value else ()
        for start, end in others:
            near = {stem(word) for word in TOKEN.findall(text.low[max(0, start - 15) : end + 15])}
            told = found.state == "absent" or not near.isdisjoint(name_words(leaf.param))
            if told and text.is_free((start, end)):
                return value
    return None
