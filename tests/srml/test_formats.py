"""TRL's and ShareGPT's rows: labelled like the prompt and completion that they hold, or refused by name."""

import json

import pytest
from datasets import Dataset
from rows import eight, row
from transformers import AutoTokenizer

from funreason.srml import SRMLConfig, SRMLTrainer, TrainingDataError
from funreason.srml.formats import prompt_completion
from funreason.srml.segments import label, label_rows

ANSWER = "<think>a</think>\n\n[f()]"
ROW = row(ANSWER)
SHARE = {"system": "system", "user": "human", "assistant": "gpt"}


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return AutoTokenizer.from_pretrained(tiny_model)


def messages() -> list[dict]:
    return [*ROW["prompt"], *ROW["completion"]]


def shared(chat: list[dict]) -> list[dict]:
    return [{"from": SHARE[message["role"]], "value": message["content"]} for message in chat]


SAME = {
    "messages": {"messages": messages()},
    "a question after the last answer": {"messages": [*messages(), {"role": "user", "content": "again?"}]},
    "null-filled": {
        "messages": [message | {"tool_calls": None, "value": None} for message in messages()],
        "text": None,
    },
    "sharegpt": {"conversations": shared(messages())},
    "sharegpt with a system column": {"conversations": shared(messages()[1:]), "system": "Call tools."},
    "tools as text": {**ROW, "tools": ""},
    "reasoning in a field": {
        "prompt": ROW["prompt"], "completion": [{"role": "assistant", "content": "[f()]", "reasoning_content": "a"}],
    },
    "thinking in a field, beside null-filled ones": {
        "messages": [*ROW["prompt"], {"role": "assistant", "content": "[f()]", "reasoning": None, "thinking": "a"}],
    },
    "developer": {"messages": [{**messages()[0], "role": "developer"}, *messages()[1:]]},
    "roles with capitals": {"conversations": [one | {"from": one["from"].title()} for one in shared(messages())]},
}  # fmt: skip


@pytest.mark.parametrize("given", SAME.values(), ids=SAME)
def test_rows_of_other_formats(tokenizer, given):
    data, report = label_rows([given], tokenizer)
    assert report.used == 1 and data[0] == label(ROW, tokenizer)


def test_a_text_is_cut_at_its_reasoning(tokenizer):
    rendered = tokenizer.apply_chat_template(messages(), tokenize=False)
    data, _ = label_rows([{"text": rendered}], tokenizer)
    assert data[0] == label(ROW, tokenizer)


def test_roles_of_calls_and_results(tokenizer):
    chat = [
        {"from": "human", "value": "q"},
        {"from": "function_call", "value": "[g()]"},
        {"from": "observation", "value": "one"},
        {"from": "gpt", "value": ANSWER},
    ]
    data, report = label_rows([{"conversations": chat}], tokenizer)
    assert report.used == 1 and "<|im_start|>tool\none" in tokenizer.decode(data[0]["input_ids"])


TOOL = {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}
CALL = {"type": "function", "function": {"name": "f", "arguments": {"a": "x"}}}


@pytest.mark.parametrize(
    "tools",
    [json.dumps([TOOL]), json.dumps(TOOL), [json.dumps(TOOL)], TOOL,
     [{**TOOL, "parameters": {"type": "object", "properties": {"a": {"type": "string", "enum": None}, "b": None}}}]],
    ids=["text", "text of one", "texts", "one", "null-filled"],
)  # fmt: skip
def test_spellings_of_tools(tools):
    assert prompt_completion({**ROW, "tools": tools}, 1) == {**ROW, "tools": [TOOL]}


def test_roles_and_calls_of_other_tools_reach_the_template():
    called = {"role": "assistant", "content": "", "tool_calls": [
        {**CALL, "function": {"name": "f", "arguments": {"a": "x", "b": None}}}
    ]}  # fmt: skip
    chat = [*ROW["prompt"], called, {"role": "tool_response", "content": "1"}, *ROW["completion"]]
    read = prompt_completion({"messages": chat}, 1)
    assert read["prompt"][2:] == [{**called, "tool_calls": [CALL]}, {"role": "tool", "content": "1"}]


BAD = [
    ({"text": "Q: a\nA: [f()]"},
     "row 1 has 0 <think> in its text, so that nobody knows .*columns are text, allowed are prompt"),
    ({"text": f"Q: a {ANSWER} {ANSWER}"}, "has 2 <think> in its text"),
    ({"text": ANSWER}, "has nothing before <think> in its text"),
    ({"id": "x", "instruction": "a", "output": "b"},
     r"row 1 \(id 'x'\) is in no known format; its columns are id, instruction, output"),
    ({"messages": messages()[:2]}, "has no turn of the assistant to train, after a prompt, in messages"),
    ({"messages": messages()[2:]}, "has no turn of the assistant"),
    ({"messages": ["hello"]}, "has no turn of the assistant"),
    ({"prompt": messages()[:2], "completion": "[f()]"}, "is in no known format; its columns are completion, prompt"),
    ({"prompt": ["q"], "completion": ROW["completion"]}, "has 'q' in its prompt, which is not a message"),
    ({"messages": [*messages()[:2], {"role": "assistant", "content": None, "tool_calls": [{}]}]},
     "whose content is None and tool_calls, not a text: write calls as text"),
    ({**ROW, "tools": "[{"}, "has tools that are not JSON"),
    ({**ROW, "prompt": [*ROW["prompt"], {"role": "narrator", "content": "x"}]},
     "has a message of role 'narrator' in its prompt; name its role one of system, developer"),
    ({**ROW, "completion": [{"role": "assistant", "content": "x", "reasoning": ["a"]}]}, r"reasoning is \['a'\], "),
    ({}, "its columns are none"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "message"), BAD)
def test_rows_of_no_known_format(tokenizer, given, message):
    with pytest.raises(TrainingDataError, match=message):
        label_rows([ROW, given], tokenizer)


def test_the_trainer_takes_messages(tiny_model, tmp_path):
    args = SRMLConfig(str(tmp_path), max_steps=1, report_to=[], use_cpu=True, save_strategy="no")
    rows = [{"messages": [*one["prompt"], *one["completion"]]} for one in eight()]
    trainer = SRMLTrainer(str(tiny_model), args, train_dataset=Dataset.from_list(rows))
    assert trainer.label_reports["train"].used == 8
    with pytest.raises(TrainingDataError, match="training row 0 is in no known format; its columns are question"):
        SRMLTrainer(str(tiny_model), args, train_dataset=Dataset.from_list([{"question": "a"}]))
