"""The calls of an answer put beside a text: for each of its values whether, and where, the text says it."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from funreason.calls import Call, to_bfcl, to_json_schema
from funreason.core.errors import DataError
from funreason.core.records import Sample
from funreason.heuristics.reading import read_calls
from funreason.heuristics.result import HeuristicResult
from funreason.heuristics.text import Place, Text
from funreason.heuristics.values import flags, name_words

# What is looked through at most; beyond that a row is left to the judge.
MAX_CHARACTERS = 100_000  # of a text: as many as `calls.parse` reads
MAX_LEAVES = 100
MAX_NAME = 200


class Spec(NamedTuple):
    """What a tool declares: its parameters by name, and which of them are required."""

    parameters: dict[str, dict]
    required: frozenset[str]


class Leaf(NamedTuple):
    """One scalar of an answer; `key`: it names an entry of a dict; an empty list or dict stands as None."""

    call: int
    param: str
    value: str | int | float | bool | None
    key: bool
    required: bool
    default: bool


class Found(NamedTuple):
    """What a text says of a leaf: said, default (unsaid, but what the tool assumes), earlier (said in the conversation
    before it), hinted (perhaps) or absent.
    """

    leaf: Leaf
    state: str
    place: Place | None


@dataclass
class Look:
    """The calls of a row against one of its texts; `specs` are those of the called tools, `before` is what was said
    earlier in the conversation, and what was called; empty where there is none.
    """

    text: Text
    tools: dict[str, dict]
    calls: list[Call]
    specs: dict[str, Spec]
    found: list[Found]
    before: tuple[Text, ...] = ()

    def implies(self, value: str | int | float) -> bool:
        return any(text.implies(value) for text in (self.text, *self.before))

    def leaves(self, *states: str) -> list[Leaf]:
        return [found.leaf for found in self.found if found.state in states]

    def declared(self, leaf: Leaf) -> dict:
        spec = self.specs.get(self.calls[leaf.call].name)
        return spec.parameters.get(leaf.param, {}) if spec else {}

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(call.name for call in self.calls))


def look_at(sample: Sample, text: str, history: Sequence[dict] = ()) -> Look | HeuristicResult:
    """The answer of a row against `text`, or why there is nothing to look at; `history` are the messages before it."""
    tools, said = sample.tools, sum(len(message["content"]) for message in history)
    if max(len(text), said, len(sample.answer)) > MAX_CHARACTERS:
        return unclear("too long to look through")
    if not isinstance(tools, list) or not all(isinstance(t, dict) and isinstance(t.get("name"), str) for t in tools):
        return unclear("tools that cannot be read")
    calls = read_calls(sample.answer)
    if not calls:
        return unclear("no calls to be read")
    by_name = {tool["name"]: tool for tool in reversed(tools)}
    names = [*by_name, *(name for call in calls for name in (call.name, *call.arguments))]
    if max(map(len, names)) > MAX_NAME:
        return unclear("names too long to look for")
    try:
        specs = {call.name: _declared(by_name[call.name]) for call in calls if call.name in by_name}
    except (DataError, RecursionError) as error:
        return unclear("a tool that cannot be read", [str(error)])
    leaves = [leaf for number, call in enumerate(calls) for leaf in _leaves(number, call, specs.get(call.name))]
    if len(leaves) > MAX_LEAVES:
        return unclear("too many values to look through")
    indexed, before = Text(text), _before(history)
    return Look(indexed, by_name, calls, specs, _placed(leaves, indexed, before), before)


def _before(history: Sequence[dict]) -> tuple[Text, ...]:
    """What was said in the messages, and what was called in them: a call may have made something up."""
    texts = {True: [], False: []}
    for message in history:
        texts[message["role"] == "assistant" and bool(read_calls(message["content"]))].append(message["content"])
    return (Text("\n".join(texts[False])), Text("\n".join(texts[True]))) if history else ()


def _declared(tool: dict) -> Spec:
    """A tool's declaration; kept by the tool's text, since the same tools come again and again, unless it is huge."""
    text = json.dumps(tool)
    return _spec(text) if len(text) < 20_000 else _spec.__wrapped__(text)


@lru_cache(maxsize=4096)
def _spec(tool_text: str) -> Spec:
    tool = json.loads(tool_text)
    to_json_schema(tool)  # raises where the tool is no schema
    declared = to_bfcl(tool)["parameters"]
    parameters = {key: spec if isinstance(spec, dict) else {} for key, spec in declared["properties"].items()}
    required = declared.get("required")
    return Spec(parameters, frozenset(required if isinstance(required, list) else ()))


def _leaves(number: int, call: Call, spec: Spec | None) -> list[Leaf]:
    out = []
    for param, value in call.arguments.items():
        declared = spec.parameters.get(param, {}) if spec else {}
        default = "default" in declared and repr(declared["default"]) == repr(value)
        required = spec is None or param in spec.required
        out += [Leaf(number, param, scalar, key, required, default) for scalar, key in _scalars(value)]
    return out


def _scalars(value: object) -> list[tuple[object, bool]]:
    """(scalar, whether it is a dict's key) for all that a value holds; nothing at all counts as None."""
    if isinstance(value, dict) and value:
        return [pair for key, item in value.items() for pair in [(key, True), *_scalars(item)]]
    if isinstance(value, (list, tuple)) and value:
        return [pair for item in value for pair in _scalars(item)]
    return [(value if isinstance(value, (str, int, float)) else None, False)]


def _placed(leaves: list[Leaf], text: Text, before: tuple[Text, ...]) -> list[Found]:
    """Each leaf with its place, the longest first. What all calls have alike may be said once; not a truth value."""
    found, known, seen, given = [], {}, Counter(), {}
    for leaf in leaves:
        given.setdefault(leaf.param, {}).setdefault(leaf.call, []).append(leaf.value)
    alike = {param: all(value == next(iter(of.values())) for value in of.values()) for param, of in given.items()}
    for leaf in sorted(leaves, key=lambda leaf: -len(str(leaf.value))):
        said = (leaf.param, type(leaf.value), leaf.value)
        seen[said, leaf.call] += 1
        shared = alike[leaf.param] and not isinstance(leaf.value, bool)
        nth = (*said, seen[said, leaf.call], None if shared else leaf.call)
        if nth not in known:
            known[nth] = _in_conversation(leaf, before, *_state(leaf, text))
        found.append(Found(leaf, *known[nth]))
    return found


def _state(leaf: Leaf, text: Text) -> tuple[str, Place | None]:
    """The state of a leaf and the place that it claims."""
    if isinstance(leaf.value, bool) or leaf.value is None:
        said = flags(text.low, leaf.param)
        if place := text.claim([(start, end) for start, end, value in said if value is leaf.value is not None]):
            return "said", place
        named = said or any(word in text.words for word in name_words(leaf.param) if len(word) > 3)
        return "default" if leaf.default and not named else "hinted", None
    places = text.places(leaf.value)
    if place := text.claim(places):
        return "said", place
    if leaf.default:
        return "default", None
    return "hinted" if places or text.hints(leaf.value) else "absent", None


def _in_conversation(leaf: Leaf, before: tuple[Text, ...], state: str, place: Place | None) -> tuple[str, Place | None]:
    """What the text leaves open may have been said before; nothing is claimed there, for it may be meant again."""
    if not before or state not in ("hinted", "absent"):
        return state, place
    said, called = before
    if isinstance(leaf.value, bool) or leaf.value is None:
        told = any(value is leaf.value for _, _, value in flags(said.low, leaf.param))
        return "earlier" if told else state, None
    if said.places(leaf.value):
        return "earlier", None
    hinted = called.places(leaf.value) or any(text.hints(leaf.value) for text in before)
    return "hinted" if hinted else state, None


def left_out(call: Call, look: Look) -> frozenset[str]:
    """The required parameters that a call does not give."""
    return look.specs[call.name].required - call.arguments.keys()


def unclear(reason: str, things: list[str] | None = None) -> HeuristicResult:
    return HeuristicResult(None, reason, shown(things or []))


def shown(things: list[str]) -> dict:
    """The first few of `things`, shortened and in ASCII: half a surrogate pair cannot be written."""
    return {"seen": [ascii(thing)[1:-1][:120] for thing in things[:4]], "count": len(things)} if things else {}


def counted(look: Look) -> dict:
    return {"calls": len(look.calls), "values": len(look.found), "defaults": len(look.leaves("default"))}


def pair(leaf: Leaf) -> str:
    return f"{leaf.param}={leaf.value!r:.60}"
