"""Null-filled keys of Arrow tables are removed and counted; nulls that are meant stay."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from .published import QUERY, WEATHER
from .reading import accepted, from_path

PAY = {
    "name": "pay",
    "description": "Pays.",
    "parameters": {
        "type": "object",
        "properties": {
            "amount": {"type": "number", "description": "how much"},
            "note": {"type": ["string", "null"], "description": "a note"},
            "to": {"type": "object", "properties": {"name": {"type": "string"}, "code": {"type": "string"}}},
        },
        "required": ["amount"],
    },
}
XLAM_WEATHER = {
    "name": "get_weather",
    "description": "W.",
    "parameters": {"city": {"type": "str", "description": "a city"}},
}
XLAM_PAY = {
    "name": "pay",
    "description": "P.",
    "parameters": {"amount": {"type": "float", "description": "much", "default": 1.0}},
}


def turns(call: dict) -> list[dict]:
    return [{"role": "user", "content": QUERY},
            {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": call}]},
            {"role": "tool", "content": "{}"}, {"role": "assistant", "content": "Done."}]  # fmt: skip


ROWS = [
    {"id": "w", "tools": [WEATHER], "messages": turns({"name": "get_weather", "arguments": {"city": "Ghent"}})},
    {
        "id": "p",
        "tools": [PAY],
        "messages": turns({"name": "pay", "arguments": {"amount": 3.5, "to": {"name": "Ann"}}}),
    },
]


def filled(rows: list[dict]) -> list[dict]:
    """The rows as Arrow gives them back: every row with the keys of all."""
    return pa.Table.from_pylist(rows).to_pylist()


def test_arrow_fills_tools_and_calls_with_the_keys_of_all_rows() -> None:
    weather = filled(ROWS)[0]
    assert weather["tools"][0]["parameters"]["properties"]["amount"] is None
    assert weather["messages"][1]["tool_calls"][0]["function"]["arguments"]["amount"] is None


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_a_table_gives_the_tasks_of_its_rows(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"rows.{kind}"
    if kind == "parquet":
        parquet.write_table(pa.Table.from_pylist(ROWS), path)
    else:  # what `Dataset.to_json` writes
        path.write_text("".join(json.dumps(row) + "\n" for row in filled(ROWS)))
    read = from_path(path)
    plain = [accepted(row) for row in ROWS]
    for one, other in zip(read, plain, strict=True):
        assert one.tasks[1].steps == other.tasks[1].steps
        assert [task.answers for task in one.tasks] == [task.answers for task in other.tasks]
        assert one.tasks[0].tools == other.tasks[0].tools
        assert one.nulls > 0 == other.nulls


def test_tools_in_xlams_form_are_cleaned_too() -> None:
    rows = [{"query": "q", "tools": [tool], "answers": []} for tool in (XLAM_WEATHER, XLAM_PAY)]
    for row, tool in zip(filled(rows), (XLAM_WEATHER, XLAM_PAY), strict=True):
        one = accepted(row, table=True)
        assert (one.tasks[0].tools, one.nulls > 0) == ([tool], True)


def answers(arguments: dict, table: bool = False, tools: tuple = (PAY,)) -> tuple[dict, int]:
    row = {"query": "q", "tools": list(tools), "answers": [{"name": "pay", "arguments": arguments}]}
    one = accepted(row, table=table)
    return one.tasks[0].answers[0]["arguments"], one.nulls


@pytest.mark.parametrize("table", [False, True])
def test_a_null_that_the_tool_admits_stays(table: bool) -> None:
    assert answers({"amount": 1, "note": None}, table) == ({"amount": 1, "note": None}, 0)


def test_a_null_that_the_tool_does_not_admit_stays_outside_of_tables() -> None:
    """It is the source's own mistake, which the checks are to see."""
    assert answers({"amount": None}) == ({"amount": None}, 0)
    assert answers({"amount": None}, table=True) == ({}, 1)


def test_a_null_of_an_undeclared_parameter_is_removed_and_shows_the_pattern() -> None:
    assert answers({"amount": 1, "city": None}) == ({"amount": 1}, 1)
    assert answers({"amount": 1, "city": None, "to": {"name": "a", "code": None}}) == (
        {"amount": 1, "to": {"name": "a"}},
        2,
    )


def test_a_parameter_that_is_null_shows_the_pattern() -> None:
    tool = PAY | {"parameters": PAY["parameters"] | {"properties": PAY["parameters"]["properties"] | {"city": None}}}
    assert answers({"amount": 1, "to": None}, tools=(tool,)) == ({"amount": 1}, 2)
    assert answers({"amount": 1, "to": None}) == ({"amount": 1, "to": None}, 0)


def test_a_default_of_null_stays_outside_of_tables() -> None:
    tool = {"name": "f", "description": "d", "parameters": {"a": {"type": "str", "description": "x", "default": None}}}
    one = accepted({"query": "q", "tools": [tool], "answers": []})
    assert (one.tasks[0].tools, one.nulls) == ([tool], 0)
