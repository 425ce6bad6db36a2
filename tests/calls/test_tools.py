"""Tools in every published spelling: one form, the source's own schema, and a count of what cannot be read."""

import json

import pytest

from funreason.calls import to_bfcl, to_json_schema, validate
from funreason.calls.tools import NO_TYPE, distinct_tools, read_tool, unread_types
from funreason.core.errors import DataError

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "get_weather", "description": "Weather.", "parameters": CITY}


@pytest.mark.parametrize(
    "value",
    [
        TOOL,
        {"type": "function", "function": TOOL},
        {"function": TOOL},
        {"type": "function", "function": json.dumps(TOOL)},
        json.dumps(TOOL),
        {"name": "get_weather", "description": "Weather.", "parameters": json.dumps(CITY)},
        {"name": "get_weather", "description": "Weather.", "arguments": CITY},
        {"name": "get_weather", "description": "Weather.", "input_schema": CITY},
        {"name": "get_weather", "description": "Weather.", "inputSchema": CITY},
        {"name": "get_weather", "description": "Weather.", "parameters": None, "arguments": CITY},
        {"name": "get_weather", "description": "Weather.", "parameters": {}, "arguments": CITY},
        {"name": "get_weather", "description": "Weather.", "parametersJsonSchema": CITY},
        {"toolSpec": {"name": "get_weather", "description": "Weather.", "inputSchema": {"json": CITY}}},
        {"type": "function", "name": None, "function": TOOL},
        {"name": "get_weather", "description": "Weather.", **CITY},
        {
            "name": "get_weather",
            "description": "Weather.",
            "parameters": CITY | {"properties": json.dumps(CITY["properties"])},
        },
        {
            "name": "get_weather",
            "description": "Weather.",
            "parameters": CITY | {"properties": [{"name": "city", "type": "string"}]},
        },
    ],
)
def test_every_spelling_is_the_same_tool(value):
    assert read_tool(value) == TOOL


@pytest.mark.parametrize(
    "parameters",
    [
        None, "", "null", "{}", {}, {"type": "object"}, {"type": "object", "properties": {}},
        {"type": "object", "properties": None}, {"type": "dict", "required": []},
    ],
)  # fmt: skip
def test_a_tool_without_parameters_takes_nothing(parameters):
    for tool in ({"name": "f", "parameters": parameters}, {"name": "f"}):
        read = read_tool(tool)
        assert to_json_schema(read) == {"type": "object", "additionalProperties": False}
        assert validate([{"name": "f", "arguments": {}}], [read]) == []
        assert to_bfcl(read)["parameters"]["properties"] == {}


def test_a_clean_tool_stays_as_it_is():
    """The prompt is made of it, byte for byte."""
    bfcl = {
        "name": "f",
        "parameters": {"type": "dict", "required": ["a"], "properties": {"a": {"type": "any"}}},
        "x": 1,
    }
    xlam = {
        "name": "f",
        "description": "",
        "parameters": {"a": {"type": "int, optional", "description": "", "default": ""}},
    }
    for tool in (TOOL, bfcl, xlam):
        assert json.dumps(read_tool(tool)) == json.dumps(tool)
    assert to_bfcl(read_tool(bfcl)) == bfcl


@pytest.mark.parametrize("absent", [None, "", "null"])
def test_absent_descriptions_are_empty(absent):
    assert read_tool(TOOL | {"description": absent})["description"] == ""
    spec = {"a": {"type": "int", "description": None}}
    assert to_bfcl(read_tool({"name": "f", "parameters": spec}))["parameters"]["properties"]["a"]["description"] == ""


A_B = {"a": {"type": "int"}, "b": {"type": "int", "default": 1}, "c": {"type": "int"}}


@pytest.mark.parametrize(
    ("tool", "required"),
    [
        ({"parameters": A_B}, ["a", "c"]),
        ({"parameters": A_B, "required": ["b"]}, ["b"]),
        ({"parameters": A_B, "required": []}, []),
        ({"parameters": A_B, "required": None}, ["a", "c"]),
        ({"parameters": {**A_B, "required": ["c", "gone"]}}, ["c"]),
        ({"parameters": {"a": {"type": "int", "required": True}, "b": {"type": "int"}}}, ["a"]),
        ({"parameters": {"a": {"type": "int", "required": "True"}, "b": {"type": "int", "required": "false"}}}, ["a"]),
        ({"parameters": {"a": {"type": "int", "required": False}, "b": {"type": "int"}}}, ["b"]),
        ({"parameters": {"a": {"type": "int", "optional": True}, "b": {"type": "int"}}}, ["b"]),
        ({"parameters": {"a": {"type": "int", "nullable": True}, "b": {"type": "int | None"}}}, []),
        ({"parameters": {"a": {"type": "str, required"}, "b": {"type": "int, default=3"}}}, ["a"]),
        ({"parameters": {"required": {"type": "bool"}, "type": {"type": "str"}}}, ["required", "type"]),
        ({"parameters": [{"name": "a", "type": "int", "required": True}, {"name": "b", "type": "int"}]}, ["a"]),
        ({"parameters": {"a": "int", "b": "str, optional"}}, ["a"]),
        ({"parameters": {"type": "object", "properties": A_B}, "required": ["b"]}, ["b"]),
        ({"parameters": {"type": "object", "properties": A_B, "required": ["a"]}, "required": ["b"]}, ["a"]),
        ({"parameters": {"type": "object", "properties": A_B}}, []),
        ({"parameters": {"type": "object", "properties": {"a": {"type": "int", "required": True}, "b": {}}}}, ["a"]),
        ({"parameters": {"properties": A_B, "required": ["c"]}}, ["c"]),
        ({"parameters": A_B, "required": "b"}, ["b"]),
        ({"parameters": A_B, "required": '["b", "c"]'}, ["b", "c"]),
        ({"parameters": A_B, "required": {"a": True, "b": False}}, ["a"]),
        ({"parameters": {"type": "object", "properties": A_B, "required": "a, c"}}, ["a", "c"]),
        ({"parameters": {"type": "object", "properties": {**A_B, "required": ["a"]}}}, ["a"]),
        ({"parameters": {"a": {"type": "int", "required": "yes"}, "b": {"type": "int", "required": 0}}}, ["a"]),
        ({"parameters": {"a": {"type": "int", "isRequired": True}, "b": {"type": "int"}}}, ["a"]),
        (
            {
                "required_parameters": [{"name": "a", "type": "STRING", "default": "x"}],
                "optional_parameters": [{"name": "b", "type": "NUMBER"}],
            },
            ["a"],
        ),
        ({"parameters": {"$defs": {"P": {"type": "int"}}, "a": {"$ref": "#/$defs/P"}}}, ["a"]),
    ],
)
def test_the_sources_own_required_wins(tool, required):
    read = read_tool({"name": "f", "description": ""} | tool)
    assert to_json_schema(read).get("required", []) == required
    assert to_json_schema(to_bfcl(read)).get("required", []) == required


def test_bare_type_texts_inside_a_schema():
    parameters = {"type": "object", "properties": {"a": "string", "b": "list of int", "c": None}, "required": ["a"]}
    schema = to_json_schema(read_tool({"name": "f", "parameters": parameters}))
    assert schema["properties"] == {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}}}


@pytest.mark.parametrize("key", ["dtype", "data_type", "dataType", "Type", "schema"])
def test_the_type_under_another_key(key):
    tool = read_tool({"name": "f", "parameters": {"a": {key: "int", "description": "x"}}})
    assert to_json_schema(tool)["properties"] == {"a": {"type": "integer"}} and unread_types(tool) == []


def test_what_cannot_be_read_is_reported():
    parameters = {"a": {"type": "Callable[[int], int]"}, "b": {"description": "x"}, "c": {"type": "list of things"},
                  "d": {"type": "any"}, "e": {"type": "str", "pattern": "("}, "f": {"enum": [1, 2]},
                  "g": {"type": "dict", "properties": {"x": {"type": "Widget"}}},
                  "h": {"type": "int", "minimum": "low"},
                  "i": {"anyOf": [{"type": "Gadget"}, {"type": "null"}]}, "j": {"type": "str", "enum": "a"},
                  "k": {"type": "dict", "if": {}}, "l": {"type": "enum", "enum": ["a"]}}  # fmt: skip
    unread = ["Callable[[int], int]", NO_TYPE, "list of things", "pattern '('", "Widget", "minimum 'low'", "Gadget",
              "enum 'a'", "if"]  # fmt: skip
    assert unread_types(read_tool({"name": "f", "parameters": parameters})) == unread
    schema = {"type": "object", "properties": parameters}
    assert unread_types(read_tool({"name": "f", "parameters": schema})) == unread


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "None, expected an object with a name"),
        ({"parameters": {}}, "expected an object with a name"),
        ({"name": ""}, "expected an object with a name"),
        ({"name": "f", "parameters": 3}, "'f': parameters are 3, expected an object"),
        ({"name": "f", "parameters": "{"}, "'f': parameters is '{', expected an object or JSON text of one"),
        ({"name": "f", "description": 3}, "'f': description is 3, expected a text"),
        ({"name": "f", "parameters": {"a": 3}}, "'f': parameter 'a' is 3, expected an object with a type"),
        (
            {"name": "f", "parameters": [{"type": "int"}]},
            "'f': parameter {'type': 'int'}, expected an object with a name",
        ),
        ({"name": "f", "parameters": [{"name": "a"}, {"name": "a"}]}, "two parameters have one name"),
    ],
)
def test_what_is_not_a_tool_is_refused(value, message):
    with pytest.raises(DataError, match=message):
        read_tool(value)


def test_two_tools_of_one_name():
    assert distinct_tools([TOOL, {"name": "f"}, dict(TOOL)]) == [TOOL, {"name": "f"}]
    with pytest.raises(DataError, match="two different tools are called 'get_weather'; rename or delete one"):
        distinct_tools([TOOL, TOOL | {"parameters": {}}])
