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
from functools import lru_cache
from itertools import product

from funreason.rewards.reading import CACHED, Answer


@lru_cache(maxsize=CACHED)
def _parts(key: str) -> tuple[str, dict[str, str]]:
    """The name of a call, and its parameters with their values as JSON texts: to Python True, 1 and 1.0 are equal."""
    call = json.loads(key)
    return call["name"], {name: json.dumps(value, sort_keys=True) for name, value in call["arguments"].items()}


def matched(answer: Answer, wanted: Answer) -> float:
    """The fraction of the right calls that an answer has; both have calls.

    Returns:
        0 to 1; 1 only for the same calls.
    """
    return _matched(answer.keys, wanted.keys)


@lru_cache(maxsize=CACHED)
def _matched(answer: tuple[str, ...], wanted: tuple[str, ...]) -> float:
    mine, right = [_parts(key) for key in answer], [_parts(key) for key in wanted]
    names, right_names = Counter(name for name, _ in mine), Counter(name for name, _ in right)
    in_names = (names & right_names).total() / (names | right_names).total()
    pairs = [(_pair(one, other), i, j) for (i, one), (j, other) in product(enumerate(mine), enumerate(right))]
    parameters = max(sum(len(values) for _, values in calls) for calls in (mine, right))
    most = 1 + max(len(mine), len(right)) + parameters
    return (in_names + _assigned(pairs)) / most


def _pair(one: tuple[str, dict[str, str]], other: tuple[str, dict[str, str]]) -> float:
    """r_param + r_value of two calls; 0 where their functions differ."""
    (name, values), (right_name, right) = one, other
    if name != right_name:
        return 0.0
    union = values.keys() | right.keys()
    in_parameters = len(values.keys() & right.keys()) / len(union) if union else 1.0
    return in_parameters + sum(values[key] == right[key] for key in values.keys() & right.keys())


def _assigned(pairs: list[tuple[float, int, int]]) -> float:
    """The best pairs first, each call in one pair: ToolRL's assignment. Of equal pairs the first in order."""
    total, taken, partners = 0.0, set(), set()  # type: float, set[int], set[int]
    for score, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if score and i not in taken and j not in partners:
            total += score
            taken.add(i)
            partners.add(j)
    return total
