"""How much of the right calls an answer has: ToolRL's graded match (arXiv 2504.13958, section 3.2), closed to surplus.

ToolRL adds up, over the right calls G and the answer's P,

    r_name   |names of G ∩ names of P| / |names of G ∪ names of P|
    r_param  Σ_j |parameters of G_j ∩ parameters of its partner| / |their union|      at most |G|
    r_value  Σ_j equal values of G_j and its partner                                  at most all parameters of G

and divides by the most there is, 1 + |G| + Σ_j |parameters of G_j|. So an answer that calls twice, or tries every
value, loses nothing. Here names are counted with their repetitions, and the most there is counts whichever of G and P
has more: an answer with as many calls and parameters as wanted earns ToolRL's reward, one with more earns less.
"""

import json
from collections import Counter
from typing import Any

from funreason.calls.text import Call
from funreason.rewards.reading import Answer


def matched(answer: Answer, wanted: Answer) -> float:
    """The fraction of the right calls that an answer has; both have calls.

    Returns:
        0 to 1; 1 only for the same calls.
    """
    mine, right = answer.calls, wanted.calls
    names, right_names = Counter(call.name for call in mine), Counter(call.name for call in right)
    in_names = (names & right_names).total() / (names | right_names).total()
    pairs = [
        (_pair(one, other), i, j)
        for i, one in enumerate(mine)
        for j, other in enumerate(right)
        if one.name == other.name
    ]
    parameters = max(sum(len(call.arguments) for call in calls) for calls in (mine, right))
    return (in_names + _assigned(pairs)) / (1 + max(len(mine), len(right)) + parameters)


def _pair(one: Call, other: Call) -> float:
    """r_param + r_value of two calls of one function."""
    mine, right = one.arguments, other.arguments
    both = mine.keys() & right.keys()
    union = len(mine) + len(right) - len(both)
    return (len(both) / union if union else 1.0) + sum(_is_same(mine[key], right[key]) for key in both)


def _is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON: to Python True, 1 and 1.0 are equal, and a tuple is not a list."""
    if isinstance(one, str | int | float) or one is None:
        return type(one) is type(other) and one == other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _assigned(pairs: list[tuple[float, int, int]]) -> float:
    """The best pairs first, each call in one pair: ToolRL's assignment. Of equal pairs the first in order."""
    total, taken, partners = 0.0, set(), set()  # type: float, set[int], set[int]
    for score, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if score and i not in taken and j not in partners:
            total += score
            taken.add(i)
            partners.add(j)
    return total
