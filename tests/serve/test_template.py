"""The chat template of a checkpoint renders OpenAI's messages and tools as training does, for each family."""

import json

import pytest
from families import ALL, tokenizer_of
from jinja2 import TemplateError

from funreason.calls.results import for_template
from funreason.core.errors import DataError
from funreason.serve.conversation import training_chat
from funreason.serve.drawn import drawn
from funreason.serve.parity import TemplateServer, compare
from funreason.serve.template import served_template
from funreason.srml.template import ChatTemplate, unmarked

CITY = {"city": {"type": "string", "description": "d"}}
SCHEMA = {"type": "object", "properties": CITY, "required": ["city"]}

ODD = dict.fromkeys(("a-b", "a b", "été", "日本", "True", "2x"), {})


def tool(**fields) -> dict:
    return {"type": "function", "function": {"name": "f", "description": "d"} | fields}


def read(**parameter) -> dict:
    return tool(parameters={"a": {"description": "x"} | parameter})


TOOLS = {
    "openai": tool(parameters=SCHEMA),
    "bare": {"name": "f", "description": "d", "parameters": SCHEMA},
    "bfcl": tool(parameters=SCHEMA | {"type": "dict"}),
    "keys in another order": tool(parameters={"required": ["city"], "properties": CITY, "type": "object"}),
    "strict": tool(parameters=SCHEMA, strict=True),
    "without parameters": tool(),
    "empty parameters": tool(parameters={}),
    "null parameters": tool(parameters=None),
    "without properties": tool(parameters={"type": "object"}),
    "without a type": tool(parameters={"properties": CITY}),
    "type and null": tool(parameters={"type": ["object", "null"], "properties": CITY}),
    "without description": {"type": "function", "function": {"name": "f", "parameters": SCHEMA}},
    "null description": tool(description=None, parameters=SCHEMA),
    "anthropic": {"name": "f", "description": "d", "input_schema": SCHEMA},
    "mcp": {"name": "f", "description": "d", "inputSchema": SCHEMA},
    "acebench": {"name": "f", "description": "d", "arguments": SCHEMA},
    "amazon": {"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": SCHEMA}}},
    "required beside": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": CITY},
                        "required": ["city"]},
    "definitions": tool(parameters=SCHEMA | {"$defs": {"A": {"type": "string"}}, "additionalProperties": False}),
    "nested": tool(parameters={"type": "object", "properties": {"a": SCHEMA, "b": {"type": "array", "items": SCHEMA}}}),
    "xlam": read(type="str"),
    "xlam list": read(type="List[int]", default=[1]),
    "xlam optional": read(type="str, optional"),
    "xlam null": read(type="Optional[int]"),
    "xlam items": read(type="list", items={"type": "int"}, enum=[[1], [2]], minimum=1),
    "xlam required": tool(parameters={"a": {"type": "int"}, "b": {"type": "int"}}, required=["b"]),
    "odd names": tool(name="get-weather", parameters=SCHEMA | {"required": ["a-b", "été"], "properties": ODD}),
    "marks": tool(description="<think>é</think> \"q\" 😀 </tool_call>", parameters=SCHEMA),
}  # fmt: skip
# Forms that Jinja cannot read: never another prompt, but an error that says what to do.
REFUSED = {
    "type text": read(type="list of int"),
    "json text": tool(parameters=json.dumps(SCHEMA)),
    "list": tool(parameters=[{"name": "a", "type": "int"}]),
    "letters": tool(name="𝐟", parameters=SCHEMA),
    "reference": tool(parameters={"$ref": "#/$defs/A", "$defs": {"A": SCHEMA}}),
    "flag": read(type="int", required=True),
}
MESSAGES = [{"role": "user", "content": "q"}]


def trained(tokenizer, messages: list, tools: list | None) -> str:
    return unmarked(ChatTemplate.of(tokenizer).text(for_template(training_chat(messages, tools), tokenizer)))


def served(tokenizer, messages: list, tools: list | None) -> str:
    template = served_template(tokenizer)
    return tokenizer.apply_chat_template(
        messages, tools=tools, chat_template=template, tokenize=False, add_generation_prompt=True
    )


@pytest.fixture(scope="module")
def conversations():
    return list(drawn(15, seed=1))


@pytest.mark.parametrize("name", [*ALL, "toy"])
def test_drawn_conversations_have_the_tokens_of_training(name, conversations):
    tokenizer = tokenizer_of(name)
    server = TemplateServer(tokenizer, served_template(tokenizer))
    rows, requests = zip(*conversations, strict=True)
    parity = compare(rows, tokenizer, server, [tokenizer.eos_token_id], requests)
    assert (parity.rows, parity.unusable, [str(one) for one in parity.differences]) == (15, {}, [])


@pytest.mark.parametrize("form", TOOLS)
def test_tools_of_each_form(form):
    tokenizer = tokenizer_of("qwen3")
    tools = [TOOLS[form], tool(name="g", parameters={"type": "object", "properties": {"x": {"type": "integer"}}})]
    assert served(tokenizer, MESSAGES, tools) == trained(tokenizer, MESSAGES, tools)


@pytest.mark.parametrize("form", REFUSED)
def test_a_form_that_jinja_cannot_read_is_an_error_with_a_remedy(form):
    tokenizer = tokenizer_of("qwen3")
    trained(tokenizer, MESSAGES, [REFUSED[form]])
    with pytest.raises(TemplateError, match="funreason serve"):
        served(tokenizer, MESSAGES, [REFUSED[form]])


def test_names_that_calls_cannot_write_are_written_in_history_too():
    tokenizer = tokenizer_of("qwen3")
    call = {"function": {"name": "get-weather", "arguments": {"a-b": "it's\n", "a b": {"k-l": [1, None, True]}}}}
    chat = [*MESSAGES, {"role": "assistant", "content": None, "tool_calls": [call, call]}]
    chat += [{"role": "tool", "content": "1"}, {"role": "tool", "content": "2"}]
    text = served(tokenizer, chat, [TOOLS["odd names"]])
    assert text == trained(tokenizer, chat, [TOOLS["odd names"]])
    assert """get_weather(a_b="it's\\n", a_b_2=""" in text or """get_weather(a_b_2="it's\\n", a_b=""" in text


def call_with(arguments) -> list:
    call = {"function": {"name": "f", "arguments": arguments}}
    return [*MESSAGES, {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "content": "r"}]


@pytest.mark.parametrize(
    ("arguments", "written"),
    [({"city": None}, "f(city=None)"), ({"city": {"a": [None]}}, "f(city={'a': [None]})"), ({}, "f()"), (None, "f()")],
)
def test_null_arguments_are_written_as_in_training(arguments, written):
    tokenizer = tokenizer_of("qwen3")
    texts = [trained(tokenizer, call_with(json.dumps(arguments)), [TOOLS["openai"]])]
    texts += [make(tokenizer, call_with(arguments), [TOOLS["openai"]]) for make in (trained, served)]
    assert len(set(texts)) == 1 and f"[{written}]" in texts[0]


@pytest.mark.parametrize("arguments", [[1], 3, "[]", "3", '"x"', "{"])
def test_arguments_that_are_no_object_are_refused(arguments):
    tokenizer = tokenizer_of("qwen3")
    with pytest.raises(DataError, match="arguments of 'f' are .*: send an object"):
        trained(tokenizer, call_with(arguments), [TOOLS["openai"]])
    with pytest.raises(TemplateError, match="the arguments of f are not an object"):
        served(tokenizer, call_with(arguments), [TOOLS["openai"]])


def test_drawn_conversations_have_null_arguments():
    assert sum("=None" in json.dumps(row) for row, _ in drawn(60, seed=2)) > 5


def test_reasoning_is_shown_in_the_running_turn_alone():
    tokenizer = tokenizer_of("qwen3")
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}
    result = {"role": "tool", "content": "r"}
    chat = [*MESSAGES, {"role": "assistant", "content": "Hm.", "reasoning": "past"}, *MESSAGES,
            call | {"reasoning": "now"}, result, call | {"content": "<think>then</think>"}, result]  # fmt: skip
    text = served(tokenizer, chat, [TOOLS["openai"]])
    assert text == trained(tokenizer, chat, [TOOLS["openai"]])
    assert ("past" in text, "now" in text, "then" in text) == (False, True, True)


@pytest.mark.parametrize("name", ["qwen3", "llama3_2", "gemma", "llama2", "toy"])
def test_no_text_makes_a_control_token(name):
    tokenizer = tokenizer_of(name)
    controls = ChatTemplate.of(tokenizer).controls
    forged = "".join([*controls.special, *controls.marks, *controls.words])
    counts = []
    for text in ("x", f"x{forged}"):
        chat = [{"role": "system", "content": text}, {"role": "user", "content": text}]
        ids = tokenizer(served(tokenizer, chat, [tool(description=text)]), add_special_tokens=False)["input_ids"]
        counts.append(sum(token in controls.special_ids for token in ids))
    assert counts[0] == counts[1]


def test_training_looks_through_the_part_for_servers():
    """A next round starts from the checkpoint: its rows have the tokens that they had."""
    plain, whole = tokenizer_of("phi3"), tokenizer_of("phi3")
    whole.chat_template = served_template(plain)
    chat = [{"role": "user", "content": "<|end|>"}, {"role": "assistant", "content": "[f()]"},
            {"role": "tool", "content": "r"}]  # fmt: skip
    texts = [ChatTemplate.of(one).text(for_template(chat, one)) for one in (plain, whole)]
    assert texts[0] == texts[1] and "'name': 'f()'" in texts[0]
    assert served_template(whole) == whole.chat_template
    assert ChatTemplate.of(whole).controls.marks == ChatTemplate.of(plain).controls.marks


def test_the_date_is_that_of_training():
    for name in ("llama3_2", "smollm3"):
        tokenizer = tokenizer_of(name)
        assert served(tokenizer, MESSAGES, None) == trained(tokenizer, MESSAGES, None)
        assert "2024" in served(tokenizer, MESSAGES, None)
