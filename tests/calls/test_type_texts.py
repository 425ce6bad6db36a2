"""Type texts in the spellings that data sets have: the type, and what is said beside it. Nothing is read as a guess."""

import time
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funreason.calls.typenames import read_type

STRING, INTEGER, FLOAT, BOOLEAN, DICT = ({"type": kind} for kind in ("string", "integer", "float", "boolean", "dict"))


def array(items: dict) -> dict:
    return {"type": "array", "items": items}


def enum(*values: str) -> dict:
    return {"type": "string", "enum": list(values)}


@pytest.mark.parametrize(
    ("texts", "schema"),
    [
        (["string (date)", "date (YYYY-MM-DD)", "date-time", "varchar(255)", "string: the city", "date string",
          "ISO 8601 date", "std::string", "&str", "<class 'str'>", "`str`", '"string"', "date/time", "uuid"], STRING),
        (["integer (1-10)", "integer(int64)", "integer<int32>", "int > 0", "int - number of items", "uint8", "i64",
          "integer between 1 and 10", "int, must be above 3", "long long", "(int)", "int."], INTEGER),
        (["number (float)", "number($float)", "float (latitude)", "float64", "f32", "int,float"], FLOAT),
        (["boolean (true/false)", "Bool"], BOOLEAN),
        (["dict of str to int", "Record<string, number>", "Map<string, int>", "json object", "{}", "{'a': 1}",
          "HashMap<String,Integer>"], DICT),
        (["string[] ", "list of strings", "[str]", "Vec<String>", "string array", "List['str']", "array(string)",
          "list (of str)", "ArrayList<String>", "list of 3 strings"], array(STRING)),
        (["list of dictionaries", "array of objects"], array(DICT)),
        (["Enum[A, b]", "enum(A, b)", "enum: A, b", "Enum: A|b", "one of: A or b", "one of ['A', 'b']", "'A' | 'b'",
          "Literal['A', 'b']", "['A', 'b']"], enum("A", "b")),
        (["enum: 'a, b', 'c'"], enum("a, b", "c")),
        (["enum(1, 2)", "Literal[1, 2]", "1 or 2"], {"type": "integer", "enum": [1, 2]}),
        (["int or list of int", "int | int[]", "int, List[int]"], {"type": "any", "anyOf": [INTEGER, array(INTEGER)]}),
        (["list of int or str"], array({"type": "any", "anyOf": [INTEGER, STRING]})),
        (["(int, int)", "tuple of ints", "Tuple(int, int)"], {"type": "tuple", "items": INTEGER}),
    ],
)  # fmt: skip
def test_one_type_in_many_spellings(texts, schema):
    for text in texts:
        for spelled in (text, f"{text}, optional", *([] if text.startswith("[") else [f"Optional {text}"])):
            read = read_type(spelled)
            assert (read.schema, read.unread) == (schema, False), spelled
            assert read.required is (None if spelled == text else False), spelled


@pytest.mark.parametrize(
    ("text", "required", "null", "default"),
    [
        ("(optional) int", False, False, []), ("required int", True, False, []), ("int?", False, True, []),
        ("int [optional]", False, False, []), ("int - optional", False, False, []), ("nullable int", False, True, []),
        ("int, nullable", False, True, []), ("int, not required", False, False, []),
        ("non-optional int", True, False, []),
        ("int, required: false", False, False, []), ("int (required=True)", True, False, []),
        ("Required[int]", True, False, []), ("NotRequired[int]", False, False, []), ("Option<int>", False, True, []),
        ("Annotated[Optional[int], 'x']", False, True, []), ("int or undefined", False, True, []),
        ("int [default: 3]", False, False, [3]), ("int{default=3}", False, False, [3]), ("int := 3", False, False, [3]),
        ("int (3 by default)", False, False, [3]), ("int, by default 3", False, False, [3]),
        ("int with default 3", False, False, [3]), ("int. Default is 3.", False, False, [3]),
        ("int,default=3,required", False, False, [3]), ("int, default=3 (optional)", False, False, [3]),
        ("int, default: 3 items", False, False, [3]), ("int, default", False, False, []),
        ("int, default=", False, False, []),
        ("int | None = None", False, True, [None]), ("int, default: this year", False, False, ["this year"]),
    ],
)  # fmt: skip
def test_what_is_said_beside_the_type(text, required, null, default):
    read = read_type(text)
    assert (read.schema, read.unread) == (INTEGER, False)
    assert (read.required, read.null, read.default) == (required, null, default)


@pytest.mark.parametrize(
    ("text", "default"),
    [("str, default=3", "3"), ("str = true", "true"), ("str = 'true'", "true"), ("float, default 3", 3),
     ("bool = true", True), ("bool, default False", False), ("list[int] = [1, 2]", [1, 2]), ("dict, default={}", {}),
     ("str, default ''", ""), ("str = \"it's\"", "it's"), ("str, default: a (b)", "a (b)")],
)  # fmt: skip
def test_a_default_is_a_value_of_the_type(text, default):
    assert read_type(text).default == [default]


@pytest.mark.parametrize(
    "text",
    ["Widget", "None", "null", "callable", "int and str", "List[Widget]", "Dict[", "optional", "= 3", "a|b", "*",
     "image", "Type[int]", "list of things", "string literal", "Literal[None]", "List[None]", "Literal[[1]]", "Enum",
     "number plate"],
)  # fmt: skip
def test_what_has_no_counterpart_is_reported(text):
    assert read_type(text).unread


PIECES = ["int", "str", "list", "[", "]", "(", ")", "<", ">", "{", "}", "|", "/", " or ", " of ", ",", "'", '"', "=",
          " ", "optional", "required", "default", "enum", ":", "?", "3", "None", ".", "-", "&", "`", "Literal",
          "by default"]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_any_text_is_read_or_reported(text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = read_type(text)
    assert read.unread or set(read.schema) <= {"type", "items", "enum", "anyOf"}


@pytest.mark.parametrize("piece", [*PIECES, "list of ", "[]", "int or ", "a, ", "((", "Optional["])
def test_long_texts_are_read_fast(piece):
    started = time.perf_counter()
    for length in (990, 100_000):
        read_type((piece * length)[:length])
    assert time.perf_counter() - started < 2
