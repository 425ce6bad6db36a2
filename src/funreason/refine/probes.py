"""Probes of a judge: rows that a check should pass, and the same rows with one planted defect that it should fail."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from funreason.calls import Call, CallSyntaxError, parse, render, to_json_schema
from funreason.core.errors import DataError
from funreason.core.records import Sample
from funreason.heuristics import heuristic_result
from funreason.refine.judge import Question

STATEMENT = "I cannot do this with the tools that I have. Please tell me more about what you need."

# A row and another row to borrow from → the row with the defect, or None where it cannot carry it.
Plant = Callable[[Sample, Sample], Sample | None]


@dataclass(frozen=True)
class Probe:
    """A question with a known verdict.

    Attributes:
        question: What the judge is asked.
        sound: The verdict that is right.
        defect: What was planted; "" in a sound row.
    """

    question: Question
    sound: bool
    defect: str = ""


def make_probes(check: str, samples: Sequence[Sample], rows: int) -> list[Probe]:
    """Make probes of rows that the heuristics clearly accept.

    Args:
        check: The name of the check.
        samples: Rows to choose from; the sound ones that can carry a defect are taken in their order.
        rows: How many sound rows at most.

    Returns:
        Two probes per row, the sound one first. The kinds of defects take turns.
    """
    sound = [sample for sample in samples if sample.kind == "call" and heuristic_result(check, sample).value]
    probes: list[Probe] = []
    for at, sample in enumerate(sound):
        if len(probes) >= 2 * rows:
            break
        others = [*sound[at + 1 :], *sound[:at]]
        if planted := _planted(check, sample, others, len(probes) // 2):
            probes += [Probe(Question(check, sample), True), planted]
    return probes


def _planted(check: str, sample: Sample, others: list[Sample], turn: int) -> Probe | None:
    """The row with a defect of the check: the kind whose turn it is, or the next that the row can carry."""
    kinds = list(DEFECTS[check].items())
    for name, plant in kinds[turn % len(kinds) :] + kinds[: turn % len(kinds)]:
        for other in others[:20] or [sample]:
            bad = plant(sample, other)
            if bad is not None:
                return Probe(Question(check, bad), False, name)
    return None


def _calls(sample: Sample) -> list[Call]:
    try:
        return parse(sample.answer)
    except CallSyntaxError:
        return []


def _with_calls(sample: Sample, calls: list[Call]) -> Sample | None:
    try:
        answer = render(calls)
    except DataError:
        return None
    return replace(sample, answer=answer) if answer != sample.answer else None


def _as_statement(sample: Sample, _: Sample) -> Sample:
    return replace(sample, answer=STATEMENT)


def _without_tool(sample: Sample, other: Sample) -> Sample | None:
    """The tools of another row, without those that the answer calls."""
    called = {call.name for call in _calls(sample)}
    tools = [tool for tool in [*sample.tools, *other.tools] if tool["name"] not in called]
    return replace(sample, tools=tools) if called and tools else None


def _other_reasoning(sample: Sample, other: Sample) -> Sample | None:
    """The reasoning of a row that calls other functions."""
    apart = {call.name for call in _calls(sample)}.isdisjoint(call.name for call in _calls(other))
    return replace(sample, cot=other.cot) if apart and other.cot else None


def _wrong_value(sample: Sample, other: Sample) -> Sample | None:
    """One value replaced by another of its kind, which the query does not name."""
    calls = _calls(sample)
    for at, call in enumerate(calls):
        for name, value in call.arguments.items():
            wrong = _another(value, other)
            if wrong is not None and str(wrong).lower() not in sample.query.lower():
                changed = Call(call.name, call.arguments | {name: wrong})
                return _with_calls(sample, [*calls[:at], changed, *calls[at + 1 :]])
    return None


def _another(value: Any, other: Sample) -> Any:
    """Another value of the same type: a number one higher and ten times as large, a text of the other row."""
    if isinstance(value, bool):
        return None  # which one is right is often open
    if isinstance(value, int | float):
        return value * 10 + 1
    if isinstance(value, str) and value:
        texts = (text for call in _calls(other) for text in call.arguments.values() if isinstance(text, str))
        return next((text for text in texts if text and text.lower() != value.lower()), None)
    return None


def _missing_argument(sample: Sample, _: Sample) -> Sample | None:
    """A required argument left out."""
    calls = _calls(sample)
    for at, call in enumerate(calls):
        for name in _required(sample.tools, call.name):
            if name in call.arguments:
                rest = {key: value for key, value in call.arguments.items() if key != name}
                return _with_calls(sample, [*calls[:at], Call(call.name, rest), *calls[at + 1 :]])
    return None


def _required(tools: list[dict[str, Any]], name: str) -> list[str]:
    tool = next((tool for tool in tools if tool["name"] == name), None)
    return to_json_schema(tool).get("required", []) if tool else []


def _wrong_function(sample: Sample, _: Sample) -> Sample | None:
    """The first call's function replaced by a tool that is not called."""
    calls = _calls(sample)
    called = {call.name for call in calls}
    others = [tool["name"] for tool in sample.tools if tool["name"] not in called]
    return _with_calls(sample, [Call(others[0], calls[0].arguments), *calls[1:]]) if calls and others else None


def _spaced(sample: Sample, _: Sample) -> Sample | None:
    return replace(sample, answer=f"[ {sample.answer[1:]}") if sample.answer.startswith("[") else None


def _quoted_names(sample: Sample, _: Sample) -> Sample | None:
    """Quotes around the names of parameters."""
    return _rewritten(sample, lambda name, value: f"'{name}'={value!r}")


def _bare_texts(sample: Sample, _: Sample) -> Sample | None:
    """No quotes around texts."""
    return _rewritten(sample, lambda name, value: f"{name}={value if isinstance(value, str) else repr(value)}")


def _rewritten(sample: Sample, write: Callable[[str, Any], str]) -> Sample | None:
    calls = [
        f"{call.name}({', '.join(write(name, value) for name, value in call.arguments.items())})"
        for call in _calls(sample)
    ]
    answer = f"[{', '.join(calls)}]"
    return replace(sample, answer=answer) if answer != sample.answer else None


DEFECTS: dict[str, dict[str, Plant]] = {
    "response": {"statement": _as_statement},
    "query_tool": {"tool_missing": _without_tool},
    "cot": {"other_reasoning": _other_reasoning},
    "call": {"wrong_value": _wrong_value, "wrong_function": _wrong_function, "argument_missing": _missing_argument},
    "format": {"space": _spaced, "quoted_names": _quoted_names, "bare_texts": _bare_texts},
}


def spread(samples: Sequence[Sample], number: int) -> Iterator[Sample]:
    """Rows of all sizes: evenly spaced in the order of calls, tools and length, `number` at most."""
    ordered = sorted(samples, key=lambda sample: (len(_calls(sample)), len(sample.tools), len(sample.query)))
    step = max(1.0, len(ordered) / number)
    for at in range(min(number, len(ordered))):
        yield ordered[int(at * step)]
