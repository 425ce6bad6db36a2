"""What contradicts a value of a call: the text states another value of the same kind in its place.

Such a value makes a clear False: the query says Rome, the call says Oslo. Where the value is a name, a time or a code,
the competing value has exactly its shape; else it is another value of the tool's enum, or the other truth value.
"""

import json
import re
from difflib import SequenceMatcher
from typing import Any

from funreason.heuristics.comparison import Comparison, Scalar, ScalarMatch
from funreason.heuristics.text import may_be_converted
from funreason.heuristics.values import date_or_number, scan_values
from funreason.heuristics.words import (
    MAX_PLACES,
    REVERSALS,
    TOKEN,
    VERBS,
    boolean_mentions,
    name_words,
    stem,
    value_starts,
)

_NAME = r"[A-Z][a-z]{2,30}+(?: [A-Z][a-z]{2,30}+){0,4}+"  # bounded: hostile text goes on and on
_CODE = r"(?=[A-Za-z_-]*\d)(?=\d*[A-Za-z])[A-Za-z\d_-]{3,}|\d\d?:\d\d"
# (the shape of a value, the same shape in a text): whole names inside a sentence, whole codes and times.
_SHAPES = (
    (re.compile(_NAME), re.compile(rf"(?<=[a-z0-9,;)%] ){_NAME}\b(?! [A-Z])")),
    (re.compile(_CODE), re.compile(rf"(?<![\w.:/-])(?:{_CODE})(?![\w:/-]|\.\w|\s?[ap]\.?m)")),
)
_CALENDAR = frozenset(
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday christmas easter".split()
)
# Parameters whose values people infer: the country of a city, the currency of a country, the ticker of a company.
_INFERRED = frozenset(
    "state country region continent province language lang currency symbol ticker timezone zone unit gender team "
    "league category genre type kind nationality".split()
)
_COORDINATE = re.compile(r"lat|lon|lng|coord", re.IGNORECASE)  # known without being stated
_SIMILAR = 0.7  # fraction of letters in common, in order: a misspelt name
_VALUE_START = re.compile(r"(?:[a-z]+ ){0,3}(?:[A-Z][a-z]{2}|\d)")
_SENTENCE_END = re.compile(r"[.;\n](?=\s|$)")


def competing_value(match: ScalarMatch, comparison: Comparison) -> str | None:
    """What the query says instead of a value, None where nothing is clearly in its place."""
    scalar = match.scalar
    if scalar.is_key:
        return None
    if isinstance(scalar.value, bool):
        return _other_truth_value(scalar, comparison)
    if not isinstance(scalar.value, str) or match.place:
        return None
    enum = comparison.declared(scalar).get("enum")
    if isinstance(enum, list) and enum:
        return _other_enum_value(match, enum, comparison)
    replaced = is_made_up(match, comparison) or _is_partly_stated(match, comparison)
    return _text_of_same_shape(scalar, comparison) if replaced else None


def is_made_up(match: ScalarMatch, comparison: Comparison) -> bool:
    """Whether nothing in the query accounts for a value, and it is neither common knowledge nor in the tool's text."""
    scalar = match.scalar
    if scalar.is_key or match.state != "absent" or not comparison.text.low.isascii():
        return False
    if not isinstance(scalar.value, str) or isinstance(date_or_number(scalar.value), tuple):
        return not may_be_unstated(scalar, comparison)
    return len(scalar.value) > 2 and scalar.value.isascii() and not _is_known(scalar, comparison)


def replaces_another_number(scalar: Scalar, comparison: Comparison) -> bool:
    """Whether nothing accounts for a number or date, and the query states another one that no value claims."""
    is_date = isinstance(scalar.value, str) and isinstance(date_or_number(scalar.value), tuple)
    if scalar.is_key or not (is_date or isinstance(scalar.value, (int, float))):
        return False
    unclaimed = comparison.text.unclaimed("date" if is_date else "number")
    return bool(unclaimed) and not may_be_unstated(scalar, comparison)


def may_be_unstated(scalar: Scalar, comparison: Comparison) -> bool:
    """Whether a number or a date may be in the answer although the text does not state it."""
    if not isinstance(scalar.value, (int, float)):
        return comparison.may_imply(scalar.value)
    number = re.escape(f"{abs(scalar.value):g}") if abs(scalar.value) < 1e15 else "$."
    description = str(comparison.declared(scalar).get("description"))
    in_description = re.search(rf"(?<![\d.]){number}(?!\d)", description)
    return bool(in_description or _COORDINATE.search(scalar.param)) or comparison.may_imply(scalar.value)


def contradicts_reasoning(scalar: Scalar, comparison: Comparison) -> bool:
    """Whether the reasoning states another value of a parameter. A value that it does not state is not evidence."""
    if isinstance(scalar.value, bool) or scalar.value is None:
        mentioned = {value for _, _, value in boolean_mentions(comparison.text.low, scalar.param)}
        return scalar.value is not None and mentioned == {not scalar.value}
    if _reasoning_states_another(scalar, comparison):
        return True
    text = comparison.text
    if scalar.is_key or text.places(scalar.value) or text.may_state(scalar.value):
        return False
    starts = [at for at in value_starts(text.low, scalar.param) if _is_other_value(at, scalar, comparison)]
    return bool(starts) and not may_be_unstated(scalar, comparison)


def _is_other_value(at: int, scalar: Scalar, comparison: Comparison) -> bool:
    """Whether what the reasoning says of a parameter is a value: another one of the enum, or a name or a number.

    "destination is Oslo" states a value, "text is correctly formatted" does not.
    """
    enum, text = comparison.declared(scalar).get("enum"), comparison.text
    if isinstance(enum, list) and enum:
        others = [str(other).lower() for other in enum if other != scalar.value]
        return any(text.low.startswith(other, at) for other in others)
    return bool(_VALUE_START.match(text.raw, at))


def _reasoning_states_another(scalar: Scalar, comparison: Comparison) -> bool:
    """Whether all that the reasoning states of the parameter is of the value's kind and cannot become the value."""
    text, (kind, value) = comparison.text, _kind(scalar.value)
    of_call = [m for m in comparison.matches if m.scalar.call == scalar.call and m.scalar.param == scalar.param]
    if any(m.state == "stated" for m in of_call):  # a list, of which the reasoning states a part
        return False
    if scalar.is_key or text.places(scalar.value) or (kind in ("number", "date") and text.may_state(scalar.value)):
        return False
    starts = value_starts(text.low, scalar.param)[:MAX_PLACES]
    ends = [_SENTENCE_END.search(text.low, at, at + 60) for at in starts]
    spans = [(at, end.start() if end else at + 60) for at, end in zip(starts, ends, strict=True)]
    stated = [v.value for v in text.values if v.kind == kind and any(a <= v.start < b for a, b in spans)]
    return bool(stated) and not (kind == "number" and any(may_be_converted(value, other) for other in stated))


def _kind(value: str | int | float) -> tuple[str, Any]:
    """The kind of `values.TextValue` that a value is, and its normal form; "" for plain text."""
    whole = [(v.kind, v.value) for v in scan_values(str(value).lower()) if v.end - v.start == len(str(value))]
    return whole[0] if whole else ("", value)


def _is_known(scalar: Scalar, comparison: Comparison) -> bool:
    """Whether a text may be in a call although nobody stated it. A verb may be stated by another word for it."""
    value, enum = scalar.value.lower(), comparison.declared(scalar).get("enum")
    if value in VERBS or not _INFERRED.isdisjoint(name_words(scalar.param)):
        return not enum or value in VERBS
    tool = comparison.tools.get(comparison.calls[scalar.call].name)
    return not enum and value in json.dumps(tool).lower()


def _is_partly_stated(match: ScalarMatch, comparison: Comparison) -> bool:
    """Whether the query has some of the words of a name: `Paul Reed` where it says `Paul Hall`."""
    scalar, low = match.scalar, comparison.text.low
    some_words = match.state == "hinted" and not comparison.earlier and " " in scalar.value
    return some_words and scalar.value.lower() not in low and not _is_known(scalar, comparison)


def _text_of_same_shape(scalar: Scalar, comparison: Comparison) -> str | None:
    """An unclaimed name, time or code of the query in the shape of the value, unless it may be a variant of it."""
    in_answer = [*comparison.names, *(str(match.scalar.value) for match in comparison.matches)]
    answer = " ".join(in_answer).lower()
    for shape, shape_in_text in _SHAPES:
        if not shape.fullmatch(scalar.value):
            continue
        for place in shape_in_text.finditer(comparison.text.raw):
            other = place[0]
            if not comparison.text.is_unclaimed(place.span()) or other.lower() in answer:
                continue
            if _shape(other) == _shape(scalar.value) and not _may_be_same_name(other.lower(), scalar.value.lower()):
                return other
    return None


def _shape(text: str) -> str:
    return re.sub(r"\d", "9", re.sub(r"[a-z]+", "a", re.sub(r"[A-Z]", "A", text)))


def _may_be_same_name(stated: str, value: str) -> bool:
    """Whether a name may be short for the other, or misspelt, or is a day. Texts with digits must be equal."""
    if any(letter.isdigit() for letter in stated):
        return False
    if not _CALENDAR.isdisjoint(stated.split()):
        return True
    pairs = zip(stated.split(), value.split(), strict=True)
    return all(a[:3] == b[:3] or SequenceMatcher(None, a, b).ratio() > _SIMILAR for a, b in pairs)


def _other_truth_value(scalar: Scalar, comparison: Comparison) -> str | None:
    """The words that state the other truth value, unless they are about another of several calls."""
    mentions = boolean_mentions(comparison.text.low, scalar.param)
    in_other_calls = any(
        match.scalar.param == scalar.param and match.scalar.call != scalar.call for match in comparison.matches
    )
    is_about_it = len(comparison.calls) == 1 or not (scalar.is_default or in_other_calls)
    if is_about_it and {value for _, _, value in mentions} == {not scalar.value}:
        return comparison.text.raw[slice(*mentions[0][:2])]
    return None


def _other_enum_value(match: ScalarMatch, enum: list[Any], comparison: Comparison) -> str | None:
    """Another value of the enum in the query; near a word of its parameter, if the call has the tool's default."""
    scalar, text = match.scalar, comparison.text
    if match.state not in ("absent", "default") or scalar.value not in enum or REVERSALS.search(text.low):
        return None
    for other in enum:
        if not isinstance(other, str) or len(other) <= 2 or other == scalar.value:
            continue
        for start, end in text.verbatim(other):
            near = {stem(word) for word in TOKEN.findall(text.low[max(0, start - 15) : end + 15])}
            is_about_it = match.state == "absent" or not near.isdisjoint(name_words(scalar.param))
            if is_about_it and text.is_unclaimed((start, end)):
                return other
    return None
