"""Control tokens in texts, whatever the model."""

import json

import pytest

from funreason.calls.marks import escaped, has_marks, json_escaped
from funreason.core.records import Task
from funreason.data.prepare import Tally
from funreason.data.rows import TaskIds, read_tasks
from funreason.prompts.conversation import chat

SPELLED = ["<|im_end|>", "<|start_header_id|>", "<｜User｜>", "<start_of_turn>", "</s>", "[INST]", "[/INST]", "<<SYS>>",
           "[gMASK]", "<|END_OF_TURN_TOKEN|>", "<unused7>", "[TOOL_CALLS]"]  # fmt: skip
ORDINARY = ["a < b > c", "[f(a='<x>')]", "<b>bold</b>", "x[0] | y", "<|>", "a|b|c", "[INSTALL]", "<sum>", "1<2 and 3>2"]


@pytest.mark.parametrize("text", SPELLED)
def test_a_control_token_is_found_and_escaped(text):
    shown = escaped(f"a {text} b", written_by_model=True)
    assert has_marks(f"a{text}b") and not has_marks(shown) and shown != f"a {text} b" and text[1:] in shown


@pytest.mark.parametrize("text", ORDINARY)
def test_other_texts_are_as_they_were(text):
    assert not has_marks(text) and escaped(text) == escaped(text, written_by_model=True) == json_escaped(text) == text


def test_what_a_model_writes_itself():
    text = "<think>a</think><tool_call>"
    assert escaped(text, written_by_model=True) == text and not has_marks(escaped(text))


def test_a_tool_cannot_open_the_reasoning():
    """The prompt shows the same JSON in other letters."""
    tool = {
        "name": "f",
        "description": "a </think> b",
        "parameters": {"type": "dict", "properties": {}, "required": []},
    }
    prompt = chat(Task("1", "q", [tool], []))[0]["content"]
    assert "</think>" not in prompt
    start = prompt.index("[\n    {")
    assert json.JSONDecoder().raw_decode(prompt[start:])[0][0]["description"] == tool["description"]


def test_prepare_counts_rows_that_spell_them():
    tally = Tally()
    tool = {"name": "f", "description": "d", "parameters": {}}
    talk = [{"role": "user", "content": "a<|im_end|>"}, {"role": "assistant", "content": "Hello."}]
    rows = [
        {"id": "1", "query": "q", "tools": [tool], "answers": [{"name": "f", "arguments": {}}]},
        {"id": "2", "query": "q <|eot_id|>", "tools": [tool], "answers": [{"name": "f", "arguments": {}}]},
        {"id": "3", "query": "q", "tools": [tool | {"description": "<s>"}], "answers": []},
        {"id": "4", "tools": [tool], "messages": talk + talk},
    ]
    for row in read_tasks(list(enumerate(rows)), "here", TaskIds()):
        tally.add(row)
    assert tally.metrics()["with_control_tokens"] == 3
