"""Calls against their tools: right ones pass, each problem names place, value seen and values allowed."""

import pytest

from funreason.calls import Call, parse, validate
from funreason.calls.tools import unread_types

TOOLS = [
    {
        "name": "forecast",
        "description": "",
        "parameters": {
            "city": {"type": "str", "description": ""},
            "days": {"type": "int", "description": "", "default": 1},
            "unit": {"type": "str", "description": "", "default": "C", "enum": ["C", "F"]},
            "share": {"type": "float", "description": "", "default": None},
            "points": {"type": "List[Tuple[float, float]]", "description": "", "default": []},
            "extra": {"type": "Callable", "description": "", "default": ""},
        },
    },
    {
        "name": "trip.book",
        "description": "",
        "parameters": {
            "type": "dict",
            "required": ["who"],
            "properties": {
                "who": {
                    "type": "dict",
                    "description": "",
                    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
                    "required": ["name", "age"],
                }
            },
        },
    },
]


@pytest.mark.parametrize(
    "text",
    [
        "[forecast(city='Rome')]",
        "[forecast(city='Rome', days=2, unit='F', share=1, points=[(1, 2.5)], extra='x: x')]",
        "[forecast(city='Rome', share=null, extra={'any': 1}), trip.book(who={'name': 'A', 'age': 3})]",
        "[]",
    ],
)
def test_right_calls_have_no_problems(text):
    assert validate(parse(text), TOOLS) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[fly()]", "call 1, fly: no such function, allowed: 'forecast', 'trip.book'"),
        ("[forecast()]", "call 1, forecast: missing 'city', required: 'city'"),
        ("[forecast(city=1)]", "call 1, forecast: parameter 'city' is 1, allowed: string"),
        ("[forecast(city='a', days=2.0)]", "call 1, forecast: parameter 'days' is 2.0, allowed: integer"),
        ("[forecast(city='a', days=True)]", "call 1, forecast: parameter 'days' is True, allowed: integer"),
        ("[forecast(city='a', unit='K')]", "call 1, forecast: parameter 'unit' is 'K', allowed: 'C', 'F'"),
        (
            "[forecast(city='a', share='x')]",
            "call 1, forecast: parameter 'share' is 'x', allowed: number or null",
        ),
        (
            "[forecast(city='a'), forecast(city='b', points=[(1, 'x')])]",
            "call 2, forecast: parameter 'points[0][1]' is 'x', allowed: number",
        ),
        ("[trip.book(who={'name': 'A', 'age': 'x'})]", "parameter 'who.age' is 'x', allowed: integer"),
        ("[trip.book(who={})]", "in parameter 'who', missing 'name', 'age', required: 'name', 'age'"),
        (
            "[trip.book(who={'name': 'A', 'age': 1, 'iq': 5})]",
            "in parameter 'who', undeclared 'iq' = 5, allowed: 'name', 'age'",
        ),
        (
            "[trip.book(who={'name': 'A', 'age': 1}, x='y')]",
            "call 1, trip.book: undeclared 'x' = 'y', allowed: 'who'",
        ),
    ],
)
def test_a_problem_names_place_value_and_what_is_allowed(text, problem):
    problems = validate(parse(text), TOOLS)
    assert len(problems) == 1
    assert problems[0].endswith(problem)


def test_all_problems_are_listed():
    assert len(validate(parse("[forecast(days='x', unit='K', z=1), fly()]"), TOOLS)) == 5


def test_rows_are_accepted_for_calls():
    assert validate([{"name": "forecast", "arguments": {"city": "Rome"}}], TOOLS) == []


def test_a_changed_tool_is_not_taken_from_the_cache():
    tool = {"name": "f", "parameters": {"a": {"type": "int"}}}
    assert validate([Call("f", {"a": 1})], [tool]) == []
    tool["parameters"]["a"]["type"] = "str"
    assert validate([Call("f", {"a": 1})], [tool]) != []


def test_no_tools_and_tools_without_parameters():
    assert "allowed: none" in validate([Call("f")], [])[0]
    empty = {"name": "f", "parameters": {"type": "dict", "properties": {}, "required": []}}
    assert validate([Call("f")], [empty]) == []
    assert "undeclared 'a' = 1, allowed: none" in validate([Call("f", {"a": 1})], [empty])[0]


def test_long_values_and_lists_are_shortened():
    tool = {"name": "f", "parameters": {"a": {"type": "str", "enum": [f"value{n}" for n in range(500)]}}}
    (problem,) = validate([Call("f", {"a": "x" * 10000})], [tool])
    assert len(problem) < 500
    assert "and 480 more" in problem


def test_a_constraint_that_cannot_be_read_is_reported_and_not_checked():
    spec = {"type": "int", "maximum": "x", "minimum": "3"}
    tool = {"name": "f", "parameters": {"type": "dict", "properties": {"a": spec}}}
    assert validate([Call("f", {"a": 9})], [tool]) == [] and unread_types(tool) == ["maximum 'x'"]
    assert validate([Call("f", {"a": 1})], [tool]) == ["call 1, f: parameter 'a' is 1, allowed: minimum 3"]
