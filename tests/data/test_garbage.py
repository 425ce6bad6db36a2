"""Rows with garbage anywhere in them are read, skipped or quarantined: never our error, never unwritable tasks."""

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from funreason.data.formats import FORMATS
from funreason.data.rows import AUTO, AcceptedRow, SourceRow, TaskIds, read_tasks

from .published import CALL, JSON_CALL, QUERY, TOOLRL_CALL, TOOLRL_FIRST, TOOLRL_INSTRUCTION, TRENDS, WEATHER, WHOLE

GARBAGE: list[Any] = [
    None, "", 0, -1, 1.5, True, 10**400, float("nan"), float("inf"), [], {}, [[]], [None], {"a": None}, ["a", "b"],
    "x", "{", "[", "null", '"x"', "<think>", "</think>", "<tool_call>", "[f(", "NaN", "\ud83d", "\x00", "[f()]",
    {"name": "f"}, {"name": 3, "arguments": "x"}, {"function": "f"}, {"function": {"function": {}}}, {"type": "text"},
    {"type": "tool_use"}, {"type": "tool_result"}, {"role": "user"}, {"from": "gpt", "value": 3}, {"type": [3]},
]  # fmt: skip
ROWS: list[Any] = [
    *WHOLE.values(),
    {"instruction": TOOLRL_INSTRUCTION, "input": TOOLRL_FIRST, "output": f"<think>x</think>{TOOLRL_CALL}"},
    {"prompt": [{"role": "system", "content": TOOLRL_INSTRUCTION}, {"role": "user", "content": TOOLRL_FIRST}],
     "reward_model": {"ground_truth": TOOLRL_CALL}},
    {"instruction": "q", "output": JSON_CALL, "tools": [WEATHER], "history": [["a", "b"]], "system": "s"},
    {"question": QUERY, "answers": {"tool_call": JSON_CALL}, "correct_answer": "tool_call", "tools": [WEATHER]},
    {"id": 1, "query": "q", "tools": [WEATHER, TRENDS], "answers": [CALL], "response": {"cot": "c", "answer": "a"}},
]  # fmt: skip


def places(value: Any, place: tuple = ()) -> Iterator[tuple]:
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*place, key))


def put(value: Any, place: tuple, garbage: Any) -> Any:
    if not place:
        return garbage
    value = copy.copy(value)
    value[place[0]] = put(value[place[0]], place[1:], garbage)
    return value


def spoilt(rng: Random) -> Any:
    row = rng.choice(ROWS)
    for _ in range(rng.randint(1, 3)):
        row = put(row, rng.choice(list(places(row))), rng.choice(GARBAGE))
    return row


@pytest.mark.parametrize("seed", range(4))
def test_garbage_is_never_an_error_of_ours(seed: int) -> None:
    rng = Random(seed)
    for _ in range(500):
        row = spoilt(rng)
        table = rng.random() < 0.5
        raw = row if table else json.dumps(row).encode()
        for one in read_tasks([SourceRow(1, raw, table=table)], "rows", TaskIds(), rng.choice([AUTO, AUTO, *FORMATS])):
            for task in one.tasks if isinstance(one, AcceptedRow) else ():
                json.dumps(task.to_row(), allow_nan=False, ensure_ascii=False).encode()
