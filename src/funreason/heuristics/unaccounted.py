"""What is left over when calls and a text are compared. It makes a result unclear, never False.

Functions that the query does not ask for, words of it that no call uses, values that may be swapped, and what the
reasoning has beyond the answer.
"""

import re
from functools import lru_cache
from itertools import combinations
from typing import Any

from funreason.heuristics.comparison import Comparison, Scalar
from funreason.heuristics.text import Place, Text
from funreason.heuristics.values import date_or_number
from funreason.heuristics.words import COMMON_WORDS, boolean_mentions, name_words, value_starts

_MORE_THAN_ONE = re.compile(r"\b(?:also|then|another|both|each|every|as well|same)\b")
# Words of parameters whose values a wrong answer swaps, and the words before the values that tell them apart.
_ORDERED_PAIRS = (
    ("origin", "destination"), ("from", "to"), ("start", "end"), ("source", "target"), ("departure", "arrival"),
    ("min", "max"), ("in", "out"), ("base", "target"), ("first", "second"), ("sender", "receiver"),
)  # fmt: skip
_FROM, _TO = re.compile(r"\b(?:from|leaving|departing)\W+$"), re.compile(r"\b(?:to|into|reaching|until)\W+$")
_LOOKS_LIKE_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}\b|\d\d?:\d\d|\d\d?\s?[ap]\.?m\b")
_DECLARES_DATE = re.compile("date|day|time|yyyy|hh:mm|when|deadline|birth|start|end|due|from|until|since")
_PLAIN_WORDS = re.compile(r"(?:[a-z]+ ){1,6}")


def unrequested_functions(comparison: Comparison) -> list[str]:
    """The called functions that the query does not ask for. The words of all called functions are claimed."""
    text = comparison.text
    for word in {word for name in comparison.names for word in name_words(name)}:
        for place in text.words.get(word, ()):
            text.mark_claimed(place)
    return [name for name in comparison.names if not text.names_function(name)]


def may_ask_for_more(comparison: Comparison) -> bool:
    """Whether one call answers words that ask for several, or the same call is made twice."""
    if len(comparison.calls) == 1:
        return bool(_MORE_THAN_ONE.search(comparison.text.low))
    return len({repr(call) for call in comparison.calls}) < len(comparison.calls)


def unused_parameter_words(comparison: Comparison) -> list[str]:
    """What the query says of the called tools' parameters and no call has: a flag, a value of an enum, a word of it."""
    text = comparison.text
    places: list[Place] = []
    for name, spec in comparison.specs.items():
        stated = {s.param for s in comparison.scalars("stated") if comparison.calls[s.call].name == name}
        for param, declared in spec.parameters.items():
            values = declared.get("enum")
            enum = [v for v in values if isinstance(v, str) and len(v) > 2] if isinstance(values, list) else []
            places += [place for value in enum for place in text.verbatim(value)]
            if declared.get("type") == "boolean":
                places += [(start, end) for start, end, _ in boolean_mentions(text.low, param)]
            if param not in stated:
                words = _telling_words(f"{param} {declared.get('description')}"[:500])
                places += [place for word in words for place in text.words.get(word, ())]
    return [text.raw[slice(*place)] for place in places if text.is_unclaimed(place)]


@lru_cache(maxsize=4096)
def _telling_words(description: str) -> tuple[str, ...]:
    """The words that tell what a parameter is about."""
    telling = [word for word in name_words(description) if len(word) > 3 and word not in COMMON_WORDS]
    return tuple(dict.fromkeys(telling))  # not a set: its order would differ between processes, and so the evidence


def unanswered(comparison: Comparison) -> list[str]:
    """What the reasoning states and the answer lacks: values, and parameters with another value."""
    text = comparison.text
    starts: dict[str, set[int]] = {}
    values: set[Any] = set()
    missing: list[str] = []
    for scalar in [match.scalar for match in comparison.matches]:
        if isinstance(scalar.value, bool):
            of_param = {m.scalar.value for m in comparison.matches if m.scalar.param == scalar.param}
            mentions = boolean_mentions(text.low, scalar.param)
            missing += [scalar.param] if any(value not in of_param for _, _, value in mentions) else []
            continue
        places = text.places(scalar.value)
        starts.setdefault(scalar.param, set()).update(start for start, _ in places)
        values.add(date_or_number(scalar.value) if isinstance(scalar.value, str) else scalar.value)
        for place in places:
            text.mark_claimed(place)
    missing += [str(v.value) for v in text.unclaimed("number", "date", "time", "code") if v.value not in values]
    for param, known in starts.items():
        if not all(_begins_known_value(at, known, text) for at in value_starts(text.low, param)):
            missing.append(param)
    return missing


def _begins_known_value(at: int, known: set[int], text: Text) -> bool:
    """Whether a known value begins at `at`, or after some plain words ("city: the user is in Rome")."""
    return any(at == start or (at < start <= at + 60 and _PLAIN_WORDS.fullmatch(text.raw[at:start])) for start in known)


@lru_cache(maxsize=4)  # a rule asks for it, and the evidence
def swapped_parameters(comparison: Comparison) -> list[str]:
    """Two parameters of a call whose values seem swapped, from their places in the query or from the tool's text."""
    placed = [(m.scalar, m.place) for m in comparison.matches if m.place and not m.scalar.is_key]
    for (a, place_a), (b, place_b) in combinations(placed, 2):
        if a.call != b.call or a.param == b.param or isinstance(a.value, str) != isinstance(b.value, str):
            continue
        if _is_declared_for_other(a, b, comparison) or _is_declared_for_other(b, a, comparison):
            return [a.param, b.param]
        if _are_swapped(a.param, place_a, b.param, place_b, comparison.text):
            return [a.param, b.param]
    return []


def _is_declared_for_other(scalar: Scalar, other: Scalar, comparison: Comparison) -> bool:
    """Whether a text is in the declaration of the other parameter and not in that of its own."""
    value = scalar.value.lower() if isinstance(scalar.value, str) else ""
    if len(value) <= 2:
        return False
    own = f"{scalar.param} {comparison.declared(scalar)}".lower()
    if _LOOKS_LIKE_DATE.match(value) and not _DECLARES_DATE.search(own):
        return True
    return value not in own and value in f"{other.param} {comparison.declared(other)}".lower()


def _are_swapped(a: str, place_a: Place, b: str, place_b: Place, text: Text) -> bool:
    """Whether a parameter's words are nearer to the other's value, or `from` and `to` are the wrong way round."""
    a_own, a_other = text.distance(a, b, place_a), text.distance(a, b, place_b)
    b_own, b_other = text.distance(b, a, place_b), text.distance(b, a, place_a)
    if (a_other < a_own and b_other <= b_own) or (b_other < b_own and a_other <= a_own):
        return True
    for first, second in _ORDERED_PAIRS:
        for left, left_place, right, right_place in ((a, place_a, b, place_b), (b, place_b, a, place_a)):
            is_pair = first in name_words(left) and second in name_words(right)
            if is_pair and right_place < left_place:
                return not (_follows(_FROM, left_place, text) or _follows(_TO, right_place, text))
    return False


def _follows(words: re.Pattern[str], place: Place, text: Text) -> bool:
    return bool(words.search(text.low[max(0, place[0] - 20) : place[0]]))
