"""What a tool's schema says beside the types: constraints, alternatives, references and patterns."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from funreason.calls import to_bfcl, validate
from funreason.calls.tools import read_tool, unread_types
from funreason.core.errors import DataError

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
