"""Tools in xLAM's form to BFCL's, and either to JSON Schema."""

import json

import pytest

from funreason.calls import to_bfcl, to_json_schema
from funreason.calls.typenames import read_type
from funreason.core.errors import DataError

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
ARRAY_OF_ANY = {"type": "array", "items": {"type": "any"}}


@pytest.mark.parametrize(
    ("name", "kind", "optional"),
    [
        ("str", {"type": "string"}, False),
        ("int", {"type": "integer"}, False),
        ("float", {"type": "float"}, False),
        ("number", {"type": "float"}, False),
        ("bool", {"type": "boolean"}, False),
        ("dict", {"type": "dict"}, False),
        ("Dict[str, Union[int, str]]", {"type": "dict"}, False),
        ("list", ARRAY_OF_ANY, False),
        ("List[int]", {"type": "array", "items": {"type": "integer"}}, False),
        (
            "list[List[float]]",
            {"type": "array", "items": {"type": "array", "items": {"type": "float"}}},
            False,
        ),
        ("List[Dict[str, int]]", {"type": "array", "items": {"type": "dict"}}, False),
        ("List[Optional[int]]", {"type": "array", "items": {"type": "integer", "nullable": True}}, False),
        ("Set[str]", {"type": "array", "items": {"type": "string"}}, False),
        ("np.ndarray", ARRAY_OF_ANY, False),
        ("Tuple[float, float]", {"type": "tuple", "items": {"type": "float"}}, False),
        ("Tuple[int, ...]", {"type": "tuple", "items": {"type": "integer"}}, False),
        ("Tuple[int, str]", {"type": "tuple", "items": {"type": "any", "anyOf": [STRING, INTEGER][::-1]}}, False),
        ("tuple", {"type": "tuple", "items": {"type": "any"}}, False),
        ("Union[int, float]", {"type": "float"}, False),
        ("Union[str, List[str]]", {"type": "any", "anyOf": [STRING, {"type": "array", "items": STRING}]}, False),
        ("Callable[[float], float]", {"type": "any"}, False),
        ("Any", {"type": "any"}, False),
        ("datetime", STRING, False),
        ("Literal['a', 'b']", {"type": "string", "enum": ["a", "b"]}, False),
        ("str, optional", {"type": "string"}, True),
        ("List[str], optional", {"type": "array", "items": {"type": "string"}}, True),
        ("int (optional)", {"type": "integer"}, True),
        ("bool, Optional", {"type": "boolean"}, True),
        ("Optional[int]", {"type": "integer"}, True),
        ("typing.Optional[List[int]]", {"type": "array", "items": {"type": "integer"}}, True),
        ("Optional[str], optional", {"type": "string"}, True),
        ("int | None", {"type": "integer"}, True),
        ("Union[str, None]", {"type": "string"}, True),
        ("list of things", ARRAY_OF_ANY, False),
        ("string[]", {"type": "array", "items": STRING}, False),
        ("int[][]", {"type": "array", "items": {"type": "array", "items": INTEGER}}, False),
        ("list of int", {"type": "array", "items": INTEGER}, False),
        ("an array of strings", {"type": "array", "items": STRING}, False),
        ("list(str)", {"type": "array", "items": STRING}, False),
        ("array<string>", {"type": "array", "items": STRING}, False),
        ("map<string,int>", {"type": "dict"}, False),
        ("enum(a, b)", {"type": "string", "enum": ["a", "b"]}, False),
        ("'a' | 'b'", {"type": "string", "enum": ["a", "b"]}, False),
        ("number or null", {"type": "float"}, True),
        ("float/int", {"type": "float"}, False),
        ("string, null", STRING, True),
        ("INTEGER", INTEGER, False),
        ("positive integer", INTEGER, False),
        ("str (ISO 8601)", STRING, False),
        ("int, must be above 3", INTEGER, False),
        ("", {"type": "any"}, False),
        (None, {"type": "any"}, False),
        ("[" * 5000, {"type": "any"}, False),
    ],
)
def test_xlam_type_names(name, kind, optional):
    text = read_type(name)
    assert (text.schema, text.required is False) == (kind, optional)


@pytest.mark.parametrize(
    ("name", "required", "default"),
    [
        ("int, default=3", False, [3]), ("int, default 3", False, [3]), ("int (default: 3)", False, [3]),
        ("int = 3", False, [3]), ("int, defaults to 3", False, [3]), ("int=-3", False, [-3]),
        ("int, optional, default is 3", False, [3]), ("str, optional (default is 'a, b')", False, ["a, b"]),
        ("str = 'x=1'", False, ["x=1"]), ("bool, default: true", False, [True]),
        ("str, default: none", False, [None]),
        ("str, default en-US", False, ["en-US"]), ("List[int] = [1, 2]", False, [[1, 2]]), ("str, required", True, []),
        ("str (required)", True, []), ("Literal['a=b']", None, []), ("Literal['optional']", None, []),
        ("str", None, []),
        ("int, default=exit()", False, ["exit()"]),
    ],
)  # fmt: skip
def test_what_a_type_text_says_beside_the_type(name, required, default):
    text = read_type(name)
    assert (text.required, text.default) == (required, default) and not text.unread


XLAM = {
    "name": "weather.forecast",
    "description": "The forecast.",
    "parameters": {
        "city": {"description": "Where.", "type": "str"},
        "days": {"description": "How long.", "type": "int", "default": 3},
        "tags": {"description": "Which.", "type": "List[str], optional"},
        "unit": {"default": "C", "enum": ["C", "F"], "type": "str", "description": "Degrees."},
        "type": {"description": "A parameter that is called type.", "type": "str"},
    },
}


def test_to_bfcl_to_the_byte():
    assert json.dumps(to_bfcl(XLAM)["parameters"]) == (
        '{"type": "dict", "properties": {'
        '"city": {"type": "string", "description": "Where."}, '
        '"days": {"type": "integer", "description": "How long.", "default": 3}, '
        '"tags": {"type": "array", "items": {"type": "string"}, "description": "Which."}, '
        '"unit": {"type": "string", "description": "Degrees.", "enum": ["C", "F"], "default": "C"}, '
        '"type": {"type": "string", "description": "A parameter that is called type."}}, '
        '"required": ["city", "type"]}'
    )
    assert list(to_bfcl(XLAM)) == ["name", "description", "parameters"]
    assert to_bfcl(to_bfcl(XLAM)) == to_bfcl(XLAM)


@pytest.mark.parametrize(
    "tool",
    [{}, {"name": "f"}, {"name": "f", "parameters": []}, {"name": "f", "parameters": {"a": "str"}}],
)
def test_malformed_tools_are_refused(tool):
    with pytest.raises(DataError, match="give it"):
        to_bfcl(tool)


def test_json_schema_is_the_same_from_both_forms():
    schema = to_json_schema(XLAM)
    assert schema == to_json_schema(to_bfcl(XLAM))
    assert schema["required"] == ["city", "type"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["tags"] == {"type": "array", "items": {"type": "string"}}
    assert schema["properties"]["unit"] == {"type": "string", "enum": ["C", "F"]}


@pytest.mark.parametrize(
    ("spec", "schema"),
    [
        ({"type": "float"}, {"type": "number"}),
        ({"type": "any"}, {}),
        ({"type": "tuple", "items": {"type": "float"}}, {"type": "array", "items": {"type": "number"}}),
        ({"type": "ArrayList", "items": {"type": "String"}}, {"type": "array", "items": {"type": "string"}}),
        ({"type": "long"}, {"type": "integer"}),
        ({"type": "dict"}, {"type": "object"}),
        ({"type": "string", "default": None}, {"type": ["string", "null"]}),
        (
            {"type": "string", "enum": ["a"], "default": None},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ({"type": "integer", "maximum": 9}, {"type": "integer", "maximum": 9}),
        (
            {"type": "array", "items": {"type": "string"}, "enum": ["a", "b"]},
            {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
        ),
        (
            {"type": "dict", "properties": {"k": {"type": "boolean"}}, "required": ["k", "gone"]},
            {
                "type": "object",
                "properties": {"k": {"type": "boolean"}},
                "required": ["k"],
                "additionalProperties": False,
            },
        ),
    ],
)
def test_bfcl_types_as_json_schema(spec, schema):
    tool = {"name": "f", "parameters": {"type": "dict", "properties": {"a": spec}, "required": []}}
    assert to_json_schema(tool)["properties"]["a"] == schema
