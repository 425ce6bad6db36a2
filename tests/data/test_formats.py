"""Rows of every published format become the same tasks."""

import json
from typing import get_args

import pytest

from funreason.config.blocks import PrepareParams
from funreason.data.formats import FORMATS
from funreason.data.rows import AUTO

from .published import (
    ANSWER,
    CALL,
    CALL_TEXT,
    JSON_CALL,
    QUERY,
    RESULT,
    TOOLACE_SYSTEM,
    TOOLRL_CALL,
    TOOLRL_FIRST,
    TOOLRL_INSTRUCTION,
    TRENDS,
    WEATHER,
    WHOLE,
    WRAPPED,
    chat,
    sharegpt,
)
from .reading import accepted, read, refused

NAMES = {
    "openai text": "openai", "function_call": "openai", "columns": "openai", "trl": "openai",
    "llama-factory": "sharegpt", "qwen": "hermes", "glaive in a line": "glaive",
}  # fmt: skip
STEPS = [{"role": "assistant", "content": CALL_TEXT}, {"role": "tool", "content": RESULT}]


@pytest.mark.parametrize("name", WHOLE)
def test_every_spelling_is_the_same_conversation(name: str) -> None:
    row = accepted(WHOLE[name])
    first, second = row.tasks
    assert (row.format, row.is_conversation, dict(row.left_out)) == (NAMES.get(name, name), True, {})
    assert (first.query, first.answers, first.history, first.steps) == (QUERY, [CALL], [], [])
    assert (second.query, second.answers, second.history, second.steps) == (QUERY, [], [], STEPS)
    assert first.tools[0]["name"] == "get_weather"
    assert first.tools[0]["parameters"] == WEATHER["parameters"]


@pytest.mark.parametrize("name", WHOLE)
def test_a_format_that_is_set_reads_what_it_would_have_found(name: str) -> None:
    assert accepted(WHOLE[name], format=NAMES.get(name, name)).tasks == accepted(WHOLE[name]).tasks


def test_every_format_can_be_set() -> None:
    assert set(get_args(PrepareParams.model_fields["format"].annotation)) == {AUTO, *FORMATS}


def test_a_row_in_another_format_than_the_one_set_is_malformed() -> None:
    assert refused(WHOLE["toolace"], format="xlam").kind == "no query"
    assert refused(WHOLE["toolace"], format="glaive").kind == "no chat"


def test_a_format_that_is_set_decides_where_a_row_could_be_read_in_two_ways() -> None:
    row = WHOLE["openai"] | {"query": "Another?", "answers": "[]"}
    assert refused(row).kind == "fields beside messages"
    assert accepted(row, format="xlam").tasks[0].query == "Another?"
    assert accepted(row, format="openai").tasks[0].query == QUERY
    assert accepted(row, format="openai").ignored == ("answers", "query")
    assert refused({"query": "q", "tools": [WEATHER], "answers": []}, format="openai").kind == "no messages"


def test_a_row_in_no_format_says_what_it_has_and_what_is_read() -> None:
    row = refused({"text": "hello", "label": 3})
    assert row.reason.startswith("unknown format: the fields are 'text', 'label'; formats that are read: ToolRL")


def test_toolrl_rows_are_one_turn_with_the_turns_before_it() -> None:
    history = f"{TOOLRL_FIRST}\n<think> I call. </think>\n{TOOLRL_CALL}\n\n<obs> {RESULT} </obs>\n"
    output = f"<think> It is known. </think>\n<response> {ANSWER} </response>"
    row = accepted({"id": 3, "instruction": TOOLRL_INSTRUCTION, "input": history, "output": output})
    (task,) = row.tasks
    assert (task.id, task.query, task.history) == ("3", QUERY, []) and not row.is_conversation
    assert task.steps == [STEPS[0] | {"reasoning": "I call."}, STEPS[1]]
    assert task.response == {"cot": "It is known.", "answer": ANSWER}
    assert [tool["name"] for tool in task.tools] == ["get_weather", "other"]
    assert task.tools[1]["description"] == "Another.\nOf two lines."


@pytest.mark.parametrize("place", ["extra_info", "prompt"])
def test_toolrls_rl_rows_have_no_reasoning(place: str) -> None:
    """Each has the same sentence in its place."""
    thought = "I should use the appropriate tool with proper parameters to respond to the user's need."
    output = f"<think> {thought} </think>\n{TOOLRL_CALL}"
    prompt = [{"role": "system", "content": TOOLRL_INSTRUCTION}, {"role": "user", "content": TOOLRL_FIRST}]
    texts = {"instruction": TOOLRL_INSTRUCTION, "input": TOOLRL_FIRST, "output": output}
    row = {"prompt": prompt, "reward_model": {"style": "rule", "ground_truth": output}, "data_source": "rlla"}
    (task,) = accepted(row | {"extra_info": texts if place == "extra_info" else {"index": 0}}).tasks
    assert (task.query, task.answers, task.response) == (QUERY, [CALL], None)


def test_when2call_rows() -> None:
    answers = {"direct": "Sunny.", "tool_call": JSON_CALL, "request_for_info": "Which city?"}
    row = {"question": QUERY, "answers": answers, "tools": [json.dumps(WEATHER)], "target_tool": json.dumps(WEATHER)}
    (called,) = accepted(row | {"correct_answer": "tool_call"}).tasks
    (asked,) = accepted(row | {"correct_answer": "request_for_info"}).tasks
    assert (called.query, called.answers, asked.answers) == (QUERY, [CALL], [])
    trained = chat(("user", QUERY), ("assistant", f"<TOOLCALL>[{JSON_CALL}]</TOOLCALL>"), tools=[json.dumps(WEATHER)])
    assert accepted(trained).format == "when2call" and accepted(trained).tasks[0].answers == [CALL]
    preferred = chat(("user", QUERY), tools=[WEATHER], rejected_response={"role": "assistant", "content": "No."})
    preferred["chosen_response"] = trained["messages"][1]
    assert accepted(preferred).tasks[0].answers == [CALL]
    assert refused(row | {"correct_answer": "none"}).kind == "bad answers"
    assert refused(row | {"correct_answer": "tool_call", "tools": []}).kind == "no tools"
    assert refused(row | {"correct_answer": "direct", "tools": []}).skipped


def test_toolace_calls_tools_whose_names_have_spaces() -> None:
    row = sharegpt(("user", "?"), ("assistant", '[Market Trends API(kind="all")]'), system=TOOLACE_SYSTEM)
    (task,) = accepted(row).tasks
    assert task.answers == [{"name": "Market_Trends_API", "arguments": {"kind": "all"}}]
    assert task.names["originals"] == {"Market_Trends_API": TRENDS["name"]}


def test_what_a_system_text_says_beside_the_tools_is_kept() -> None:
    today = "Today is 2024-05-01, a Wednesday."
    row = sharegpt(("user", "?"), ("assistant", CALL_TEXT), system=f"{TOOLACE_SYSTEM}\n{today}")
    assert accepted(row).tasks[0].history == [{"role": "system", "content": today}]


def test_a_policy_in_the_column_system_is_the_first_message() -> None:
    policy = "# Policy\nUse tools as the policy says."
    row = sharegpt(("human", "?"), ("function_call", JSON_CALL), ("human", "bye"), tools=[WEATHER], system=policy)
    (task,) = accepted(row).tasks
    assert task.history == [{"role": "system", "content": policy}]


@pytest.mark.parametrize(
    "row",
    [
        chat(("user", "hi"), ("assistant", "hello")),
        chat(("user", "hi"), ("assistant", "hello"), tools="[]"),
        chat(("user", "hi"), ("assistant", "hello"), tools=None),
        sharegpt(("system", "Answer in JSON: <schema>{}</schema>"), ("human", "hi"), ("gpt", '{"a": 1}')),
        {"system": "SYSTEM: You are a helpful assistant, with no access to external functions.\n",
         "chat": "USER: hi\n\n\nASSISTANT: hello"},
        {"query": "q", "tools": "[]", "answers": "[]"},
    ],
    ids=str,
)  # fmt: skip
def test_chats_without_tools_are_skipped_and_not_malformed(row: dict) -> None:
    skipped = refused(row)
    assert (skipped.skipped, skipped.kind) == (True, "without tools")


def test_calls_without_tools_are_malformed() -> None:
    for row in (
        chat(("user", "hi"), ("assistant", f"<tool_call>{JSON_CALL}</tool_call>")),
        {"query": "q", "tools": "[]", "answers": [CALL]},
    ):
        assert (refused(row).skipped, refused(row).kind) == (False, "no tools")


def test_an_id_is_made_from_source_and_content() -> None:
    row = chat(("user", QUERY), ("assistant", CALL_TEXT), tools=[WRAPPED])
    first, again, other = read(row), read(row), read(row | {"n": 1})
    assert first.made_id and first.tasks[0].id == again.tasks[0].id != other.tasks[0].id
    assert not accepted(row | {"id": 0}).made_id
    (task,) = accepted({"query": "q", "tools": [WEATHER], "answers": "[]"}).tasks
    assert len(task.id) == 16


@pytest.mark.parametrize("value", [None, "", "missing"])
def test_an_absent_id_is_made(value: object) -> None:
    row = {"query": "q", "tools": [WEATHER], "answers": []} | ({} if value == "missing" else {"id": value})
    assert accepted(row).made_id


def test_a_tables_column_of_integers_with_a_gap_holds_numbers_with_a_point() -> None:
    assert accepted({"id": 3.0, "query": "q", "tools": [WEATHER], "answers": []}).tasks[0].id == "3"


def test_json_in_a_system_text_that_is_no_tool_stays() -> None:
    text = f'Answer with {{"name": "x", "parameters": {{}}}}, else with {json.dumps(WEATHER)}.'
    row = chat(("system", text), ("user", QUERY), ("assistant", CALL_TEXT), tools=[WEATHER])
    assert accepted(row).tasks[0].history == [{"role": "system", "content": text}]
    same = chat(
        ("system", f"Here is a tool: {json.dumps(WEATHER)}. Be kind."),
        *(("user", QUERY), ("assistant", "a")),
        tools=[WEATHER],
    )
    assert accepted(same).tasks[0].history == [{"role": "system", "content": "Be kind."}]


def test_llama_factorys_alpaca_form() -> None:
    row = {"instruction": QUERY, "input": "", "output": JSON_CALL, "tools": json.dumps([WEATHER]), "system": "Be kind."}
    (task,) = accepted(row | {"history": [["hi", "hello"]]}).tasks
    assert (task.query, task.answers) == (QUERY, [CALL])
    assert [message["content"] for message in task.history] == ["Be kind.", "hi", "hello"]


def test_a_response_may_be_a_completion() -> None:
    row = {"query": "q", "tools": [WEATHER], "answers": [CALL], "response": f"<think>c</think>\n\n{CALL_TEXT}"}
    assert accepted(row).tasks[0].response == {"cot": "c", "answer": CALL_TEXT}
    assert refused(row | {"response": "<think>c</think></think>"}).kind == "bad response"
