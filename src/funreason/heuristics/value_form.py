"""The form of a value: its shape, and what is odd about a text beside its description and the query."""

import re
from functools import lru_cache
from typing import Any

from funreason.heuristics.comparison import Comparison, ScalarMatch
from funreason.heuristics.words import is_unspaced

_EXAMPLE = re.compile(r"['‘\"“]([^'’\"”]{2,40})['’\"”]")
# Endings of words that mean the same: "orally" for oral, "penetration testing" for "penetration test".
_SUFFIX = re.compile(
    r"(?:e|n|t|at|l|r|v)?(?:i?al(?:ly)?|ly|ing|e?d|er?s?|en|ous|able|ible|ic(?:al|ally)?|es|ian|ern|ions?|ional|is[tm]"
    r"|ive|istrative|ren|ity|me?nt|ish|ese|an(?:s)?|ness|ance|ence|y|wide)"
)
_LONGEST_CODE = 5  # letters, all of them capitals
_OPENING = frozenset("'\"“‘「《『")
# (a form that a description asks for, the texts that have it)
_FORMS = (
    (re.compile(r"city, (?:state|country)|location, state"), re.compile(r".+, ?.+")),
    (re.compile(r"yyyy-mm-dd"), re.compile(r"\d{4}-\d\d-\d\d")),
    (re.compile(r"\bhh:mm\b|24-hour"), re.compile(r"\d\d:\d\d")),
    (re.compile(r"mm/dd/yyyy|dd/mm/yyyy"), re.compile(r"\d\d/\d\d/\d{4}")),
)
# Shapes 2 to 10; a truth value is 0, a number 1, other texts of one, a few or many words 11 to 13.
_SHAPES = tuple(re.compile(shape) for shape in (
    r"-?[\d.,]+\Z", r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}", r"\d\d?:\d\d", r"\S+@\S+", r"https?:|/|[\w-]+\.\w+\Z",
    r"(?=\D*\d)\S+\Z", r"[A-Z]{2,5}\Z", r"[A-Z]\S*\Z", r"[A-Z]",
))  # fmt: skip


def shape_of(value: Any) -> int:
    """The class of a value's shape: a truth value, a number, a date, a code, a name, a sentence …"""
    if isinstance(value, bool) or value is None:
        return 0
    return 1 if not isinstance(value, str) else _shape_of_text(value[:80])


@lru_cache(maxsize=16384)
def _shape_of_text(text: str) -> int:
    for at, shape in enumerate(_SHAPES, 2):
        if shape.match(text):
            return at
    words = text.count(" ") + 1
    return 11 if words == 1 else 12 if words < 6 else 13


def form_features(match: ScalarMatch, comparison: Comparison) -> dict[str, float]:
    """What is odd about the form of a text; nothing of other values."""
    value, text = match.scalar.value, comparison.text
    if not isinstance(value, str):
        return {}
    declared = comparison.declared(match.scalar)
    description = str(declared.get("description"))
    low = description.lower()
    features = {
        "words": float(len(value.split()) + len(value) // 40),
        "form": float(any(asked.search(low) and not form.fullmatch(value) for asked, form in _FORMS)),
        "off_example": float(_is_off_example(value, description)),
    }
    if match.place:
        start, end = match.place
        features["odd_case"] = float(text.raw[start:end] != value.strip())
        features["partly"] = float(_goes_on(text.raw, start, end))
    else:
        rest = _rest_of_word(value, text.low)
        features["cut_word"] = float(rest.isalpha() and rest.isascii())
        features["cut_off"] = float(is_cut_off(match, comparison))
        features["other_script"] = float(value.isascii() and not text.raw.isascii())
    return features


def _rest_of_word(value: str, low: str) -> str:
    """What follows a text in the query where its last word goes on there, by two letters or digits at least."""
    value = value.strip().lower()
    at = low.find(value) if len(value) > 2 else -1
    if at < 0 or not value[-1].isalnum():
        return ""
    rest = re.match(r"[^\W_]*", low[at + len(value) :])
    return rest[0] if rest and len(rest[0]) > 1 else ""


def is_cut_off(match: ScalarMatch, comparison: Comparison) -> bool:
    """Whether a text stops inside a word of the query: "San Fra" where it says San Francisco.

    Not the stem of a word (oral: orally), a code (EUR: Euros), or what the declaration of the parameter has.
    """
    value = match.scalar.value
    if match.place or not isinstance(value, str) or not (rest := _rest_of_word(value, comparison.text.low)):
        return False
    value = value.strip()
    is_code = value.isupper() and value.isalpha() and len(value) <= _LONGEST_CODE
    is_region = "," in value and len(value.rpartition(",")[2].strip()) < 3  # "Sydney, AU": Sydney, Australia
    if is_code or is_region or is_unspaced(value[-1]) or (rest.isdigit() and value.isalpha()):
        return False
    return _SUFFIX.fullmatch(rest) is None and not _has_word(str(comparison.declared(match.scalar)), value)


def _has_word(text: str, word: str) -> bool:
    """Whether a text has a word, in whatever case and not as a part of another one."""
    return re.search(rf"(?<![^\W_]){re.escape(word.lower())}(?![^\W_])", text.lower()) is not None


def _goes_on(raw: str, start: int, end: int) -> bool:
    """Whether a stated text stops in the middle of a name or a quotation."""
    if re.match(r"[ -][A-Z][a-z]", raw[end : end + 3]) and raw[start : start + 1].isupper():
        return True
    return start > 0 and raw[start - 1] in _OPENING and raw[end : end + 1].isspace()


def _is_off_example(value: str, description: str) -> bool:
    """Whether a text lacks the commas, underscores or digits that all examples in its description have."""
    forms = _example_forms(description)
    return len(forms) == 1 and _form(value) not in forms


@lru_cache(maxsize=8192)
def _example_forms(description: str) -> frozenset[tuple[bool, ...]]:
    return frozenset(_form(example) for example in _EXAMPLE.findall(description))


def _form(text: str) -> tuple[bool, ...]:
    return "," in text, "_" in text, text[:1].isdigit(), text.isupper()
