"""Results of calls in a chat: as the template's own role, or as BFCL tells them to models that have none."""

import json
import subprocess
from pathlib import Path

import pytest
import trl
from tiny import tiny_tokenizer

from calls.bfcl_data import PYTHON
from funreason.calls.results import knows_results, readable, told_by_user

TEMPLATES = Path(trl.__file__).parent / "chat_templates"
CHAT = [
    {"role": "system", "content": "s"},
    {"role": "user", "content": "q"},
    {"role": "assistant", "content": "[f(a=1), g(b='c')]"},
    {"role": "tool", "content": "first"},
    {"role": "tool", "content": "it's second"},
    {"role": "assistant", "content": "Done."},
    {"role": "user", "content": "again"},
]
# What TRL carries of templates that take text messages, and whether they have a role for results.
KNOWN = {
    "qwen2_5": True, "qwen3": True, "qwen3_instruct_2507": True, "llama3": True, "llama3_1": True, "llama3_2": True,
    "deepseekv3": True, "glm4moe": True, "gptoss": False, "cohere2": False, "gemma3": False, "phi3": False,
}  # fmt: skip


def tokenizer_with(template: str):
    tokenizer = tiny_tokenizer()
    tokenizer.bos_token = "<|endoftext|>"
    tokenizer.chat_template = (TEMPLATES / f"{template}.jinja").read_text()
    return tokenizer


@pytest.mark.parametrize(("template", "known"), KNOWN.items())
def test_every_template_shows_every_result_and_who_spoke(template, known):
    tokenizer = tokenizer_with(template)
    assert knows_results(tokenizer) is known
    shown = readable(CHAT, tokenizer)
    assert [message["role"] for message in shown].count("tool") == (2 if known else 0)
    text = tokenizer.apply_chat_template(shown, tokenize=False)
    places = [text.index(said) for said in ("[f(a=1), g(b='c')]", "first", "it's second", "Done.", "again")]
    assert places == sorted(places)


def test_a_chat_without_results_is_left_alone():
    chat = [message for message in CHAT if message["role"] != "tool"]
    assert readable(chat, None) is chat and told_by_user(chat) == chat


def test_the_user_tells_a_run_of_results_at_once():
    told = told_by_user(CHAT)
    assert [message["role"] for message in told] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert told[3]["content"] == (
        "[{'role': 'tool', 'name': 'f(a=1)', 'content': 'first'}, "
        "{'role': 'tool', 'name': \"g(b='c')\", 'content': \"it's second\"}]"
    )


@pytest.mark.parametrize("answer", ["[f(a=1)]", "I look it up.", "[f(a="])
def test_results_that_no_call_stands_for_have_no_name(answer):
    (told,) = told_by_user([{"role": "assistant", "content": answer}, *CHAT[3:5]])[1:]
    assert told["content"] == "[{'role': 'tool', 'content': 'first'}, {'role': 'tool', 'content': \"it's second\"}]"


@pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-bfcl here: `make setup` makes it")
def test_the_official_handlers_write_the_same():
    program = (
        "import json, sys; from bfcl_eval.model_handler.utils import format_execution_results_prompting as told\n"
        "results, calls = json.load(sys.stdin); print(told({}, results, {'model_responses_decoded': calls}), end='')"
    )
    given = json.dumps([["first", "it's second"], ["f(a=1)", "g(b='c')"]])
    done = subprocess.run([PYTHON, "-c", program], input=given, text=True, capture_output=True, check=True)
    assert told_by_user(CHAT)[3]["content"] == done.stdout
