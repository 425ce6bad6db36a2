"""Compares the calls of an answer with a text: whether, and where, the text states each of their values."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from funreason.calls import Call, to_bfcl, to_json_schema
from funreason.core.errors import DataError
from funreason.core.records import Sample
from funreason.heuristics.lenient_parser import lenient_calls
from funreason.heuristics.result import HeuristicResult, unclear
from funreason.heuristics.text import Place, Text
from funreason.heuristics.words import boolean_mentions, name_words

# Limits of what is searched; a row beyond them is left to the judge.
MAX_CHARACTERS = 100_000  # of a text: as many as `calls.parse` reads
MAX_SCALARS = 100
MAX_NAME = 200

State = Literal["stated", "default", "earlier", "hinted", "absent"]


class ToolSpec(NamedTuple):
    """What a tool declares: its parameters in BFCL's form by name, and which of them are required."""

    parameters: dict[str, dict[str, Any]]
    required: frozenset[str]


class Scalar(NamedTuple):
    """One scalar of the arguments of an answer.

    Attributes:
        call: The index of its call.
        param: The name of the parameter that holds it, at any depth.
        value: A text, number or truth value, or None (an empty list or dict counts as None).
        is_key: Whether it is a key of a dict.
        required: Whether the parameter is required.
        is_default: Whether the argument equals the default that the tool declares.
    """

    call: int
    param: str
    value: Any
    is_key: bool
    required: bool
    is_default: bool

    def __str__(self) -> str:
        return f"{self.param}={self.value!r:.60}"


class ScalarMatch(NamedTuple):
    """How a text accounts for a scalar.

    Attributes:
        scalar: The scalar.
        state: stated, default (not stated, but the tool's default), earlier (stated in an earlier message), hinted
            (perhaps stated) or absent.
        place: The place in the text that states it, where it is stated.
    """

    scalar: Scalar
    state: State
    place: Place | None


@dataclass(eq=False)  # hashed by identity
class Comparison:
    """The calls of a row compared with one of its texts.

    Attributes:
        text: The text.
        tools: The tools by name.
        calls: The calls of the answer.
        specs: What the called tools declare, by name.
        matches: How the text accounts for each scalar of the calls, the longest first.
        earlier: Earlier in the conversation: what was stated, and what was called. Empty where there is no history.
    """

    text: Text
    tools: dict[str, dict[str, Any]]
    calls: list[Call]
    specs: dict[str, ToolSpec]
    matches: list[ScalarMatch]
    earlier: tuple[Text, ...] = ()

    def may_imply(self, value: str | int | float) -> bool:
        """Whether a number or a date may follow from what the text, or an earlier message, states."""
        return any(text.may_imply(value) for text in (self.text, *self.earlier))

    def scalars(self, *states: State) -> list[Scalar]:
        """The scalars in these states."""
        return [match.scalar for match in self.matches if match.state in states]

    def declared(self, scalar: Scalar) -> dict[str, Any]:
        """What the tool declares of the parameter of a scalar; empty where it declares nothing."""
        spec = self.specs.get(self.calls[scalar.call].name)
        return spec.parameters.get(scalar.param, {}) if spec else {}

    def missing_parameters(self, call: Call) -> list[str]:
        """The required parameters that a call of a known tool lacks, sorted."""
        return sorted(self.specs[call.name].required - call.arguments.keys())

    @property
    def names(self) -> list[str]:
        """The names of the called functions, each once."""
        return list(dict.fromkeys(call.name for call in self.calls))

    @property
    def counts(self) -> dict[str, int]:
        """How many calls, values and defaults were compared, for the evidence."""
        return {"calls": len(self.calls), "values": len(self.matches), "defaults": len(self.scalars("default"))}


def compare(sample: Sample, text: str, history: Sequence[dict[str, Any]] = ()) -> Comparison | HeuristicResult:
    """Compare the answer of a row with a text.

    Args:
        sample: The row, with its answer and tools.
        text: The text that should account for the answer: the query or the reasoning.
        history: The messages before the text, each `{"role", "content"}`.

    Returns:
        The comparison, or an unclear result where the row cannot be compared.
    """
    tools, of_history = sample.tools, sum(len(message["content"]) for message in history)
    if max(len(text), of_history, len(sample.answer)) > MAX_CHARACTERS:
        return unclear("the row is too long to search")
    if not isinstance(tools, list) or not all(isinstance(t, dict) and isinstance(t.get("name"), str) for t in tools):
        return unclear("the tools cannot be read")
    calls = lenient_calls(sample.answer)
    if not calls:
        return unclear("the answer has no readable calls")
    by_name = {tool["name"]: tool for tool in reversed(tools)}
    names = [*by_name, *(name for call in calls for name in (call.name, *call.arguments))]
    if max(map(len, names)) > MAX_NAME:
        return unclear("a name is too long to search")
    try:
        specs = {call.name: _tool_spec(by_name[call.name]) for call in calls if call.name in by_name}
    except (DataError, RecursionError) as error:
        return unclear("a tool cannot be read", [str(error)])
    scalars = [scalar for index, call in enumerate(calls) for scalar in _scalars(index, call, specs.get(call.name))]
    if len(scalars) > MAX_SCALARS:
        return unclear("the answer has too many values to search")
    indexed, earlier = Text(text), _earlier_texts(history)
    return Comparison(indexed, by_name, calls, specs, _matches(scalars, indexed, earlier), earlier)


def compare_with(comparison: Comparison, text: str) -> Comparison:
    """The same calls compared with another text."""
    indexed, scalars = Text(text), [match.scalar for match in comparison.matches]
    return replace(comparison, text=indexed, matches=_matches(scalars, indexed, ()), earlier=())


def _earlier_texts(history: Sequence[dict[str, Any]]) -> tuple[Text, ...]:
    """What the messages state, and apart from it what was called in them: a call may have made something up."""
    if not history:
        return ()
    stated: list[str] = []
    called: list[str] = []
    for message in history:
        is_call = message["role"] == "assistant" and bool(lenient_calls(message["content"]))
        (called if is_call else stated).append(message["content"])
    return Text("\n".join(stated)), Text("\n".join(called))


def _tool_spec(tool: dict[str, Any]) -> ToolSpec:
    """What a tool declares. Cached by the tool's text unless it is huge: the same tools occur again and again."""
    text = json.dumps(tool)
    return _spec_of_text(text) if len(text) < 20_000 else _spec_of_text.__wrapped__(text)


@lru_cache(maxsize=4096)
def _spec_of_text(tool_text: str) -> ToolSpec:
    tool = json.loads(tool_text)
    to_json_schema(tool)  # raises where the tool is not a schema
    declared = to_bfcl(tool)["parameters"]
    parameters = {key: spec if isinstance(spec, dict) else {} for key, spec in declared["properties"].items()}
    required = declared.get("required")
    return ToolSpec(parameters, frozenset(required if isinstance(required, list) else ()))


def _scalars(index: int, call: Call, spec: ToolSpec | None) -> list[Scalar]:
    """The scalars of one call's arguments."""
    scalars = []
    for param, value in call.arguments.items():
        declared = spec.parameters.get(param, {}) if spec else {}
        is_default = "default" in declared and repr(declared["default"]) == repr(value)
        required = spec is None or param in spec.required
        known = declared_keys(declared)  # validated; nobody states them
        parts = [(part, is_key) for part, is_key in _parts(value) if not (is_key and part in known)]
        scalars += [Scalar(index, param, part, is_key, required, is_default) for part, is_key in parts]
    return scalars


def declared_keys(declared: dict[str, Any]) -> set[str]:
    """The names of all properties that a parameter declares, at any depth."""
    keys: set[str] = set()
    todo: list[Any] = [declared]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            if isinstance(properties := node.get("properties"), dict):
                keys.update(properties)
                todo += properties.values()
            todo.append(node.get("items"))
    return keys


def _parts(value: Any) -> list[tuple[Any, bool]]:
    """(scalar, whether it is a key of a dict) for all that an argument holds; an empty list or dict counts as None."""
    if isinstance(value, dict) and value:
        return [part for key, item in value.items() for part in [(key, True), *_parts(item)]]
    if isinstance(value, (list, tuple)) and value:
        return [part for item in value for part in _parts(item)]
    return [(value if isinstance(value, (str, int, float)) else None, False)]


def _matches(scalars: list[Scalar], text: Text, earlier: tuple[Text, ...]) -> list[ScalarMatch]:
    """Match each scalar, the longest first. The text may state once what all calls share, except a truth value."""
    by_param: dict[str, dict[int, list[Any]]] = {}
    for scalar in scalars:
        by_param.setdefault(scalar.param, {}).setdefault(scalar.call, []).append(scalar.value)
    shared = {param: all(v == next(iter(of.values())) for v in of.values()) for param, of in by_param.items()}
    matches: list[ScalarMatch] = []
    known: dict[tuple[Any, ...], tuple[State, Place | None]] = {}
    seen: Counter[tuple[Any, ...]] = Counter()
    for scalar in sorted(scalars, key=lambda scalar: -len(str(scalar.value))):
        identity = (scalar.param, type(scalar.value), scalar.value)
        seen[identity, scalar.call] += 1
        is_shared = shared[scalar.param] and not isinstance(scalar.value, bool)
        nth = (*identity, seen[identity, scalar.call], None if is_shared else scalar.call)
        if nth not in known:
            known[nth] = _with_history(scalar, earlier, *_state(scalar, text))
        matches.append(ScalarMatch(scalar, *known[nth]))
    return matches


def _state(scalar: Scalar, text: Text) -> tuple[State, Place | None]:
    """The state of a scalar in the text, and the place that it claims."""
    if isinstance(scalar.value, bool) or scalar.value is None:
        mentions = boolean_mentions(text.low, scalar.param)
        equal = [(start, end) for start, end, value in mentions if value is scalar.value is not None]
        if place := text.claim(equal):
            return "stated", place
        mentioned = mentions or any(word in text.words for word in name_words(scalar.param) if len(word) > 3)
        return "default" if scalar.is_default and not mentioned else "hinted", None
    places = text.places(scalar.value)
    if place := text.claim(places):
        return "stated", place
    if scalar.is_default:
        return "default", None
    return "hinted" if places or text.may_state(scalar.value) else "absent", None


def _with_history(
    scalar: Scalar, earlier: tuple[Text, ...], state: State, place: Place | None
) -> tuple[State, Place | None]:
    """The state in view of the earlier messages. Nothing is claimed in them: a value may be meant again."""
    if not earlier or state not in ("hinted", "absent"):
        return state, place
    stated, called = earlier
    if isinstance(scalar.value, bool) or scalar.value is None:
        mentioned = any(value is scalar.value for _, _, value in boolean_mentions(stated.low, scalar.param))
        return "earlier" if mentioned else state, None
    if stated.places(scalar.value):
        return "earlier", None
    hinted = called.places(scalar.value) or any(text.may_state(scalar.value) for text in earlier)
    return "hinted" if hinted else state, None
