"""The evidence of the values of the calls: how the query accounts for them, whether form and order are right."""

import re
from collections import Counter
from itertools import pairwise
from typing import Any

from funreason.heuristics.comparison import Comparison, ScalarMatch
from funreason.heuristics.contradictions import competing_value, replaces_another_number

_EXAMPLE = re.compile(r"['‘\"“]([^'’\"”]{2,40})['’\"”]")
_OPENING = frozenset("'\"“‘「《『")
# (a form that a description asks for, the texts that have it)
_FORMS = (
    (re.compile(r"city, (?:state|country)|location, state"), re.compile(r".+, ?.+")),
    (re.compile(r"yyyy-mm-dd"), re.compile(r"\d{4}-\d\d-\d\d")),
    (re.compile(r"\bhh:mm\b|24-hour"), re.compile(r"\d\d:\d\d")),
    (re.compile(r"mm/dd/yyyy|dd/mm/yyyy"), re.compile(r"\d\d/\d\d/\d{4}")),
)


def value_evidence(comparison: Comparison) -> dict[str, float]:
    """Counts of values by kind, need and state (`required_text_absent`), and of what is odd about them."""
    counts: Counter[str] = Counter()
    for match in comparison.matches:
        scalar, kind = match.scalar, _kind(match.scalar.value)
        state = _state(match, kind, comparison)
        counts[f"{'required' if scalar.required else 'optional'}_{kind}_{state}"] += 1
        counts["competing"] += competing_value(match, comparison) is not None
        if kind == "text":
            _count_text(match, comparison, counts)
        elif kind == "number" and match.state == "absent":
            counts["replaced"] += replaces_another_number(scalar, comparison)
            counts["number_implied"] += comparison.may_imply(scalar.value)
    of_call = Counter(match.scalar.call for match in comparison.matches)
    unstated = Counter(match.scalar.call for match in comparison.matches if match.state in ("absent", "hinted"))
    found: dict[str, float] = {name: float(count) for name, count in counts.items()}
    found["values"] = float(len(comparison.matches))
    found["worst_call"] = max((unstated[call] / count for call, count in of_call.items()), default=0.0)
    return found


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None or (isinstance(value, str) and value.lower() in ("true", "false")):
        return "flag"
    return "text" if isinstance(value, str) else "number"


def _state(match: ScalarMatch, kind: str, comparison: Comparison) -> str:
    """The state of a value, in more detail where the query does not state it."""
    scalar, state = match.scalar, match.state
    if state not in ("absent", "hinted"):
        return state
    if scalar.is_default:
        return "default"
    if kind != "text":
        return state
    declared = comparison.declared(scalar)
    if state == "hinted" and comparison.text.places(scalar.value):
        return "reused"  # stated once, by several calls
    if declared.get("enum"):
        return f"{state}_choice"
    if _extends(scalar.value, comparison.text.low):
        return "extended"
    return f"{state}_known" if scalar.value.lower() in str(declared.get("description")).lower() else state


def _count_text(match: ScalarMatch, comparison: Comparison, counts: Counter[str]) -> None:
    """Count what is odd about a text."""
    value, text = match.scalar.value, comparison.text
    description = str(comparison.declared(match.scalar).get("description"))
    words = len(value.split()) + len(value) // 40
    counts["long_text"] += words > 5
    counts["text_words"] = max(counts["text_words"], words)
    low = description.lower()
    counts["form"] += any(asked.search(low) and not form.fullmatch(value) for asked, form in _FORMS)
    counts["off_example"] += _is_off_example(value, description)
    if match.place:
        start, end = match.place
        counts["odd_case"] += text.raw[start:end] != value.strip()
        counts["partly"] += _goes_on(text.raw, start, end)
    elif match.state in ("absent", "hinted"):
        counts["cut_word"] += _is_cut(value, text.low)
        counts["other_script"] += value.isascii() and not text.raw.isascii()


def _is_cut(value: str, low: str) -> bool:
    """Whether the query has a text, but goes on in the middle of its last word, and not with a plural s."""
    value = value.strip().lower()
    at = low.find(value) if len(value) > 2 else -1
    rest = low[at + len(value) : at + len(value) + 2]
    return at >= 0 and len(rest) == 2 and rest.isalpha() and rest.isascii() and value[-1].isalnum()


def _goes_on(raw: str, start: int, end: int) -> bool:
    """Whether a stated text stops in the middle of a name or a quotation."""
    if re.match(r"[ -][A-Z][a-z]", raw[end : end + 3]) and raw[start : start + 1].isupper():
        return True
    return start > 0 and raw[start - 1] in _OPENING and raw[end : end + 1].isspace()


def _extends(value: str, low: str) -> bool:
    """Whether the query has the beginning of a text, up to a comma: "Paris" of "Paris, France"."""
    head = value.split(",")[0].strip().lower()
    return "," in value and len(head) > 2 and head in low


def _is_off_example(value: str, description: str) -> bool:
    """Whether a text lacks the commas, underscores or digits that all examples in its description have."""
    shapes = {_shape(example) for example in _EXAMPLE.findall(description)}
    return len(shapes) == 1 and _shape(value) not in shapes


def _shape(text: str) -> tuple[bool, ...]:
    return "," in text, "_" in text, text[:1].isdigit(), text.isupper()


def order_evidence(comparison: Comparison) -> dict[str, float]:
    """How many neighbouring values of a call stand in the query in another order than in the tool (`inverted`), or
    nearer to the words of the other's parameter (`far`)."""
    found, text = {"inverted": 0.0, "far": 0.0}, comparison.text
    placed: dict[int, dict[str, ScalarMatch]] = {}
    for match in comparison.matches:
        if match.place and not match.scalar.is_key:
            placed.setdefault(match.scalar.call, {}).setdefault(match.scalar.param, match)
    for call, of_param in placed.items():
        spec = comparison.specs.get(comparison.calls[call].name)
        order = [of_param[param] for param in (spec.parameters if spec else of_param) if param in of_param]
        for left, right in pairwise(order):
            at_a, at_b = left.place, right.place
            if not (at_a and at_b) or isinstance(left.scalar.value, str) != isinstance(right.scalar.value, str):
                continue
            a, b = left.scalar.param, right.scalar.param
            found["inverted"] += at_b < at_a
            found["far"] += text.distance(a, b, at_b) < text.distance(a, b, at_a)
            found["far"] += text.distance(b, a, at_a) < text.distance(b, a, at_b)
    return found
