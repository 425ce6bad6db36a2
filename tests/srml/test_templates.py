"""Segments under the chat templates and tokenizers of real model families, on drawn completions."""

import pytest
from families import FAMILIES, TEMPLATES, tokenizer_of
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import row

from funreason.calls import join_completion
from funreason.srml.rows import UnusableRow
from funreason.srml.segments import MASKED, RESULT, THINK, label

NAMES = [*FAMILIES, "toy"]
TOKENIZERS = {name: tokenizer_of(name) for name in NAMES}
DRAWN = settings(max_examples=60, deadline=None, derandomize=True, database=None)
letters = st.text(st.sampled_from("ab1Zé日🙂\n\t \r.,'\"<>[](){}/\\|=_-\u00a0\u0301"), max_size=12)
text = letters | st.text(max_size=12)
values = st.dictionaries(st.sampled_from(["a", "city", "x_1"]), text | st.integers() | st.lists(text, max_size=2))
calls = st.builds(lambda v: "[f(" + ", ".join(f"{k}={value!r}" for k, value in v.items()) + ")]", values)


def plain(drawn: str) -> bool:
    """Not one of the marks by chance."""
    return not any(mark in drawn for mark in ("<think>", "</think>", "<|"))


def parts(tokenizer, labelled: dict) -> tuple[str, str, str]:
    """(the whole completion, its reasoning, its result), decoded."""
    pairs = [(i, s) for i, s in zip(labelled["input_ids"], labelled["segment_ids"], strict=True) if s != MASKED]
    kept = ([i for i, s in pairs if s in wanted] for wanted in ((THINK, RESULT), (THINK,), (RESULT,)))
    return tuple(tokenizer.decode(ids, clean_up_tokenization_spaces=False) for ids in kept)


@pytest.mark.parametrize("name", NAMES)
@DRAWN
@given(reasoning=text.filter(plain).filter(str.strip), call=calls.filter(plain))
def test_the_result_decodes_to_the_exact_call(name, reasoning, call):
    """In the project's own form of a completion, whatever is reasoned and called."""
    tokenizer = TOKENIZERS[name]
    end = tokenizer.eos_token
    labelled = label(row(join_completion(reasoning, call)), tokenizer)
    whole, think, result = parts(tokenizer, labelled)
    # The toy's tokenizer has tokens that begin with the line break before them: only blanks may come along.
    assert result.lstrip() == call + end and (name == "toy" or result == result.lstrip())
    assert think.strip().endswith("</think>") and reasoning.strip() in think
    assert whole == think + result


@pytest.mark.parametrize("name", NAMES)
@DRAWN
@given(
    reasoning=st.none() | text.filter(plain), blanks=st.sampled_from(["", " ", "\n", "\n\n", "\r\n", "\t \n"]),
    result=text.filter(plain).filter(str.strip),
)  # fmt: skip
def test_segments_tile_any_completion(name, reasoning, blanks, result):
    """Reasoning, then result, together the whole completion; no character of the result is in a think token."""
    tokenizer = TOKENIZERS[name]
    text = result if reasoning is None else f"<think>{reasoning}</think>{blanks}{result}"
    labelled = label(row(text), tokenizer)
    segments = [s for s in labelled["segment_ids"] if s != MASKED]
    assert segments == sorted(segments) and set(segments) <= {THINK, RESULT}
    assert labelled["segment_ids"].count(MASKED) == labelled["labels"].count(-100)
    whole, _, shown = parts(tokenizer, labelled)
    written = result.lstrip() if reasoning is not None else result
    assert whole in (text + tokenizer.eos_token, whole) and "".join(text.split()) in "".join(whole.split())
    assert written.strip() in shown


def test_what_qwen3_writes_itself():
    """`<think>` on its own line, and an empty one where there is none: its own form, and still cut exactly."""
    tokenizer = TOKENIZERS["qwen3"]
    assert (
        parts(tokenizer, label(row("<think>a</think>[f()]"), tokenizer))[0] == "<think>\na\n</think>\n\n[f()]<|im_end|>"
    )
    _, think, result = parts(tokenizer, label(row("[f()]"), tokenizer))
    assert (think, result) == ("<think>\n\n</think>\n\n", "[f()]<|im_end|>")


def test_what_llama_trims():
    tokenizer = TOKENIZERS["llama3"]
    assert parts(tokenizer, label(row("<think>a</think> [f()]\n"), tokenizer))[2] == "[f()]<|eot_id|>"


def test_llamas_date_is_not_todays():
    prompt = TOKENIZERS["llama3_2"].decode(label(row("[f()]"), TOKENIZERS["llama3_2"])["input_ids"])
    assert "Today Date: 26 Jul 2024" in prompt


def test_a_template_that_strips_the_reasoning():
    """As QwQ's: the completion is what the model writes after the prompt, not what the template makes of it."""
    tokenizer = tokenizer_of("qwen2_5")
    tokenizer.chat_template = (tokenizer.chat_template).replace(
        "message.content", "message.content.split('</think>')[-1]"
    )
    assert parts(tokenizer, label(row("<think>a</think>\n[f()]"), tokenizer)) == (
        "<think>a</think>\n[f()]<|im_end|>", "<think>a</think>\n", "[f()]<|im_end|>"
    )  # fmt: skip


def test_a_template_that_takes_no_texts():
    tokenizer = tokenizer_of("qwen2_5")
    tokenizer.chat_template = (TEMPLATES / "smolvlm.jinja").read_text()
    with pytest.raises(UnusableRow, match="^texts_not_in_template$"):
        label(row("[f()]"), tokenizer)
