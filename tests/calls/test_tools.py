"""Tools in every published spelling: one form, the source's own schema, and a count of what cannot be read."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

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


X, Y = ({"type": "object", "properties": {key: {"type": "integer"}}} for key in "xy")


@pytest.mark.parametrize(
    ("spec", "good", "bad"),
    [
        ({"type": "string", "pattern": "^[A-Z]{3}$"}, ["ABC"], ["abc", 3]),
        ({"const": "x"}, ["x"], ["y", None]),
        ({"type": "integer", "exclusiveMinimum": 0}, [1], [0]),
        ({"type": "integer", "minimum": 0, "exclusiveMinimum": True}, [1], [0]),
        ({"type": ["string", "null"]}, ["x", None], [3]),
        ({"type": "string", "nullable": True}, ["x", None], [3]),
        ({"anyOf": [{"type": "integer"}, {"type": "string", "enum": ["all"]}]}, [3, "all"], ["none", 1.5]),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, [3, 1.5], ["x"]),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, [3], [2, "x"]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, [{"x": 1}], [{"x": "y"}]),
        ({"type": "object", "properties": {"x": {"type": "integer"}}}, [{"x": 1}], [{"y": 1}]),
        ({"type": "object", "properties": {"x": {}}, "additionalProperties": True}, [{"y": 1}], [3]),
        ({"type": "object", "additionalProperties": False}, [{}], [{"y": 1}]),
        ({"type": "object", "patternProperties": {"^x": {"type": "integer"}}}, [{"x1": 1}], [{"x1": "y"}]),
        ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, [["a"]], [["a", "a"], [1]]),
        ({"properties": {"x": {"type": "integer"}}}, [{"x": 1}], [3]),
        ({"type": "List[int], optional"}, [[1]], [["x"]]),
        ({"type": "str | int"}, ["x", 1], [[1]]),
        ({"type": "string", "format": "date"}, ["2024-01-01", "today"], [3]),
        ({"type": "string", "default": None}, [None, "x"], [3]),
        ({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]}, [[1, "a"], []], [["a", 1]]),
        ({"type": "array", "items": [{"type": "integer"}], "additionalItems": False}, [[1]], [["a"], [1, 2]]),
        ({"type": "array", "items": "str"}, [["a"]], [[1]]),
        ({"type": "array", "contains": {"type": "integer"}}, [[1, "a"]], [["a"]]),
        ({"not": {"type": "string"}}, [1], ["x"]),
        ({"type": "integer", "minimum": "3", "maximum": None}, [3], [2]),
        ({"type": "object", "properties": {"x": {}, "y": {}}, "dependentRequired": {"x": ["y"]}},
         [{"y": 1}], [{"x": 1}]),
        ({"type": "object", "properties": {"x": {}}, "anyOf": [{"required": ["x"]}, {"required": ["y"]}]},
         [{"x": 1}], [{}]),
        ({"allOf": [X, Y]}, [{"x": 1, "y": 2}, {}], [{"z": 1}, {"x": "s"}]),
        ({"type": "object", "properties": {"k": {}}, "required": ["k"], "oneOf": [X, Y]},
         [{"k": 1, "x": 1}], [{"x": 1}, {"k": 1, "z": 1}]),
        ({"anyOf": [X, {"type": "string"}]}, [{"x": 1}, "s"], [{"y": 1}, 3]),
    ],
)  # fmt: skip
def test_constraints_hold(spec, good, bad):
    tool = read_tool({"name": "f", "parameters": {"type": "object", "properties": {"a": spec}}})
    xlam = read_tool({"name": "f", "parameters": {"a": spec | {"description": "x"}}})
    for value, right in [(value, True) for value in good] + [(value, False) for value in bad]:
        for each in (tool, xlam):
            problems = validate([{"name": "f", "arguments": {"a": value}}], [each])
            assert (not problems) == right, (value, each, problems)
            assert all("\n" not in problem and "parameter 'a" in problem for problem in problems)


@pytest.mark.parametrize("key", ["anyOf", "oneOf", "allOf"])
def test_parameters_that_are_alternatives_as_a_whole(key):
    """The alternatives' parameters are shown and allowed; what is in none of them is not."""
    a, b = X | {"required": ["x"]}, {"$ref": "#/$defs/Y"}
    tool = read_tool({"name": "f", "parameters": {key: [a, b], "$defs": {"Y": Y | {"required": ["y"]}}}})
    assert set(to_bfcl(tool)["parameters"]["properties"]) == {"x", "y"}
    assert validate([{"name": "f", "arguments": {"x": 1, "y": 1}}], [tool]) == []
    (problem,) = validate([{"name": "f", "arguments": {"x": 1, "y": 1, "z": 1}}], [tool])
    assert "undeclared 'z' = 1, allowed: " in problem
    problems = validate([{"name": "f", "arguments": {}}], [tool])
    assert problems and all(line.startswith("call 1, f: ") and "\n" not in line for line in problems)


@pytest.mark.parametrize("reference", ["#/$defs/P", "#/parameters/$defs/P", "P"])
@pytest.mark.parametrize("beside", [True, False])
def test_definitions_inside_the_parameters_or_beside_them(reference, beside):
    definitions = {"$defs": {"P": {"type": "integer"}}}
    reference = reference.replace("#/parameters", "#") if beside else reference
    parameters = {"type": "object", "properties": {"a": {"$ref": reference}}} | ({} if beside else definitions)
    tool = read_tool({"name": "f", "parameters": parameters} | (definitions if beside else {}))
    assert "parameter 'a' is 'x', allowed: integer" in validate([{"name": "f", "arguments": {"a": "x"}}], [tool])[0]


def test_a_reference_to_the_whole_ends():
    tool = read_tool(
        {"name": "f", "parameters": {"type": "object", "properties": {"next": {"$ref": "#"}, "a": {"type": "int"}}}}
    )
    assert validate([{"name": "f", "arguments": {"next": {"a": 1, "next": {}}}}], [tool]) == []
    assert "'next.a' is 'x'" in validate([{"name": "f", "arguments": {"next": {"a": "x"}}}], [tool])[0]


@pytest.mark.parametrize("key", ["dtype", "data_type", "dataType", "Type", "schema"])
def test_the_type_under_another_key(key):
    tool = read_tool({"name": "f", "parameters": {"a": {key: "int", "description": "x"}}})
    assert to_json_schema(tool)["properties"] == {"a": {"type": "integer"}} and unread_types(tool) == []


PYDANTIC = {
    "$ref": "#/$defs/Args",
    "$defs": {
        "Args": {"type": "object", "properties": {"place": {"$ref": "#/$defs/Place"}}, "required": ["place"]},
        "Place": {"type": "object", "properties": {"city": {"type": "string"}, "next": {"$ref": "#/$defs/Place"}}},
    },
}


def test_references_are_followed_and_those_to_themselves_end():
    tool = read_tool({"name": "f", "parameters": PYDANTIC})
    assert validate([{"name": "f", "arguments": {"place": {"city": "Ghent", "next": {"city": 3}}}}], [tool]) == []
    assert "parameter 'place.city' is 3" in validate([{"name": "f", "arguments": {"place": {"city": 3}}}], [tool])[0]
    with pytest.raises(DataError, match="is '#/\\$defs/Gone', allowed are definitions of the tool itself"):
        read_tool({"name": "f", "parameters": {"type": "object", "properties": {"a": {"$ref": "#/$defs/Gone"}}}})


def test_references_that_multiply_end():
    """Each definition names the next one twice: 2 ** 60 schemas."""
    definitions = {f"d{at}": {"type": "object", "properties": {side: {"$ref": f"#/$defs/d{at + 1}"} for side in "xy"}}
                   for at in range(60)}  # fmt: skip
    definitions["d60"] = {"type": "integer"}
    parameters = {"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": definitions}
    assert validate([{"name": "f", "arguments": {"a": {}}}], [read_tool({"name": "f", "parameters": parameters})]) == []


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [(r"^\p{L}+$", "é", "3"), (r"^[\w-.]+$", "a-b.c", "a b"), (r"(?<x>[ab])\k<x>", "aa", "ab"),
     ("^(?i)abc$", "ABC", "x"), ("[[a]", "[", "b")],
)  # fmt: skip
def test_patterns_as_javascript_writes_them(pattern, good, bad):
    tool = read_tool({"name": "f", "parameters": {"a": {"type": "str", "pattern": pattern}}})
    assert unread_types(tool) == []
    assert [validate([{"name": "f", "arguments": {"a": text}}], [tool]) == [] for text in (good, bad)] == [True, False]


@pytest.mark.parametrize("pattern", [r"^\p{L}", "("])
def test_keys_by_a_pattern_that_cannot_be_read_are_admitted_and_reported(pattern):
    parameters = {"type": "object", "properties": {"a": {}}, "patternProperties": {pattern: {"type": "integer"}}}
    tool = read_tool({"name": "f", "parameters": parameters})
    assert validate([{"name": "f", "arguments": {"x": "y"}}], [tool]) == []
    assert any(text.startswith("patternProperties") for text in unread_types(tool))


def test_a_pattern_that_takes_for_ever_says_nothing():
    tool = read_tool({"name": "f", "parameters": {"a": {"type": "str", "pattern": "^(a+)+$"}}})
    assert len(validate([{"name": "f", "arguments": {"a": "a" * 5000 + "b"}}], [tool])) <= 1


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


leaf = st.sampled_from([{"type": kind} for kind in ("string", "integer", "number", "boolean", "null")] + [
    {"enum": ["a", "b", 3]}, {"const": 3}, {"type": "string", "pattern": "^a"}, {"type": "integer", "minimum": 2},
    {"type": "string", "maxLength": 2}, {"type": ["string", "null"]}, {"type": "number", "exclusiveMaximum": 3},
])  # fmt: skip
schemas = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda branches: {"anyOf": branches}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda branches: {"allOf": branches}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda refused: {"not": refused}, inner),
        st.builds(lambda first: {"type": "array", "prefixItems": first}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda one: {"type": "array", "contains": one}, inner),
        st.builds(
            lambda properties, required: {"type": "object", "properties": properties, "additionalProperties": False,
                                          "required": [key for key in properties if key in required]},
            st.dictionaries(st.sampled_from("xyz"), inner, min_size=1, max_size=3), st.sets(st.sampled_from("xyz"))),
    ),
    max_leaves=6,
)  # fmt: skip
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["", "a", "ab", "abc", 1.5, 2.5])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(schemas, values)
def test_drawn_schemas_agree_with_jsonschema_itself(spec, value):
    """Whole floats stay out: to BFCL 5.0 is not an integer, to JSON Schema it is one."""
    tool = read_tool({"name": "f", "parameters": {"type": "object", "properties": {"a": spec}, "required": ["a"]}})
    ours = not validate([{"name": "f", "arguments": {"a": value}}], [tool])
    assert ours == Draft202012Validator(spec).is_valid(value)
