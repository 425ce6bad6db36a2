"""What a query wants that cannot be had: a thing that no tool is about, or one for which it lacks a required value.

Both are clear Falses of the query and tool check, and need two witnesses: the answer, which makes something up, and the
query, whose every word is accounted for or which asks for something that no tool's text has a word of.
"""

import json
import re

from funreason.heuristics.doubts import COMMON, unheard
from funreason.heuristics.look import Found, Look, pair
from funreason.heuristics.rivals import made_up
from funreason.heuristics.text import STOP
from funreason.heuristics.values import TOKEN, VERBS, name_parts, name_words, stem

# "search for the jobs": a verb at the start of a wish, an article, a thing.
_WISH = re.compile(
    r"(?:^|\b(?:please|you|me|to|and|then|also)\s)(\w+)\s(?:(?:for|up|at|on|off)\s)?(the|an?|my|our|all)\s(\w+)"
)
_PLAIN = frozenset(
    "today over during under below around about into given due dated finally last named called help some".split()
)
_EMPTY = {stem(word) for word in STOP | COMMON | _PLAIN | frozenset(VERBS)}
_NEAR = 25  # characters between a verb and its object


def unmet(look: Look) -> str | None:
    """A wish of the query that no tool is about; None unless the answer makes up what its function requires."""
    if not _inventions(look) or any(_is_about(tool, look) for tool in look.tools.values()):
        return None
    try:
        known = {stem(word) for word in TOKEN.findall(json.dumps(list(look.tools.values())).lower())}
    except RecursionError:
        return None
    verbs = {other for name in look.names for word in name_words(name) for other in VERBS.get(word, (word,))}
    for wish in _WISH.finditer(look.text.low):
        verb, article, thing = wish.groups()
        # "get a greens" may be another word for what the function is about, "get the greens" names it
        strange = verb in VERBS or stem(verb) not in _EMPTY
        if strange and (verb not in verbs or article == "the") and stem(thing) not in known | _EMPTY:
            return wish[0]
    return None


def unsaid(look: Look, asked: bool) -> list[str]:
    """The required values that the query, which has no word to spare, does not say. `asked`: its function is there."""
    found = _inventions(look)
    spare = look.text.unused() or look.text.free("number", "date", "time", "code") or _spare(look)
    return [pair(one.leaf) for one in found] if asked and found and not spare else []


def commanded(name: str, look: Look) -> bool:
    """Whether the query asks for a function in full: a verb of its meaning right before all its other words."""
    verbs, nouns = name_parts(name)
    words = look.text.words
    if not nouns or not all(noun in words for noun in nouns):
        return False
    ends = [end for verb in verbs for word in VERBS[verb] for _, end in words.get(word, ())]
    ends = ends if verbs else [start for start, _ in words[nouns[0]]]
    return any(0 <= start - end <= _NEAR for end in ends for start, _ in words[nouns[0]])


def _inventions(look: Look) -> list[Found]:
    if not all(str(found.leaf.value).isascii() for found in look.found):
        return []
    return [found for found in look.found if found.leaf.required and made_up(found, look)]


def _is_about(tool: dict, look: Look) -> bool:
    """Whether the query has a word of what a tool is about: of its name, or of its description."""
    told = {word for word in name_words(str(tool.get("description"))[:2000]) if len(word) > 3}
    return not unheard(tool["name"], look.text) or not (told - COMMON - VERBS.keys()).isdisjoint(look.text.words)


def _spare(look: Look) -> list[str]:
    """The words of the query that belong to no value, function or parameter of the calls."""
    named = {word for name in look.names for word in name_words(name)}
    known = named | {other for word in named for other in VERBS.get(word, ())} | _EMPTY
    for spec in look.specs.values():
        for param, declared in spec.parameters.items():
            known.update(name_words(f"{param} {declared.get('description')}"[:500]))
    tokens = [(stem(token[0]), token.span()) for token in TOKEN.finditer(look.text.low)]
    claimed = [not look.text.is_free(span) for _, span in tokens]
    # the word before or behind a value introduces it: "worth 5 dollars"
    beside = [claimed[at] and tokens[at][0] not in named for at in range(len(tokens))]
    return [
        word for at, (word, _) in enumerate(tokens)
        if len(word) > 2 and not claimed[at] and word not in known and not any(beside[max(0, at - 1) : at + 2])
    ]  # fmt: skip
