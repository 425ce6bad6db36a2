"""Names that the call language cannot write: identifiers for models, and the way back."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funreason.calls import Call, CallSyntaxError, parse, render, validate
from funreason.calls.names import NameMap, is_callable
from funreason.calls.text import is_name
from funreason.core.errors import DataError

REAL = Path(__file__).parents[3] / "shared/data/real"


def tool(name: str, *parameters: str) -> dict:
    return {"name": name, "description": "…", "parameters": {key: {"type": "str"} for key in parameters}}


def test_names_become_readable_identifiers() -> None:
    names = {
        "get-weather": "get_weather",
        "Search Managers": "Search_Managers",
        "products/list": "products_list",
        "B.36yFMixvp": "B_36yFMixvp",
        ".bV53A2e.h": "bV53A2e_h",
        "8DJIZ3": "f_8DJIZ3",
        "ﬁnd": "find",
        "True": "True_",
        "???": "f",
        "天気 予報": "天気_予報",
    }
    assert {name: one for one, name in NameMap.of(map(tool, names)).originals.items()} == names
    parameters = {"start-date": "start_date", "7SN.pj": "p_7SN_pj", "$top": "top", "": "p", "None": "None_"}
    assert {name: one for one, name in NameMap.of([tool("f", *parameters)]).originals.items()} == parameters


def test_a_row_whose_names_can_be_written_has_no_map() -> None:
    names = NameMap.of([tool("math.sqrt", "class", "größe"), tool("get_weather")])
    tools, calls = [tool("get_weather")], [Call("get_weather")]
    assert not names
    assert names.to_row() == {}
    assert names.tools(tools) is tools and names.calls(calls) is calls
    assert names.undo_tools(tools) is tools and names.undo_calls(calls) is calls
    assert names.text("get_weather") == names.undo_text("get_weather") == "get_weather"


def test_an_identifier_stands_for_one_name_of_the_row() -> None:
    tools = [tool("get weather", "start-date"), tool("get-weather", "start_date"), tool("get_weather_2")]
    names = NameMap.of(tools)
    assert names.originals == {
        "get_weather": "get weather",
        "get_weather_3": "get-weather",
        "start_date_2": "start-date",
    }
    assert NameMap.of(tools[::-1]) == names, "the order of the tools decides"


def test_texts_do_not_change_the_identifiers() -> None:
    tools = [tool("get-weather")]
    assert NameMap.of(tools, ["get_weather and get-weather"]).originals == NameMap.of(tools).originals


def test_tools_of_both_forms_are_renamed_with_what_is_required() -> None:
    xlam = tool("get-weather", "start-date", "days") | {"required": ["start-date"]}
    bfcl = {
        "name": "products/list",
        "parameters": {
            "type": "object",
            "properties": {"page-size": {"type": "integer", "default": 5}, "tags": {"type": "object"}},
            "required": ["page-size"],
        },
    }
    names = NameMap.of([xlam, bfcl])
    first, second = names.tools([xlam, bfcl])
    assert (first["name"], list(first["parameters"]), first["required"]) == (
        "get_weather",
        ["start_date", "days"],
        ["start_date"],
    )
    assert second["parameters"]["required"] == ["page_size"]
    assert list(second["parameters"]["properties"]) == ["page_size", "tags"]
    assert json.dumps(names.undo_tools([first, second])) == json.dumps([xlam, bfcl])


def test_tools_without_parameters_keep_what_they_have() -> None:
    kinds: list = [{}, None, {"type": "object"}, {"type": "object", "$schema": "x-y", "properties": None}]
    tools = [{"name": f"list-{number}", "parameters": parameters} for number, parameters in enumerate(kinds)]
    names = NameMap.of([*tools, {"name": "list-5"}])
    assert [tool["parameters"] for tool in names.tools(tools)] == kinds
    assert names.tools([{"name": "list-5"}]) == [{"name": "list_5"}]


def test_the_keys_of_values_stay() -> None:
    names = NameMap.of([tool("set-tags", "start-date")])
    call = {"name": "set-tags", "arguments": {"start-date": {"start-date": 1}}}
    assert render(names.calls([call])) == "[set_tags(start_date={'start-date': 1})]"
    assert names.undo_calls(names.calls([call])) == [call]


def test_call_text_with_the_users_names_is_read() -> None:
    names = NameMap.of(
        [tool("Search Managers", "name", "7SN.pj"), tool("products/list", "a"), tool("get-weather", "a-b")]
    )
    text = (
        "[Search Managers(name='x, products/list(a=1)', 7SN.pj=2), products/list ( a = 1 ),get-weather(a-b='it\\'s')]"
    )
    assert render(names.parse(text)) == (
        "[Search_Managers(name='x, products/list(a=1)', p_7SN_pj=2), products_list(a=1), get_weather(a_b=\"it's\")]"
    )
    assert names.parse("get-weather(a-b={'a-b': \"Search Managers(name='x')\"})") == [
        Call("get_weather", {"a_b": {"a-b": "Search Managers(name='x')"}})
    ]
    assert names.parse("[get_weather(a_b=1)]") == [Call("get_weather", {"a_b": 1})]
    assert NameMap.of([tool('"q"', "'p'")]).parse("""["q"('p'='"q"(')]""") == [Call("q", {"p": '"q"('})]
    assert NameMap.of([tool("f", "")]).parse("[f(='x', g='')]") == [Call("f", {"p": "x", "g": ""})]


def test_only_known_names_are_read_the_longest_first() -> None:
    names = NameMap.of([tool("Get User"), tool("Get User By Id", "Id x", "x-x"), tool("ﬁnd"), tool("find")])
    assert names.parse("[Get User By Id(Id x=1, x-x=2), Get User()]") == [
        Call("Get_User_By_Id", {"Id_x": 1, "x_x": 2}),
        Call("Get_User"),
    ]
    assert names.parse("[ﬁnd(), find()]") == [Call("find_2"), Call("find")]  # Python alone reads both as find
    for text in ("[Get Users()]", "[Get User By Name()]", "[get-weather()]", "[Get User By Id(y-x=1)]"):
        with pytest.raises(CallSyntaxError):
            names.parse(text)


def test_names_in_texts_are_replaced_as_whole_words() -> None:
    names = NameMap.of([tool("get-weather", "$top", "7SN.pj"), tool("Search Managers"), tool("sort")])
    text = "I call get-weather, not get-weather-v2 or my/get-weather. Search Managers? `7SN.pj` and $top."
    written = "I call get_weather, not get-weather-v2 or my/get-weather. Search Managers? `p_7SN_pj` and $top."
    assert names.text(text) == written
    assert names.undo_text(written) == text
    assert names.undo_text("Search_Managers at the top") == "Search Managers at the top"
    assert NameMap.of([tool("get-user", "get-user+id")]).text("get-user+id, get-user") == "get_user_id, get_user"


def test_texts_that_cannot_be_given_back_are_left() -> None:
    tools, text = [tool("get-weather")], "get-weather, so get_weather"
    assert NameMap.of(tools, ["get-weather"]).in_texts
    names = NameMap.of(tools, ["get-weather", text])
    assert names.text(text) == names.undo_text(text) == text
    assert NameMap.from_row(json.loads(json.dumps(names.to_row()))) == names


@pytest.mark.parametrize(
    ("tools", "problem"),
    [
        ([tool("a-b"), tool("c"), tool("a-b")], "two tools have the name 'a-b': rename or delete one"),
        ([tool("")], "has no name: give it one"),
        ([{"parameters": {}}], "has no name: give it one"),
    ],
)
def test_tools_without_names_of_their_own_are_refused(tools: list, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        NameMap.of(tools)


NAMES = st.one_of(
    st.text(st.sampled_from("aB1_-./ ='\"(,ﬁ²é🎈天\\n"), max_size=6),
    st.sampled_from(["get-weather", "get_weather", "get weather", "True", "class", "f", "f_2", "p", "a.b", "a..b"]),
    st.text(max_size=4).filter(lambda text: text.isprintable()),
)
VALUES = st.one_of(NAMES, st.integers(), st.lists(NAMES, max_size=2), st.dictionaries(NAMES, NAMES, max_size=2))
TOOLS = st.lists(
    st.builds(tool, NAMES.filter(bool), *[NAMES] * 3), min_size=1, max_size=4, unique_by=lambda each: each["name"]
)


@given(tools=TOOLS, data=st.data())
@settings(max_examples=300, deadline=None)
def test_any_names_can_be_written_read_and_given_back(tools: list[dict], data: st.DataObject) -> None:
    names = NameMap.of(tools)
    written = names.tools(tools)
    assert all(is_callable(each["name"]) and all(map(is_name, each["parameters"])) for each in written)
    assert len({each["name"] for each in written}) == len(tools)
    assert names.undo_tools(written) == tools
    assert not NameMap.of(written)
    called = data.draw(st.lists(st.sampled_from(tools), max_size=3))
    calls = [Call(each["name"], {key: data.draw(VALUES) for key in each["parameters"]}) for each in called]
    answer = render(names.calls(calls))
    assert names.undo_calls(parse(answer)) == calls
    assert names.parse(answer) == names.calls(calls)
    assert not [problem for problem in validate(parse(answer), written) if "allowed: string" not in problem]
    text = data.draw(st.text("aB1_-./ ()") | st.lists(NAMES, max_size=4).map(" ".join))
    of_text = NameMap.of(tools, [text])
    assert of_text.undo_text(of_text.text(text)) == text
    assert of_text.originals == names.originals


def test_a_name_that_looks_like_the_beginning_of_a_list():
    """Found by drawing: `[A` is written `A`, and `[A(p='')]` spells it only as an identifier."""
    tools = [tool("[A", "p")]
    names = NameMap.of(tools)
    call = names.calls([Call("[A", {"p": ""})])
    assert names.parse(render(call)) == names.parse("[[A(p='')]") == call
    with pytest.raises(CallSyntaxError):
        names.parse("[A(p=")


SPELLED = st.text(st.sampled_from("aB1_-./ ﬁ²é🎈天:$"), min_size=1, max_size=6).filter(
    lambda name: name == name.strip()
)


@given(tools=st.lists(st.builds(tool, SPELLED, SPELLED), min_size=1, max_size=4, unique_by=lambda each: each["name"]))
@settings(max_examples=300, deadline=None)
def test_any_names_are_read_as_the_user_spells_them(tools: list[dict]) -> None:
    names = NameMap.of(tools)
    calls = [{"name": each["name"], "arguments": dict.fromkeys(each["parameters"], each["name"])} for each in tools]
    spelled = [f"{each['name']}({next(iter(each['parameters']))}={each['name']!r})" for each in tools]
    assert names.parse(f"[{', '.join(spelled)}]") == [Call.of(call) for call in names.calls(calls)]


@pytest.mark.skipif(not REAL.is_dir(), reason="shared/data/real is not here")
@pytest.mark.parametrize(("file", "mapped"), [("xlam_like", 16), ("with_cot", 103)])
def test_real_rows_with_odd_names(file: str, mapped: int) -> None:
    count = 0
    with gzip.open(REAL / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            tools, answers = json.loads(row["tools"]), json.loads(row["answers"])
            names = NameMap.of({each["name"]: each for each in tools}.values())
            if not names:
                continue
            count += 1
            assert names.undo_tools(names.tools(tools)) == tools
            if row["id"] == "toolrl/241":  # its call has a parameter `"1234567890"], user_credentials`
                continue
            text = render(names.calls(answers))
            assert [call.to_row() for call in names.undo_calls(parse(text))] == answers
            if answers and (response := row.get("response")):
                assert names.parse(response["answer"]) == parse(text)
    assert count == mapped
