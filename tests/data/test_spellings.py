"""Rows of other trainers: TRL's preferences, weights, Anthropic's blocks, items of Responses, Python literals."""

import pytest

from .published import ANSWER, CALL, CALL_TEXT, JSON_CALL, QUERY, RESULT, WEATHER, WRAPPED
from .reading import accepted, refused

USER = {"role": "user", "content": QUERY}
CALLS = {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": CALL}]}
STATES = {"role": "assistant", "content": ANSWER}
MESSAGES = [USER, CALLS, {"role": "tool", "content": RESULT}, STATES]
TOOLS = [WRAPPED]


@pytest.mark.parametrize("key", ["tool_defs", "available_tools"])
def test_other_names_of_the_tools_field(key: str) -> None:
    assert accepted({key: TOOLS, "messages": MESSAGES}).tasks[0].answers == [CALL]


def test_tools_and_answers_may_be_python_literals() -> None:
    (task,) = accepted({"query": QUERY, "tools": str([WEATHER]), "answers": str([CALL])}).tasks
    assert (task.tools[0]["name"], task.answers) == ("get_weather", [CALL])
    parameters = str(WEATHER["parameters"])
    (task,) = accepted({"query": QUERY, "tools": [str({**WEATHER, "parameters": parameters})], "answers": []}).tasks
    assert task.tools == [WEATHER]
    twice = "[{'name': 'get_weather', 'arguments': {'city': 'Ghent', 'city': 'Mol'}}]"
    assert refused({"query": QUERY, "tools": TOOLS, "answers": twice}).kind == "repeated key"
    assert refused({"query": QUERY, "tools": "[{get_weather", "answers": []}).kind == "tools not JSON"
    assert refused({"query": QUERY, "tools": TOOLS, "answers": "[{get"}).kind == "answers not JSON"


@pytest.mark.parametrize("value", ["{1, 2}", "b'x'", "...", "1j", "1e999", "{1: 2}", r"'\U0000d83d'"])
def test_python_values_that_json_does_not_have_are_malformed(value: str) -> None:
    call = f"[{{'name': 'get_weather', 'arguments': {{'city': {value}}}}}]"
    assert refused({"query": QUERY, "tools": TOOLS, "answers": call}).kind == "answers not JSON"
    tool = f"[{{'name': 'f', 'parameters': {{'a': {{'type': 'str', 'default': {value}}}}}}}]"
    assert refused({"query": QUERY, "tools": tool, "answers": []}).kind == "tools not JSON"


def test_a_system_of_blocks_is_context() -> None:
    system = [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Use Celsius."}]
    row = accepted({"tools": TOOLS, "system": system, "messages": MESSAGES})
    assert row.tasks[0].history == [{"role": "system", "content": "Be brief.\nUse Celsius."}]


def test_a_preference_without_a_prompt_is_its_chosen_conversation() -> None:
    row = accepted({"tools": TOOLS, "chosen": MESSAGES, "rejected": [USER, STATES]})
    assert ([task.answers for task in row.tasks], row.ignored) == ([[CALL], []], ("rejected",))


@pytest.mark.parametrize("label", [True, False])
def test_an_unpaired_preference_counts_by_its_label(label: bool) -> None:
    row = {"tools": TOOLS, "prompt": [USER], "completion": [CALLS], "label": label}
    if label:
        assert accepted(row).tasks[0].answers == [CALL]
    else:
        assert (refused(row).kind, refused(row).skipped) == ("not to be learned", True)


@pytest.mark.parametrize("mark", [{"weight": 0}, {"loss": False}, {"train": False}])
def test_a_turn_that_is_not_to_be_learned_is_context(mark: dict) -> None:
    row = accepted({"tools": TOOLS, "messages": [USER, CALLS | mark, *MESSAGES[2:]]})
    assert dict(row.left_out) == {"not to be learned": 1}
    assert [(task.answers, len(task.steps)) for task in row.tasks] == [([], 2)]
    taught = {key: 1 if key == "weight" else True for key in mark}
    assert len(accepted({"tools": TOOLS, "messages": [USER, CALLS | taught]}).tasks) == 1


def test_a_refusal_is_a_statement() -> None:
    refusal = {"role": "assistant", "content": None, "refusal": "I cannot do that."}
    row = accepted({"tools": TOOLS, "messages": [USER, refusal, {"role": "user", "content": "Why?"}, STATES]})
    assert row.tasks[1].history[-1] == {"role": "assistant", "content": "I cannot do that."}


def test_items_of_responses() -> None:
    call = {"type": "function_call", "call_id": "1", "name": "get_weather", "arguments": '{"city": "Ghent"}'}
    result = {"type": "function_call_output", "call_id": "1", "output": RESULT}
    row = accepted({"tools": TOOLS, "messages": [USER, call, result, STATES]})
    assert [task.answers for task in row.tasks] == [[CALL], []]
    assert row.tasks[1].steps == [{"role": "assistant", "content": CALL_TEXT}, {"role": "tool", "content": RESULT}]


@pytest.mark.parametrize(
    "text",
    [
        f"<function=get_weather>{JSON_CALL}</function>",
        'Thought: I look.\nAction: get_weather\nAction Input: {"city": "Ghent"}',
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather",
        "<start_function_call>call:get_weather{city:<escape>Ghent<escape>}<end_function_call>",
        '<function_calls_>\n<invoke name="get_weather"><parameter name="city">Ghent</parameter></invoke>',
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0",
    ],
)
def test_calls_in_a_form_that_is_not_read_are_no_statement(text: str) -> None:
    bad = refused({"tools": TOOLS, "messages": [USER, {"role": "assistant", "content": text}]})
    assert (bad.kind, "is a form that is not read; write calls as JSON" in bad.reason) == ("unreadable call", True)


def test_a_statement_may_speak_of_actions() -> None:
    text = "Action: none is needed. I call no function."
    assert accepted({"tools": TOOLS, "messages": [USER, {"role": "assistant", "content": text}]}).tasks[0].answers == []


def test_results_come_in_the_order_of_their_calls() -> None:
    calls = [{"id": name, "function": {**CALL, "arguments": {"city": name}}} for name in "ab"]
    results = [{"role": "tool", "tool_call_id": name, "content": f"of {name}"} for name in "ba"]
    row = accepted({"tools": TOOLS, "messages": [USER, {"role": "assistant", "tool_calls": calls}, *results, STATES]})
    assert [step["content"] for step in row.tasks[1].steps[1:]] == ["of a", "of b"]


def test_a_call_in_both_fields_is_one_call() -> None:
    row = accepted({"tools": TOOLS, "messages": [USER, CALLS | {"function_call": CALL}]})
    assert row.tasks[0].answers == [CALL]


def test_a_query_after_results_in_one_message_is_kept() -> None:
    both = {"role": "user", "content": f"<tool_response>\n{RESULT}\n</tool_response>\nAnd in Mol?"}
    row = accepted({"tools": TOOLS, "messages": [USER, CALLS, both, STATES]})
    assert (row.tasks[1].query, row.tasks[1].history[-1]) == ("And in Mol?", {"role": "tool", "content": RESULT})


def test_a_call_that_is_cut_off_is_no_statement() -> None:
    cut = {"role": "assistant", "content": "[get_weather(city='Ghent'"}
    assert refused({"tools": TOOLS, "messages": [USER, cut]}).reason.startswith("unreadable call: it is cut off")
    sees = {"role": "assistant", "content": "[see the site](http://weather.example"}
    assert accepted({"tools": TOOLS, "messages": [USER, sees]}).tasks[0].answers == []
