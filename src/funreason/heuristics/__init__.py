"""Rules beside the judge: what can be said of a row without asking, for each of the five checks.

A verdict here must almost never be wrong: False needs evidence (a broken schema, a value in whose place the query says
another), True needs everything accounted for, and all else is left to the judge. Nothing is evaluated. `reading` reads
the answer, `look` puts it beside a text, `doubts` are what speaks against a True, `rivals` and `wishes` what makes a
False.

In a conversation the query is the user's last message. What was said earlier accounts for a value, but which of several
is meant is the judge's to say; and while a query is being worked off, what is left of it is, too.
"""

import re
from collections import Counter

from funreason.calls import validate
from funreason.core.errors import DataError
from funreason.core.records import Sample
from funreason.heuristics.doubts import (
    TURNS,
    asks_more,
    contradicted,
    ignored,
    invented,
    misplaced,
    not_answered,
    plainly_fits,
    unasked,
    unheard,
)
from funreason.heuristics.look import MAX_CHARACTERS, counted, left_out, look_at, pair, shown, unclear
from funreason.heuristics.reading import STRINGS, parsed, read_calls
from funreason.heuristics.result import HeuristicResult
from funreason.heuristics.rivals import rival
from funreason.heuristics.values import name_parts
from funreason.heuristics.wishes import commanded, unmet, unsaid

_LISTED = re.compile(r"[\s`]*\[\s*[A-Za-z_][\w.]*\(")
_EMBEDDED = re.compile(r"(?<![\w.])[A-Za-z_][\w.]*\((?:\s*['\"]?\w+['\"]?\s*=|\s*\))|\{\s*[\"']name[\"']|```|<\w*call")
_PROSE = re.compile(r"[\"'(]?[^\W\d_][\w'’-]*[,.:;!?]*(?:\s+[\w'’\"(),;:.!?-]+){3}")
_STRAY = re.compile(r"\s[=,()\]]|[=(]\s|^\[\s|''\s*''")
_WIDE = re.compile(r"\s\s|[^\S ]")


def heuristic_result(check: str, sample: Sample) -> HeuristicResult:
    """The verdict of `check`, one of `prompts.CHECKS`, as far as rules can tell."""
    if check not in _RULES:
        raise ValueError(f"no check named {check!r}: allowed are {', '.join(_RULES)}")
    return _RULES[check](sample)


def response(sample: Sample) -> HeuristicResult:
    """A call, however badly written, or plain prose."""
    answer = sample.answer
    if _LISTED.match(answer):
        return HeuristicResult(True, "starts as a list of calls")
    if calls := read_calls(answer):
        return HeuristicResult(True, "reads as calls", {"calls": len(calls)})
    if len(answer) <= MAX_CHARACTERS and _PROSE.match(answer.strip()) and not _EMBEDDED.search(answer):
        return HeuristicResult(False, "prose without a call")
    return unclear("neither a call nor plain prose")


def format(sample: Sample) -> HeuristicResult:
    """`[func(k=v), ...]` to the letter."""
    answer = sample.answer
    calls = parsed(answer)
    if not calls:
        listed = _LISTED.match(answer) or read_calls(answer)
        return HeuristicResult(False, "calls that do not parse") if listed else unclear("no list of calls")
    if not (answer.startswith("[") and answer.endswith("]")):
        return HeuristicResult(False, "not between square brackets")
    bare = STRINGS.sub("''", answer)
    if stray := _STRAY.search(bare):
        return HeuristicResult(False, "stray white space", shown([bare[max(0, stray.start() - 10) : stray.end() + 10]]))
    return unclear("line breaks or wide gaps") if _WIDE.search(bare) else HeuristicResult(True, "as it should be")


def query_tool(sample: Sample) -> HeuristicResult:
    """Whether functions and required values are to be found; the answer is the witness, being wrong is no False."""
    if sample.tools == []:
        return HeuristicResult(False, "there are no tools")
    look = look_at(sample, sample.query, sample.history)
    if isinstance(look, HeuristicResult):
        return look
    if sample.steps:
        return unclear("in the middle of a turn")
    strange = [name for name in look.names if name not in look.specs] + unasked(look)
    told = ("said", "earlier")
    missing = strange + [found.leaf.param for found in look.found if found.leaf.required and found.state not in told]
    missing += [param for call in look.calls if call.name in look.specs for param in left_out(call, look)]
    if not look.before and (gone := unsaid(look, not strange)):
        return HeuristicResult(False, "not in the query", shown(gone))
    if not look.before and (wish := unmet(look)):
        return HeuristicResult(False, "no tool for it", shown([wish]))
    if missing:
        return unclear("not found", missing)
    if (unused := look.text.unused()) or asks_more(look):
        return unclear("perhaps more in the query", unused)
    return HeuristicResult(True, "functions and values are there", counted(look))


def cot(sample: Sample) -> HeuristicResult:
    """Whether the reasoning names the functions and the values of the answer, and no others."""
    look = look_at(sample, sample.cot)
    if isinstance(look, HeuristicResult):
        return look
    text, counts = look.text, Counter(call.name for call in look.calls)
    named = {name: len(text.verbatim(name)) for name in {**look.tools, **counts}}
    lost = [name for name in counts if not named[name] and not all(word in text.words for word in name_parts(name)[1])]
    lost += [pair(leaf) for leaf in look.leaves("absent", "hinted") if contradicted(leaf, look)]
    if lost:
        return HeuristicResult(False, "not in the reasoning", shown(lost))
    few = [name for name, count in counts.items() if named[name] < count]
    if few := few + [pair(leaf) for leaf in look.leaves("hinted", "absent", "default")]:
        return unclear("perhaps not in the reasoning", few)
    others = [name for name, count in named.items() if count and name not in counts] + not_answered(look)
    if others or TURNS.search(text.low):
        return unclear("more in the reasoning than in the answer", others)
    return HeuristicResult(True, "functions and values are in the reasoning", counted(look))


def call(sample: Sample) -> HeuristicResult:
    """Whether the calls fit their tools and the query, and leave nothing of it unused."""
    look = look_at(sample, sample.query, sample.history)
    if isinstance(look, HeuristicResult):
        return look
    try:
        problems = [] if plainly_fits(look) else validate(look.calls, sample.tools)
    except DataError as error:
        return unclear("a tool that cannot be read", [str(error)])
    if problems:
        return HeuristicResult(False, "does not fit the tools", shown(problems))
    if sample.steps:
        return unclear("in the middle of a turn")
    if wrong := [pair(leaf) for leaf in look.leaves("absent") if invented(leaf, look)]:
        return HeuristicResult(False, "not in the query", shown(wrong))
    said = [f"{pair(found.leaf)}, the query: {other}" for found in look.found if (other := rival(found, look))]
    if said:
        return HeuristicResult(False, "another value in the query", shown(said))
    others = [name for name in look.tools if name not in look.specs and look.text.asks(name)]
    unsure = [pair(leaf) for leaf in look.leaves("hinted", "absent")]
    clear = unsure or any(commanded(name, look) for name in others)
    # in a conversation it may take another function first
    if others and clear and not look.before and any(unheard(name, look.text) for name in look.names):
        return HeuristicResult(False, "the query names another function", shown(others))
    unsure += [pair(leaf) for leaf in look.leaves("earlier")]
    if unsure := unsure + unasked(look) + misplaced(look):
        return unclear("perhaps not in the query", unsure)
    unused = look.text.unused() + ignored(look) + others
    if unused or asks_more(look) or TURNS.search(look.text.low):
        return unclear("perhaps more in the query", unused)
    return HeuristicResult(True, "fits the tools and the query", counted(look))


_RULES = {"response": response, "query_tool": query_tool, "cot": cot, "call": call, "format": format}
