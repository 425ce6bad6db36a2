"""Gold answers with planted faults of one kind, which a scorer should refuse. No randomness."""

from collections.abc import Callable, Sequence
from typing import Any

from funreason.calls import Call

Calls = Sequence[Call]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _changed(calls: Calls, wanted: Callable[[Any], bool], change: Callable[[Any], Any]) -> list[Call] | None:
    """The calls with every argument of a kind changed; None where no call has one."""
    if not any(wanted(value) for call in calls for value in call.arguments.values()):
        return None
    return [
        Call(call.name, {name: change(value) if wanted(value) else value for name, value in call.arguments.items()})
        for call in calls
    ]


def _left_out(calls: Calls) -> list[Call] | None:
    for number, call in enumerate(calls):
        if len(call.arguments) > 1:
            kept = dict(list(call.arguments.items())[:-1])
            return [*calls[:number], Call(call.name, kept), *calls[number + 1 :]]
    return None


def _renamed(calls: Calls) -> list[Call] | None:
    return [Call(f"{calls[0].name}_other", calls[0].arguments), *calls[1:]] if calls else None


def _added(calls: Calls) -> list[Call] | None:
    return [Call(calls[0].name, {**calls[0].arguments, "not_a_parameter": 1}), *calls[1:]] if calls else None


KINDS: dict[str, Callable[[Calls], list[Call] | None]] = {
    "number": lambda calls: _changed(calls, _number, lambda value: value + 1),
    "boolean": lambda calls: _changed(calls, _boolean, lambda value: not value),
    "padded string": lambda calls: _changed(calls, _text, lambda value: f"not {value} at all"),
    "other string": lambda calls: _changed(calls, _text, lambda value: "something else"),
    "last argument left out": _left_out,
    "argument added": _added,
    "other function": _renamed,
    "call left out": lambda calls: list(calls[:-1]) if len(calls) > 1 else None,
    "call repeated": lambda calls: [*calls, calls[-1]] if calls else None,
}
SENTENCES = (
    '["There is incorrect value ({values}) for the parameters ({names}) in the conversation history.", '
    '"Missing necessary parameters ({values}, {names}) for the api ({names})", '
    '"Due to the limitations of the function, I cannot solve this problem."]'
)  # every diagnosis of ACEBench at once


def every_diagnosis(gold: Any) -> str:
    """A text that makes each of ACEBench's diagnoses, with all names and values of a possible answer."""
    pairs = gold.items() if isinstance(gold, dict) else []
    names = ", ".join(str(name) for name, _ in pairs)
    values = ", ".join(str(value) for _, values in pairs for value in values)
    return SENTENCES.format(names=names, values=values)
