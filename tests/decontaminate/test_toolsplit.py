"""Rows held out by their tools."""

import random

import pytest

from funreason.prompts import calling_prompt
from funreason.train.toolsplit import row_tools, split_by_tool


def row(*tools: str, query: str = "q") -> dict:
    functions = [
        {"name": name, "description": "[\n    {", "parameters": {"type": "dict", "properties": {}}} for name in tools
    ]
    return {"prompt": [{"role": "system", "content": calling_prompt(functions)}, {"role": "user", "content": query}]}


def tools_of(rows: list[dict]) -> set[str]:
    return set().union(*(row_tools(each["prompt"]) for each in rows))


def test_the_tools_of_a_prompt_are_read():
    assert row_tools(row("a", "math.b")["prompt"]) == {"a", "math.b"}
    assert row_tools(row()["prompt"]) == row_tools("Write a function.") == frozenset()


@pytest.mark.parametrize("fraction", [0.02, 0.1, 0.3])
def test_no_tool_is_on_both_sides_and_no_row_is_lost(fraction):
    rng = random.Random(2)
    rows = [
        row(*{f"t{int(rng.paretovariate(0.7))}" for _ in range(rng.randint(1, 3))}, query=str(i)) for i in range(300)
    ]
    learned, heldout, aside = split_by_tool(rows, fraction)
    assert len(learned) + len(heldout) + len(aside) == 300 and len(heldout) >= fraction * 300
    assert not tools_of(learned) & tools_of(heldout)
    assert all(tools_of([each]) & tools_of(learned) or tools_of([each]) & tools_of(heldout) for each in aside)
    again = split_by_tool(rows[::-1], fraction)
    assert [side[::-1] for side in again] == [learned, heldout, aside]


def test_groups_that_share_no_tool_leave_nothing_aside():
    rows = [row(f"a{i % 20}", f"b{i % 20}") for i in range(200)]
    learned, heldout, aside = split_by_tool(rows, 0.1)
    assert (len(learned), len(heldout), len(aside)) == (180, 20, 0)


def test_rows_without_tools_are_trained_on():
    learned, heldout, _ = split_by_tool([row("a"), row("b"), row()], 0.3)
    assert len(heldout) == 1 and row() in learned
