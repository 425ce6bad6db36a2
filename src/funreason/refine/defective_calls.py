"""Plants one defect in the calls of a sound row.

Each kind takes a row, a donor (another row, for foreign values and texts) and a random generator, and returns the row
with the defect, or None where the row has no place for it. Answers are read and written by `funreason.calls`, so that a
row differs in its defect only.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any

from funreason.calls import Call, parse, render, to_bfcl
from funreason.core.errors import DataError
from funreason.core.records import Sample

Plant = Callable[[Sample, Sample, Random], Sample | None]


def _declared(sample: Sample) -> dict[str, dict[str, Any]]:
    """The parameters of each tool that can be read, by its name."""
    declared = {}
    for tool in sample.tools:
        with suppress(DataError):
            declared[tool["name"]] = to_bfcl(tool)["parameters"]
    return declared


def _slots(sample: Sample, kinds: type | tuple[type, ...]) -> tuple[list[Call], list[tuple[int, str]]]:
    """The calls, and the (call, parameter) pairs whose value is of these types."""
    calls = deepcopy(parse(sample.answer))
    slots = [(n, key) for n, call in enumerate(calls) for key, value in call.arguments.items()]
    return calls, [(n, key) for n, key in slots if isinstance(calls[n].arguments[key], kinds)
                   and not isinstance(calls[n].arguments[key], bool)]  # fmt: skip


def _with(sample: Sample, calls: list[Call]) -> Sample | None:
    """The row with these calls, None where one of their names cannot be written."""
    try:
        return replace(sample, answer=render(calls))
    except DataError:
        return None


def wrong_type(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """A number or a list written as a text."""
    calls, slots = _slots(sample, (int, float, list))
    if not slots:
        return None
    n, key = rng.choice(slots)
    calls[n].arguments[key] = f"{calls[n].arguments[key]}"
    return _with(sample, calls)


def required_left_out(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """A required argument left out."""
    calls, declared = deepcopy(parse(sample.answer)), _declared(sample)
    slots = [(n, key) for n, call in enumerate(calls) for key in declared[call.name].get("required", ())
             if key in call.arguments]  # fmt: skip
    if not slots:
        return None
    n, key = rng.choice(slots)
    del calls[n].arguments[key]
    return _with(sample, calls)


def wrong_value(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """A text of another row in the place of a text that the query states."""
    calls, slots = _slots(sample, str)
    donor_calls, donor_slots = _slots(donor, str)
    slots = [(n, key) for n, key in slots if calls[n].arguments[key].lower() in sample.query.lower()]
    foreign = [donor_calls[n].arguments[key] for n, key in donor_slots]
    foreign = [text for text in foreign if len(text) > 2 and text.lower() not in sample.query.lower()]
    if not (slots and foreign):
        return None
    n, key = rng.choice(slots)
    calls[n].arguments[key] = rng.choice(foreign)
    return _with(sample, calls)


def wrong_number(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """A number that the query states, changed."""
    calls, slots = _slots(sample, (int, float))
    slots = [(n, key) for n, key in slots if re.search(rf"\b{calls[n].arguments[key]}\b", sample.query)]
    if not slots:
        return None
    n, key = rng.choice(slots)
    value = calls[n].arguments[key]
    calls[n].arguments[key] = rng.choice([value + rng.randint(1, 9), value * 10, value * 100, value + 1])
    return _with(sample, calls) if calls[n].arguments[key] != value else None


def wrong_function(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """Another tool of the row, with the values that fit it and foreign ones for the others that it requires."""
    calls, declared = deepcopy(parse(sample.answer)), _declared(sample)
    others = sorted(declared.keys() - {call.name for call in calls})
    if not others:
        return None
    n, name = rng.randrange(len(calls)), rng.choice(others)
    values, foreign = list(calls[n].arguments.values()), list(parse(donor.answer)[0].arguments.values())
    properties, required = declared[name]["properties"], declared[name].get("required", ())
    arguments = {key: _fitting(properties[key], values) or _fitting(properties[key], foreign) for key in required}
    calls[n] = Call(name, {key: value for key, value in arguments.items() if value is not None})
    return _with(sample, calls)


def _fitting(declared: dict[str, Any], values: list[Any]) -> Any:
    kinds: dict[str, Any] = {
        "string": str,
        "integer": int,
        "float": (int, float),
        "number": (int, float),
        "array": list,
        "dict": dict,
    }
    kind = kinds.get(declared.get("type", ""), str)
    if enum := declared.get("enum"):
        return enum[0]
    return next((value for value in values if isinstance(value, kind) and not isinstance(value, bool)), None)


def value_not_in_query(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """A required value cut out of the query: no answer could know it."""
    calls, slots = _slots(sample, (str, int, float))
    declared = _declared(sample)
    stated = []
    for n, key in slots:
        text = str(calls[n].arguments[key])
        places = [m.span() for m in re.finditer(rf"(?<![\w.,]){re.escape(text)}(?![\w]|[.,]\d)", sample.query, re.I)]
        if len(text) > 1 and len(places) == 1 and key in declared[calls[n].name].get("required", ()):
            stated.append(places[0])
    if not stated:
        return None
    start, end = rng.choice(stated)
    query = sample.query[:start].rstrip("\"'“‘「《 $") + " " + sample.query[end:].lstrip("\"'”’」》 ")
    return replace(sample, query=query)


def swapped_values(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """Two values of a call in the place of each other."""
    calls, slots = _slots(sample, (str, int, float))
    pairs = []
    for a in slots:
        for b in slots:
            value, other = calls[a[0]].arguments[a[1]], calls[b[0]].arguments[b[1]]
            if a[0] == b[0] and a < b and value != other and isinstance(value, str) == isinstance(other, str):
                pairs.append((a, b))
    if not pairs:
        return None
    (n, left), (_, right) = rng.choice(pairs)
    arguments = calls[n].arguments
    arguments[left], arguments[right] = arguments[right], arguments[left]
    return _with(sample, calls)


def invented_argument(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """An optional parameter that nobody asked for, with a value of its type from elsewhere."""
    calls, declared = deepcopy(parse(sample.answer)), _declared(sample)
    foreign = list(parse(donor.answer)[0].arguments.values())
    slots = []
    for n, call in enumerate(calls):
        properties, required = declared[call.name]["properties"], declared[call.name].get("required", ())
        for key, spec in properties.items():
            value = True if spec.get("type") == "boolean" else _fitting(spec, foreign)
            unstated = not isinstance(value, str) or value.lower() not in sample.query.lower()
            if (
                key not in call.arguments
                and key not in required
                and unstated
                and value not in (None, spec.get("default"))
            ):
                slots.append((n, key, value))
    if not slots:
        return None
    n, key, value = rng.choice(slots)
    calls[n].arguments[key] = value
    return _with(sample, calls)


def unknown_argument(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """An argument that the tool does not declare."""
    calls, declared = deepcopy(parse(sample.answer)), _declared(sample)
    call, foreign = rng.choice(calls), parse(donor.answer)[0].arguments
    names = [key for key in foreign if key not in declared[call.name]["properties"]]
    if not names:
        return None
    call.arguments[names[0]] = foreign[names[0]]
    return _with(sample, calls)


def dropped_call(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """One of several calls left out."""
    calls = parse(sample.answer)
    if len(calls) < 2:
        return None
    at = rng.randrange(len(calls))
    return _with(sample, calls[:at] + calls[at + 1 :])


def repeated_call(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """A call that is made twice."""
    calls = parse(sample.answer)
    return _with(sample, [*calls, rng.choice(calls)])


def truncated_text(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """A text that the query states, cut off in the middle."""
    calls, slots = _slots(sample, str)
    texts = {(n, key): calls[n].arguments[key] for n, key in slots}
    slots = [slot for slot in slots if len(texts[slot]) > 5 and texts[slot].lower() in sample.query.lower()]
    if not slots:
        return None
    n, key = rng.choice(slots)
    value = calls[n].arguments[key]
    calls[n].arguments[key] = value[: rng.randint(len(value) // 2, len(value) - 2)].rstrip()
    return _with(sample, calls)


def wrong_choice(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """Another value of an enum: a wrong unit, a wrong order."""
    calls, declared = deepcopy(parse(sample.answer)), _declared(sample)
    slots = []
    for n, call in enumerate(calls):
        for key, value in call.arguments.items():
            enum = declared[call.name]["properties"].get(key, {}).get("enum") or []
            slots += [(n, key, other) for other in enum if other != value and isinstance(value, str)]
    if not slots:
        return None
    n, key, other = rng.choice(slots)
    calls[n].arguments[key] = other
    return _with(sample, calls)
