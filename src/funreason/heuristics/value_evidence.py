"""The evidence of the values of the calls: how the query accounts for them, whether form and order are right."""

from collections import Counter
from itertools import pairwise

from funreason.heuristics.comparison import Comparison, ScalarMatch
from funreason.heuristics.contradictions import competing_value, replaces_another_number
from funreason.heuristics.value_features import detailed_state, kind_of
from funreason.heuristics.value_form import form_features


def value_evidence(comparison: Comparison) -> dict[str, float]:
    """Counts of values by kind, need and state (`required_text_absent`), and of what is odd about them."""
    counts: Counter[str] = Counter()
    for match in comparison.matches:
        scalar, kind = match.scalar, kind_of(match.scalar.value)
        state = detailed_state(match, comparison)
        counts[f"{'required' if scalar.required else 'optional'}_{kind}_{state}"] += 1
        counts["competing"] += competing_value(match, comparison) is not None
        if kind == "text":
            counts["text_words"] = max(counts["text_words"], len(scalar.value.split()) + len(scalar.value) // 40)
            for name, value in form_features(match, comparison).items():
                counts[name] += int(value)
        elif kind == "number" and match.state == "absent":
            counts["replaced"] += replaces_another_number(scalar, comparison)
            counts["number_implied"] += comparison.may_imply(scalar.value)
    of_call = Counter(match.scalar.call for match in comparison.matches)
    unstated = Counter(match.scalar.call for match in comparison.matches if match.state in ("absent", "hinted"))
    values: dict[str, float] = {name: float(count) for name, count in counts.items()}
    values["values"] = float(len(comparison.matches))
    values["worst_call"] = max((unstated[call] / count for call, count in of_call.items()), default=0.0)
    return values


def order_evidence(comparison: Comparison) -> dict[str, float]:
    """How many neighbouring values of a call stand in the query in another order than in the tool (`inverted`), or
    nearer to the words of the other's parameter (`far`)."""
    counts, text = {"inverted": 0.0, "far": 0.0}, comparison.text
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
            counts["inverted"] += at_b < at_a
            counts["far"] += text.distance(a, b, at_b) < text.distance(a, b, at_a)
            counts["far"] += text.distance(b, a, at_a) < text.distance(b, a, at_b)
    return counts
