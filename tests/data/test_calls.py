"""Calls in every published spelling, and what is said beside them."""

import json

import pytest

from .published import CALL, CALL_TEXT, JSON_CALL, QUERY, WEATHER, chat
from .reading import accepted, refused

TIME = {"name": "get_time", "description": "The time now.", "parameters": {}}


def turn(content: object, **more: object) -> dict:
    return {"tools": [WEATHER, TIME], "messages": [{"role": "user", "content": QUERY},
                                                   {"role": "assistant", "content": content, **more}]}  # fmt: skip


@pytest.mark.parametrize("arguments", [None, "", "null", "None", "{}", {}, " ", '"{}"', "missing"], ids=repr)
@pytest.mark.parametrize("key", ["arguments", "parameters"])
def test_arguments_that_are_absent_are_none(arguments: object, key: str) -> None:
    call = {"name": "get_time"} | ({} if arguments == "missing" else {key: arguments})
    wrapped = {"type": "function", "function": call}
    expected = [{"name": "get_time", "arguments": {}}]
    for value in ([call], json.dumps([call]), json.dumps(json.dumps([call]))):
        assert accepted({"query": "q", "tools": [TIME], "answers": value}).tasks[0].answers == expected
    for row in (turn(None, tool_calls=[wrapped]), turn("", tool_calls=json.dumps([wrapped])), turn([call]),
                turn(f"<tool_call>{json.dumps(call)}</tool_call>")):  # fmt: skip
        assert accepted(row).tasks[0].answers == expected


@pytest.mark.parametrize(
    "arguments", ['{"city": "Ghent"}', json.dumps('{"city": "Ghent"}'), {"city": "Ghent"}], ids=repr
)
def test_arguments_may_be_json_text_of_json_text(arguments: object) -> None:
    call = {"name": "get_weather", "arguments": arguments}
    assert accepted({"query": "q", "tools": [WEATHER], "answers": [call]}).tasks[0].answers == [CALL]
    assert accepted(turn(None, tool_calls=[{"function": call}])).tasks[0].answers == [CALL]


@pytest.mark.parametrize("answers", ["", None, "null", "[]", []], ids=repr)
def test_answers_that_are_absent_mean_that_no_call_fits(answers: object) -> None:
    assert accepted({"query": "q", "tools": [WEATHER], "answers": answers}).tasks[0].answers == []


@pytest.mark.parametrize(
    "text",
    [
        CALL_TEXT,
        JSON_CALL,
        f"```json\n[{JSON_CALL}]\n```",
        f"```[{JSON_CALL}]```",
        f"<tool_call>\n{JSON_CALL}\n</tool_call>",
        f"<tool_call>\n{JSON_CALL}",
        f"<tool_call>\\n{JSON_CALL}\\n</tool_call>",
        f"<tool_call>{CALL}</tool_call>",
        f"<tool_call>[{JSON_CALL}]</tool_call><|im_end|>",
        f"<TOOLCALL>[{JSON_CALL}]</TOOLCALL>",
        f"[TOOL_CALLS] [{JSON_CALL}]",
        """<functioncall> {"name": "get_weather", "arguments": '{"city": "Ghent"}'} <|endoftext|>""",
        f"<tool_call>{CALL_TEXT}</tool_call>",
        '{"name": "get_weather", "parameters": {"city": "Ghent"}}',
        '{"function": {"name": "get_weather", "arguments": "{\\"city\\": \\"Ghent\\"}"}}',
    ],
)
def test_calls_in_a_text(text: str) -> None:
    row = accepted(turn(text))
    assert (row.tasks[0].answers, row.texts) == ([CALL], 0)
    thought = accepted(turn(f"<think>\nhm\n</think>\n\n{text}")).tasks[0]
    assert (thought.answers, thought.response["cot"]) == ([CALL], "hm")


def test_several_calls_between_tags() -> None:
    for text in (f"<tool_call>{JSON_CALL}</tool_call>\n<tool_call>{JSON_CALL}</tool_call>",
                 f"<tool_call>\n{JSON_CALL}\n{JSON_CALL}\n</tool_call>",
                 f"<tool_call>\n{JSON_CALL}\n<tool_call>\n{CALL}",
                 f"{JSON_CALL}\n{JSON_CALL}"):  # fmt: skip
        assert accepted(turn(text)).tasks[0].answers == [CALL, CALL]


@pytest.mark.parametrize(
    ("written", "city"),
    [
        ("Ghent\\'s", "Ghent's"),
        ("Ghent's", "Ghent's"),
        ('the \\"old\\" town', 'the "old" town'),
        ("a\\nb", "a\nb"),
        ("a\\\\b", "a\\b"),
    ],
)
def test_arguments_between_single_quotes_are_json(written: str, city: str) -> None:
    text = f"""<functioncall> {{"name": "get_weather", "arguments": '{{"city": "{written}"}}'}}"""
    assert accepted(turn(text)).tasks[0].answers[0]["arguments"] == {"city": city}


@pytest.mark.parametrize(
    "text",
    [
        '{"title": "X", "name": "no tool"}',
        "[1, 2]",
        "See (below).",
        "[]()",
        "{'a': 1}",
        json.dumps([TIME]),
        json.dumps(WEATHER),
        str(TIME),
    ],
)
def test_a_statement_that_looks_like_a_call_stays_one(text: str) -> None:
    assert accepted(turn(text)).tasks[0].answers == []


@pytest.mark.parametrize("text", ["[get_weather(city=Ghent)]", "[unknown(Ghent)]", '<tool_call>{"name": </tool_call>',
                                  '[{"name": "get_weather", "arguments": {"city": }}]',
                                  "<tool_call><function=get_weather></function></tool_call>"])  # fmt: skip
def test_a_call_that_cannot_be_read_is_no_statement(text: str) -> None:
    assert refused(turn(text)).kind == "unreadable call"
    kept = accepted(turn(f"<think>hm</think>\n{text}")).tasks[0]
    assert (kept.answers, kept.response) == ([], {"cot": "hm", "answer": text})  # the checks say what is wrong with it


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_a_reasoning_in_a_field_is_the_rows_reasoning(field: str) -> None:
    expected = {"cot": "Ghent is a city.", "answer": CALL_TEXT}
    thought = "Ghent is a city."
    for row in (turn(CALL_TEXT, **{field: thought}),
                turn(None, tool_calls=[CALL], **{field: f"<think>{thought}</think>"}),
                turn(CALL_TEXT) | {field: thought},
                turn([{"type": "thinking", "thinking": thought}, {"type": "text", "text": CALL_TEXT}]),
                turn(f"<think>{thought}</think>{CALL_TEXT}", **{field: thought}),
                {"query": "q", "tools": [WEATHER], "answers": [CALL], field: thought}):  # fmt: skip
        assert accepted(row).tasks[0].response == expected
    assert accepted(turn(CALL_TEXT, **{field: ""})).tasks[0].response is None
    assert accepted(turn(CALL_TEXT, **{field: None})).tasks[0].response is None


def test_fields_with_a_text_that_nothing_reads_are_named() -> None:
    row = turn(CALL_TEXT, details=[{"text": "hm"}], weight=1, name="bot") | {
        "topic": "x",
        "score": 3,
        "empty": {"a": ""},
    }
    assert accepted(row).ignored == ("topic", "messages.details")


DOUBLE = '{"city": "Ghent", "city": "Paris"}'


@pytest.mark.parametrize(
    "raw",
    [
        '{"query": "q", "query": "r", "tools": [], "answers": []}',
        f'{{"query": "q", "tools": [{{"name": "f", "parameters": {DOUBLE}}}], "answers": []}}',
        json.dumps({"query": "q", "tools": f'[{{"name": "f", "parameters": {DOUBLE}}}]', "answers": "[]"}),
        json.dumps({"query": "q", "tools": [{"name": "f", "parameters": DOUBLE}], "answers": "[]"}),
        json.dumps({"query": "q", "tools": [WEATHER], "answers": f'[{{"name": "f", "arguments": {DOUBLE}}}]'}),
        json.dumps({"query": "q", "tools": [WEATHER], "answers": [{"name": "f", "arguments": DOUBLE}]}),
        json.dumps(turn(None, tool_calls=[{"function": {"name": "get_weather", "arguments": DOUBLE}}])),
        json.dumps(turn(f'<tool_call>{{"name": "get_weather", "arguments": {DOUBLE}}}</tool_call>')),
        json.dumps(turn(f'[{{"name": "get_weather", "arguments": {DOUBLE}}}]')),
        json.dumps(chat(("system", f'<tools>[{{"name": "f", "parameters": {DOUBLE}}}]</tools>'), ("user", "q"))),
        json.dumps(turn("a") | {"messages": f'[{{"role": "user", "content": "q", "content": "r"}}, {DOUBLE}]'}),
    ],
)  # fmt: skip
def test_a_key_that_stands_twice_is_an_error_wherever_it_stands(raw: str) -> None:
    row = refused(raw.encode())
    assert (row.kind, row.row, row.skipped) == ("repeated key", 1, False)
    assert "the key '" in row.reason


def test_a_repeated_key_costs_the_conversation_wherever_it_stands() -> None:
    row = turn("Hello.")
    row["messages"] += [{"role": "user", "content": "b"}, {"role": "assistant", "content": None, "tool_calls": [
        {"function": {"name": "get_weather", "arguments": DOUBLE}}]}]  # fmt: skip
    assert refused(row).kind == "repeated key"


def test_tools_of_one_name() -> None:
    other = WEATHER | {"description": "Another."}
    row = {"query": "q", "tools": [WEATHER, TIME, other], "answers": [CALL]}
    assert refused(row).kind == "repeated tool" and "get_weather" in refused(row).reason
    assert accepted(row | {"tools": [WEATHER, TIME, WEATHER]}).tasks[0].tools == [WEATHER, TIME]


def test_a_result_with_a_repeated_key_is_only_a_text() -> None:
    row = turn(CALL_TEXT)
    row["messages"] += [{"role": "tool", "content": DOUBLE}, {"role": "assistant", "content": "Done."}]
    assert accepted(row).tasks[1].steps[1]["content"] == DOUBLE
