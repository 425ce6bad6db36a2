"""Calls to text and back: round trips, spellings that are read, texts and values that are refused."""

import random
import warnings

import pytest

from calls.random_calls import random_calls
from funreason.calls import Call, CallSyntaxError, parse, render
from funreason.calls.parser import MAX_CHARACTERS
from funreason.calls.text import MAX_DEPTH
from funreason.core.errors import DataError

ODD = {"a": "it's", "b": "a'b\\c\n", "c": "é", "d": "\\d"}
KEYWORDS = {"from": "x", "class": 1, "a": "from=1, class=2"}


def test_random_calls_survive_the_round_trip():
    rng = random.Random(0)
    for _ in range(3000):
        calls = random_calls(rng)
        text = render(calls)
        again = parse(text)
        assert again == calls, text
        assert repr(again) == repr(calls)  # 1, 1.0 and True are equal, but not the same call
        assert render([call.to_row() for call in again]) == text


def test_canonical_spelling():
    arguments = {"a": 1, "b": "it's", "c": [True, None, -0.5], "d": {"k": ["x"]}}
    row = {"name": "math.f", "arguments": arguments}
    assert render([row, Call("g")]) == """[math.f(a=1, b="it's", c=[True, None, -0.5], d={'k': ['x']}), g()]"""
    assert render([]) == "[]"


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("f(a=1)", [Call("f", {"a": 1})]),
        ("f(a=1), g()", [Call("f", {"a": 1}), Call("g")]),
        (" [ f( a = 1 ) ,\n g() , ]\n", [Call("f", {"a": 1}), Call("g")]),
        ("`[f()]`", [Call("f")]),
        ("[]", []),
        ("[f(a=true, b=false, c=null)]", [Call("f", {"a": True, "b": False, "c": None})]),
        ("[f(a=-1, b=+2.5, c=(1, 'x'))]", [Call("f", {"a": -1, "b": 2.5, "c": (1, "x")})]),
        (r"""[f(a="it's", b='a\'b\\c\n', c='\u00e9', d='\d')]""", [Call("f", ODD)]),
        ("[f(from='x', class=1, a='from=1, class=2')]", [Call("f", KEYWORDS)]),
        ("[json.import(in=1), lambda(is=2)]", [Call("json.import", {"in": 1}), Call("lambda", {"is": 2})]),
        ("[send(\n  to='é',\n  from='b',\n)]", [Call("send", {"to": "é", "from": "b"})]),
    ],
)
def test_spellings_that_are_read(text, calls):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse(text) == calls


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "empty"),
        ("I'm sorry, I can't.", None, "write [f("),
        ("[f(a=1)", None, "never closed"),
        ("[f(a=1)] Done.", None, "write [f("),
        ("[f(a=1)], [g()]", 0, "around"),
        ("1]+[2", 0, "around"),
        ("[f]", 1, "f is not a call"),
        ("[f()()]", 1, "function name"),
        ("[f('x')]", 3, "positional argument 'x'"),
        ("[f(*a)]", 3, "positional"),
        ("[f(**a)]", 5, "**"),
        ("[f(a=1, b=2, a=3)]", 13, "'a' is given twice"),
        ("[f(from=1, from=2)]", 11, "'from' is given twice"),
        ("[f(city=Paris)]", 8, "Paris is not a literal: quote text"),
        ("[f(from='é', city=Paris)]", 18, "Paris is not a literal"),
        ("[f('a'=1)]", None, "write [f("),
        ("[f(a='é', b=foo)]", 12, "foo"),
        ("[f(a='x',\n   b=foo)]", 15, "foo"),
        ("f(a=1, b=foo)", 9, "foo"),
        ("  [f(a=foo)]", 7, "foo"),
        ("[f(a=1+2)]", 5, "1+2 is not a literal"),
        ("[f(a=__import__('os').system('true'))]", 5, "not a literal"),
        ("[f(a=[x for x in y])]", 5, "not a literal"),
        ("[f(a=f'{b}')]", 5, "not a literal"),
        ("[f(a=b'x')]", 5, "not a JSON value"),
        ("[f(a={1: 2})]", 6, "dict key 1 is not a text"),
        ("[f(a={'x': 1, 'x': 2})]", 14, "'x' is given twice"),
        ("[f(a={**b})]", 5, "dict key"),
        ("[f(a={1, 2})]", 5, "not a literal"),
        ("[f(a=--1)]", 5, "not a literal"),
        ("[f(a=-True)]", 5, "not a literal"),
        ("[f(a=1e999)]", 5, "finite"),
        ("[f(a=nan)]", 5, "not a literal"),
        ("[f(a=1j)]", 5, "not a JSON value"),
        ("[f(a='\\ud800')]", 5, "surrogate"),
        ("[f(a=0x" + "f" * 300 + ")]", 5, "bits"),
        ("[f(None=1)]", None, "None"),
        ("[f(a='\x00')]", None, "null bytes"),
        ("\ud800", 0, "surrogates"),
    ],
)
def test_refused_with_position(text, position, message):
    with pytest.raises(CallSyntaxError) as caught:
        parse(text)
    assert message in str(caught.value)
    # Where Python's own parser stops differs between its versions: None.
    assert position is None or caught.value.position == position


@pytest.mark.parametrize(
    "value",
    [
        "[" * 10000,
        "[" * 150 + "]" * 150,
        "-" * 50000 + "1",
        "x" + ".y" * 40000,
        "lambda: " * 9000,
        "{1:" * 300,
    ]
    + ["1+" * 40000 + "1", "1 if 1 else " * 8000 + "1", "'a'" * MAX_CHARACTERS, "9" * 6000],
    ids=lambda value: value[:8],
)
def test_bombs_are_refused(value):
    with pytest.raises(CallSyntaxError):
        parse(f"[f(a={value})]")


def test_bomb_in_a_function_name():
    with pytest.raises(CallSyntaxError):
        parse("[f" + "()" * 20000 + "]")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"name": "get-user", "arguments": {}}, "'get-user'"),
        ({"name": "a..b", "arguments": {}}, "'a..b'"),
        ({"name": "f", "arguments": {"content-type": 1}}, "'content-type'"),
        ({"name": "f", "arguments": {"None": 1}}, "'None'"),
        ({"name": "f", "arguments": {"\ufb01le": 1}}, "identifier"),  # Python would read the ligature as "fi"
        ({"name": "f", "arguments": {"a": float("nan")}}, "parameter 'a': nan"),
        ({"name": "f", "arguments": {"a": [float("inf")]}}, "inf"),
        ({"name": "f", "arguments": {"a": 1 << 2000}}, "bits"),
        ({"name": "f", "arguments": {"a": "\ud800"}}, "surrogate"),
        ({"name": "f", "arguments": {"a": {1: 2}}}, "not a JSON value"),
        ({"name": "f", "arguments": {"a": {1, 2}}}, "not a JSON value"),
        ({"name": "f", "arguments": "a=1"}, "not a call"),
        ({"name": "f"}, "not a call"),
        ("f()", "not a call"),
    ],
)
def test_render_refuses_what_parse_could_not_read(call, message):
    with pytest.raises(DataError) as caught:
        render([call])
    assert message in str(caught.value)


def test_both_allow_the_same_depth():
    value = []
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    assert parse(render([Call("f", {"a": value})])) == [Call("f", {"a": value})]
    with pytest.raises(DataError, match="nested"):
        render([Call("f", {"a": [value]})])
    with pytest.raises(CallSyntaxError, match="nested"):
        parse(f"[f(a={[value]})]")
