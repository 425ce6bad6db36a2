"""Odd tools: clear errors that name tool, value seen and remedy, and never a crash."""

import random
from collections import Counter

import pytest

from funreason.calls import Call, validate
from funreason.core.errors import DataError


@pytest.mark.parametrize(
    ("tools", "message"),
    [
        ("f", "tools are 'f': give a list of tools"),
        ({"name": "f"}, "tools are {'name': 'f'}"),
        ([3], "tool 3: give it a name"),
        ([{"name": ["f"], "parameters": {}}], "tool {'name': \\['f'\\], 'parameters': {}}: give it a name"),
        ([{"name": "f", "parameters": None}], "give it a name and parameters"),
        ([{"name": "f", "parameters": {"a": "int"}}], "parameter 'a' is 'int': give it type"),
    ],
)
def test_tools_that_are_not_tools_are_refused(tools, message):
    with pytest.raises(DataError, match=message):
        validate([Call("f", {"a": 1})], tools)


def declared(**parameters) -> dict:
    return {"name": "f", "parameters": {"type": "dict", "properties": {"a": {"type": "integer"}}} | parameters}


@pytest.mark.parametrize("required", [[["a"]], ["a", 3], [None], [{"a": 1}]])
def test_a_required_entry_that_is_not_a_name_is_refused_with_its_value(required):
    inside = declared(
        properties={"b": {"type": "array", "items": {"type": "dict"} | declared(required=required)["parameters"]}}
    )
    for tool in (declared(required=required), inside):
        with pytest.raises(DataError, match="tool 'f': `required` holds .*, allowed are names of parameters: mend"):
            validate([Call("f", {"a": 1})], [tool])


def test_required_names_count_once_and_only_where_declared():
    assert validate([Call("f", {"a": 1})], [declared(required=["a", "a", "b"])]) == []
    assert "required: 'a'" in validate([Call("f")], [declared(required=["a", "a", "b"])])[0]
    assert validate([Call("f")], [declared(required=True)]) == []


@pytest.mark.parametrize("depth", [150, 400, 5000])
def test_a_tool_nested_too_deeply_is_refused(depth):
    spec: dict = {"type": "integer"}
    for _ in range(depth):
        spec = {"type": "array", "items": spec}
    with pytest.raises(DataError, match="tool 'f': nested too deeply"):
        validate([Call("f", {"a": []})], [declared(properties={"a": spec})])


ODD = [
    None, True, 3, -1, 1.5, "", "x", "int", "array", "dict", [], {}, ["a"], [["a"]], [3], [None], ["a", "a"], {"a": 1},
    [{}], float("inf"), "\ud800", 10**30, ["string", "null"], {"type": "integer"}, "List[int]", "Literal[[1]]",
    "Literal[...]",
]  # fmt: skip
KEYS = ["type", "items", "enum", "default", "minimum", "maxLength", "minItems", "properties", "required", "description"]


def odd_spec(rng: random.Random, depth: int = 0):
    if rng.random() < 0.25:
        return rng.choice(ODD)
    inner = [odd_spec(rng, depth + 1) if rng.random() < 0.4 and depth < 3 else rng.choice(ODD) for _ in range(4)]
    return dict(zip(rng.sample(KEYS, rng.randint(0, 4)), inner, strict=False))


def odd_tool(rng: random.Random):
    if rng.random() < 0.05:
        return rng.choice(ODD)
    name = rng.choice(ODD) if rng.random() < 0.05 else "f"
    if rng.random() < 0.5:
        names = rng.sample(["a", "b", "type", "properties"], rng.randint(0, 3))
        return {"name": name, "parameters": {key: odd_spec(rng) for key in names}}
    return declared(properties={key: odd_spec(rng) for key in "ab"}, required=rng.choice(ODD)) | {"name": name}


def test_random_tools_give_problems_or_a_short_error_never_a_crash():
    """Three thousand tools put together from odd parts; both ways out must have been taken often."""
    rng, seen = random.Random(4), Counter()
    for _ in range(3000):
        arguments = {
            key: rng.choice([*ODD, (1, 2), [[1], {"a": None}]]) for key in rng.sample("abc", rng.randint(0, 2))
        }
        try:
            problems = validate([Call("f", arguments)], [odd_tool(rng)])
            assert all(isinstance(problem, str) and "\n" not in problem for problem in problems)
            seen[bool(problems)] += 1
        except DataError as error:
            assert len(str(error)) < 600
            seen["refused"] += 1
    assert min(seen[True], seen[False], seen["refused"]) > 100
