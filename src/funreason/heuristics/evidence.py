"""Evidence: numbers that tell how well the query, the tools, the reasoning and the calls of a row fit together.

Nothing here decides: the verifier weighs the numbers. Each is 0, or missing, where there is nothing to see.
"""

import re
from functools import lru_cache
from itertools import pairwise
from math import log1p

from funreason.heuristics.comparison import Comparison
from funreason.heuristics.doubts import reasoning_evidence
from funreason.heuristics.tool_fit import root_fit, telling_roots, telling_vector, tool_roots, tool_vector
from funreason.heuristics.unaccounted import swapped_parameters, unused_parameter_words
from funreason.heuristics.value_evidence import order_evidence, value_evidence
from funreason.heuristics.words import VERBS, name_words

_MORE = re.compile(
    r"\b(?:and|also|then|both|each|every|another|as well|plus|finally)\b|以及|还有|并|同时|另外|然后|分别|和"
)
_SENTENCE_END = re.compile(r"[.?!;\n]+(?:\s|$)|[。？！；]")
_QUOTED = re.compile(r"""["“][^"”]{1,80}["”]|(?<!\w)'[^']{1,80}'(?!\w)|[「《『][^」》』]{1,80}[」》』]""")
_CAPITALISED = re.compile(r"(?<=[\w,;)\]'\"”’%-]\s)[A-Z][\w’'-]*")
_MAX_SCAN = 20_000  # characters of a query that are looked at


def evidence(comparison: Comparison, on_cot: Comparison | None) -> dict[str, float]:
    """The evidence of a row.

    Args:
        comparison: Its calls, freshly compared with its query: values that are claimed since would be missed.
        on_cot: The same calls compared with its reasoning; None where it has none.

    Returns:
        name → number. benchmarks/fit_verifier.py says of which names more can only be better, or worse.
    """
    numbers = value_evidence(comparison) | order_evidence(comparison)
    numbers["swapped"] = float(bool(swapped_parameters(comparison)))
    numbers |= _query_evidence(comparison) | _function_evidence(comparison) | _meaning_evidence(comparison)
    return numbers if on_cot is None else numbers | reasoning_evidence(comparison, on_cot)


def _query_evidence(comparison: Comparison) -> dict[str, float]:
    """What the query has that no call uses, and whether it asks for as many calls as there are."""
    text, calls, raw = comparison.text, comparison.calls, comparison.text.raw[:_MAX_SCAN]
    more, several = len(_MORE.findall(text.low[:_MAX_SCAN])), len(calls) > 1
    sentences = [0, *(match.end() for match in _SENTENCE_END.finditer(raw)), len(raw)]
    named = {word for name in comparison.names for word in name_words(name) if word not in VERBS}
    return {
        "calls": float(len(calls)),
        "functions": float(len(comparison.names)),
        "tools": log1p(len(comparison.tools)),
        "query_words": log1p(len(text.low.split()) + len(text.low) / 20),
        "sentences": float(len(sentences) - 2),
        "unserved": float(sum(_is_unserved(*span, comparison, named) for span in pairwise(sentences))),
        "unused_numbers": float(len(text.unclaimed("number", "date", "time", "code"))),
        "unused_names": float(sum(text.is_unclaimed(match.span()) for match in _CAPITALISED.finditer(raw))),
        "unused_quotes": float(sum(text.is_unclaimed(match.span()) for match in _QUOTED.finditer(raw))),
        "unused_words": float(len(unused_parameter_words(comparison))),
        "more": float(more),
        "one_for_more": 0.0 if several else float(more),
        "more_than_calls": float(max(0, more + 1 - len(calls))) if several else 0.0,
        "repeated": float(len(calls) - len({repr(call) for call in calls})),
        "missing": float(sum(len(comparison.missing_parameters(c)) for c in calls if c.name in comparison.specs)),
    }


def _is_unserved(start: int, end: int, comparison: Comparison, named: set[str]) -> bool:
    """Whether no call has a value or a word of its function in a sentence."""
    text = comparison.text
    if end - start < 26 or not text.is_unclaimed((start, end)):
        return False
    return not any(start <= at < end for word in named for at, _ in text.words.get(word, ())[:8])


def _function_evidence(comparison: Comparison) -> dict[str, float]:
    """How well the called functions fit the query, by themselves and beside the other tools."""
    words = telling_roots(comparison.text.low[:4000])
    fits = {
        name: root_fit(words, *tool_roots(name, str(tool.get("description"))))
        for name, tool in comparison.tools.items()
    }
    called = [fits[name] for name in comparison.names if name in fits]
    best_other = max((sum(fit) for name, fit in fits.items() if name not in comparison.specs), default=0.0)
    covered: set[str] = set()
    for name, spec in comparison.specs.items():
        covered |= tool_roots(name, str(comparison.tools[name].get("description")))[1]
        parameters = " ".join(f"{param} {declared.get('description')}" for param, declared in spec.parameters.items())
        covered |= _text_roots(parameters[:3000])
    return {
        "name_fit": min((fit[0] for fit in called), default=0.0),
        "text_fit": min((fit[1] for fit in called), default=0.0),
        "best_other": best_other,
        "margin": min((sum(fit) for fit in called), default=0.0) - best_other,
        "query_covered": len(words & covered) / max(1, len(words)),
    }


def _meaning_evidence(comparison: Comparison) -> dict[str, float]:
    """How near the query is in meaning to the called tools, and to the nearest of the others."""
    query = telling_vector(comparison.text.low[:1000])
    near = {
        name: float(query @ tool_vector(name, str(tool.get("description")))) for name, tool in comparison.tools.items()
    }
    called = min((near[name] for name in comparison.names if name in near), default=0.0)
    others = [fit for name, fit in near.items() if name not in comparison.specs]
    return {"means_tool": called, "means_margin": called - max(others, default=0.0)}


@lru_cache(maxsize=8192)
def _text_roots(text: str) -> frozenset[str]:
    return telling_roots(text.lower())
