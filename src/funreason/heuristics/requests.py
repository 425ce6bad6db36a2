"""What a query requests: a function, a thing that no tool is about, or an action for which it lacks a required value.

The last two are clear Falses of the query and tool check. They need two pieces of evidence: the answer makes up a
value, and the query has no word left that could state it, or asks for something that is in no tool's text.
"""

import json
import re
from typing import Any

from funreason.heuristics.comparison import Comparison, ScalarMatch
from funreason.heuristics.contradictions import is_made_up
from funreason.heuristics.words import COMMON_WORDS, STOP_WORDS, TOKEN, VERBS, name_parts, name_words, stem

# "search for the jobs": a verb at the start of a request, an article, a thing.
_REQUEST = re.compile(
    r"(?:^|\b(?:please|you|me|to|and|then|also)\s)(\w+)\s(?:(?:for|up|at|on|off)\s)?(the|an?|my|our|all)\s(\w+(?:\s\w+){0,2})"
)
_FILLERS = frozenset(
    "today over during under below around about into given due dated finally last named called help some".split()
)
_EMPTY_WORDS = {stem(word) for word in STOP_WORDS | COMMON_WORDS | _FILLERS | frozenset(VERBS)}
_NEAR = 25  # characters between a verb and its object


def request_without_tool(comparison: Comparison) -> str | None:
    """A request that no tool is about; None unless the answer makes up a value that its function requires."""
    if not _made_up_required(comparison) or any(_is_about(tool, comparison) for tool in comparison.tools.values()):
        return None
    try:
        known = {stem(word) for word in TOKEN.findall(json.dumps(list(comparison.tools.values())).lower())}
    except RecursionError:
        return None
    verbs = {other for name in comparison.names for word in name_words(name) for other in VERBS.get(word, (word,))}
    for request in _REQUEST.finditer(comparison.text.low):
        verb, article, thing = request.groups()
        # "get a greens" may be another word for what the function is about, "get the greens" names it
        is_request = verb in VERBS or stem(verb) not in _EMPTY_WORDS
        words = {stem(word) for word in thing.split()}
        if is_request and (verb not in verbs or article == "the") and words.isdisjoint(known) and words - _EMPTY_WORDS:
            return request[0]
    return None


def unstated_required_values(comparison: Comparison) -> list[str]:
    """The required values that the answer makes up, if the query has no word left that could state them."""
    text = comparison.text
    if text.unclaimed_texts() or text.unclaimed("number", "date", "time", "code") or _unexplained_words(comparison):
        return []
    return [str(match.scalar) for match in _made_up_required(comparison)]


def requests_function(name: str, comparison: Comparison) -> bool:
    """Whether the query asks for a function in full: a verb of its meaning right before all its other words."""
    verbs, nouns = name_parts(name)
    words = comparison.text.words
    if not nouns or not all(noun in words for noun in nouns):
        return False
    ends = [end for verb in verbs for word in VERBS[verb] for _, end in words.get(word, ())]
    ends = ends if verbs else [start for start, _ in words[nouns[0]]]
    return any(0 <= start - end <= _NEAR for end in ends for start, _ in words[nouns[0]])


def _made_up_required(comparison: Comparison) -> list[ScalarMatch]:
    if not all(str(match.scalar.value).isascii() for match in comparison.matches):
        return []
    return [match for match in comparison.matches if match.scalar.required and is_made_up(match, comparison)]


def _is_about(tool: dict[str, Any], comparison: Comparison) -> bool:
    """Whether the query has a word of what a tool is about: of its name, or of its description."""
    text = comparison.text
    described = {word for word in name_words(str(tool.get("description"))[:2000]) if len(word) > 3}
    telling = described - COMMON_WORDS - VERBS.keys()
    return not text.lacks_function(tool["name"]) or not telling.isdisjoint(text.words)


def _unexplained_words(comparison: Comparison) -> list[str]:
    """The words of the query that belong to no value, function or parameter of the calls."""
    named = {word for name in comparison.names for word in name_words(name)}
    known = named | {other for word in named for other in VERBS.get(word, ())} | _EMPTY_WORDS
    for spec in comparison.specs.values():
        for param, declared in spec.parameters.items():
            known.update(name_words(f"{param} {declared.get('description')}"[:500]))
    tokens = [(stem(token[0]), token.span()) for token in TOKEN.finditer(comparison.text.low)]
    claimed = [not comparison.text.is_unclaimed(span) for _, span in tokens]
    # the word before or behind a value introduces it: "worth 5 dollars"
    beside = [claimed[at] and tokens[at][0] not in named for at in range(len(tokens))]
    return [
        word for at, (word, _) in enumerate(tokens)
        if len(word) > 2 and not claimed[at] and word not in known and not any(beside[max(0, at - 1) : at + 2])
    ]  # fmt: skip
