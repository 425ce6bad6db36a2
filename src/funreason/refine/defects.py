"""Plants one defect in a sound row: for the probes of judges, and to measure and fit the heuristics.

Kinds of defects in calls are in `defective_calls.py`; here are those of other texts, and the tables of all.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from funreason.calls import parse
from funreason.core.records import Sample
from funreason.refine.defective_calls import (
    Plant,
    dropped_call,
    invented_argument,
    repeated_call,
    required_left_out,
    swapped_values,
    truncated_text,
    unknown_argument,
    value_not_in_query,
    wrong_choice,
    wrong_function,
    wrong_number,
    wrong_type,
    wrong_value,
)

# With something of the row in each: one text in all rows would be one question to the judge, counted as many.
STATEMENTS = (
    "I cannot do this with the tools that I have: {query}",
    "Please tell me more about what you need. You wrote: {query}",
    "None of my tools can do that. Do you want {name} instead? You wrote: {query}",
)
_QUOTED = 100  # characters of a query


def other_query(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """The query of another row: no tool of this one answers it."""
    same = {tool["name"] for tool in sample.tools} & {tool["name"] for tool in donor.tools}
    return None if same else replace(sample, query=donor.query)


def other_reasoning(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """The reasoning of a row that calls other functions."""
    same = {call.name for call in parse(sample.answer)} & {call.name for call in parse(donor.answer)}
    return None if same or not (sample.cot and donor.cot) else replace(sample, cot=donor.cot)


def answer_off_reasoning(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """A number or text in the answer that is not the one that the reasoning arrived at."""
    if not sample.cot:
        return None
    return wrong_value(sample, donor, rng) or wrong_number(sample, donor, rng)


def statement(sample: Sample, donor: Sample, rng: Random) -> Sample:
    """A sentence in the place of the calls."""
    name, query = parse(sample.answer)[0].name, " ".join(sample.query.split())[:_QUOTED]
    return replace(sample, answer=rng.choice(STATEMENTS).format(name=name, query=query))


def tool_missing(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """The tools of both rows, without those that the answer calls."""
    called = {call.name for call in parse(sample.answer)}
    tools = [tool for tool in [*sample.tools, *donor.tools] if tool["name"] not in called]
    return replace(sample, tools=tools) if tools else None


def stray_space(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """A space behind the first bracket."""
    return replace(sample, answer=f"[ {sample.answer[1:]}") if sample.answer.startswith("[") else None


def quoted_names(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """Quotes around the names of parameters."""
    return _rewritten(sample, lambda name, value: f"'{name}'={value!r}")


def bare_texts(sample: Sample, donor: Sample, rng: Random) -> Sample | None:
    """No quotes around texts."""
    return _rewritten(sample, lambda name, value: f"{name}={value if isinstance(value, str) else repr(value)}")


def _rewritten(sample: Sample, write: Callable[[str, Any], str]) -> Sample | None:
    calls = [
        f"{call.name}({', '.join(write(name, value) for name, value in call.arguments.items())})"
        for call in parse(sample.answer)
    ]
    answer = f"[{', '.join(calls)}]"
    return replace(sample, answer=answer) if answer != sample.answer else None


def _named(*plants: Plant) -> dict[str, Plant]:
    return {plant.__name__.replace("_", " "): plant for plant in plants}


# Kind → how it is planted: in rows with calls, and in those that have a reasoning as well.
OF_ANSWERS = _named(
    wrong_type, required_left_out, unknown_argument, wrong_value, wrong_number, wrong_function, wrong_choice,
    value_not_in_query, swapped_values, invented_argument, dropped_call, repeated_call, truncated_text, other_query,
)  # fmt: skip
OF_REASONING = _named(other_reasoning, answer_off_reasoning)
# Check → the kinds that a judge should see whatever it knows of the world.
OF_CHECKS = {
    "response": _named(statement),
    "query_tool": _named(tool_missing),
    "cot": _named(other_reasoning),
    "call": _named(wrong_value, wrong_number, wrong_function, required_left_out),
    "format": _named(stray_space, quoted_names, bare_texts),
}


def plant_defects(rows: list[Sample], kinds: dict[str, Plant], each: int, seed: str) -> dict[str, list[Sample]]:
    """Up to `each` rows with one defect of each kind.

    Args:
        rows: Sound rows with readable calls of known tools.
        kinds: kind → how it is planted.
        each: How many rows per kind.
        seed: Seed of the choice of rows and places.

    Returns:
        kind → rows with that defect, each of another sound row.
    """
    planted: dict[str, list[Sample]] = {}
    for kind, plant in kinds.items():
        rng, order = Random(f"{seed}/{kind}"), list(rows)
        rng.shuffle(order)
        rows_of_kind: list[Sample] = []
        for at, row in enumerate(order):
            if len(rows_of_kind) == each:
                break
            if (broken := plant(row, order[at - 1 - rng.randrange(20)], rng)) and broken != row:
                rows_of_kind.append(replace(broken, id=f"{row.id}/{kind}"))
        planted[kind] = rows_of_kind
    return planted
