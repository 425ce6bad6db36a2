"""Conversations under the chat templates of real model families: every turn is trained, each once, in its context."""

import json

import pytest
from families import FAMILIES, WITHOUT_RESULTS, tokenizer_of
from hypothesis import given, settings
from hypothesis import strategies as st

from funreason.assemble.training_set import training_row
from funreason.calls import join_completion
from funreason.calls.results import for_template
from funreason.core.records import Sample
from funreason.data.rows import TaskIds, read_tasks
from funreason.prompts.conversation import chat
from funreason.srml.rows import UnusableRow
from funreason.srml.segments import MASKED, RESULT, THINK, label
from funreason.srml.template import ChatTemplate
from funreason.train.heldout import split

NAMES = [*FAMILIES, *WITHOUT_RESULTS, "toy"]
TOKENIZERS = {name: tokenizer_of(name) for name in NAMES}
DRAWN = settings(max_examples=15, deadline=None, derandomize=True, database=None)
TOOL = {"name": "f", "description": "d", "parameters": {"a": {"type": "str", "description": "x"}}}

words = st.text(st.sampled_from("ab1Zé日🙂\n\t .,'\"<>[](){}/\\|=_-"), min_size=1, max_size=10)
words = words.filter(lambda drawn: drawn.strip() and "<|" not in drawn and "think>" not in drawn)
calls = words.map(lambda value: f"[f(a={value!r})]")
statements = words.map("No: {}".format)
steps = st.lists(st.tuples(calls, st.none() | words, st.lists(words, min_size=1, max_size=2)), max_size=2)
exchanges = st.lists(st.tuples(words, steps, calls | statements, st.none() | words), min_size=1, max_size=3)


def rows_of(drawn, name: str = "0") -> list[dict]:
    """The training rows of a drawn conversation, as prepare, generate and validate make them."""
    messages = []
    for query, between, answer, cot in drawn:
        messages.append({"role": "user", "content": query})
        for call, thought, results in between:
            messages.append({"role": "assistant", "content": join_completion(thought, call)})
            messages += [{"role": "tool", "content": result} for result in results]
        messages.append({"role": "assistant", "content": join_completion(cot, answer)})
    (read_row,) = read_tasks([(1, {"id": name, "tools": [TOOL], "messages": messages})], "drawn", TaskIds())
    said = [message["content"] for message in messages if message["role"] == "assistant"]
    samples = [
        Sample(task.id, task.query, [TOOL], cot.removeprefix("<think>").strip(), answer.strip(), "call", False,
               task.history, task.steps)
        for task, (cot, _, answer) in zip(read_row.tasks, (text.rpartition("</think>") for text in said), strict=True)
    ]  # fmt: skip
    assert all(training_row("r0", sample)["prompt"] == chat(sample) for sample in samples)
    return [training_row("r0", sample) for sample in samples]


def text_of(tokenizer, labelled: dict, *segments: int) -> str:
    pairs = zip(labelled["input_ids"], labelled["segment_ids"], strict=True)
    return tokenizer.decode([i for i, s in pairs if s in segments], clean_up_tokenization_spaces=False)


def letters(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("name", NAMES)
@DRAWN
@given(drawn=exchanges)
def test_each_turn_is_trained_once_in_segments_that_tile_it(name, drawn):
    tokenizer = TOKENIZERS[name]
    rows = rows_of(drawn)
    wanted = [turn for _, between, answer, cot in drawn for turn in [*((c, t) for c, t, _ in between), (answer, cot)]]
    assert len(rows) == len(wanted)
    for row, (answer, cot) in zip(rows, wanted, strict=True):
        labelled = label(row, tokenizer, adapt_prompt=for_template)
        segments = labelled["segment_ids"]
        assert segments == sorted(segments)  # the context, the reasoning, the result
        think, result = text_of(tokenizer, labelled, THINK), text_of(tokenizer, labelled, RESULT)
        assert text_of(tokenizer, labelled, THINK, RESULT) == think + result
        assert letters(result) == letters(answer + tokenizer.eos_token)
        empty = "<think></think>" if name == "qwen3" else ""  # its template writes one where there is none
        assert letters(think) == (letters(f"<think>{cot}</think>") if cot else empty)
        assert [i == -100 for i in labelled["labels"]] == [s == MASKED for s in segments]


@pytest.mark.parametrize("name", NAMES)
@DRAWN
@given(drawn=exchanges)
def test_the_context_holds_all_that_was_said_in_its_order(name, drawn):
    """Results too, whoever tells them and however they are quoted; reasoning only of earlier calls of the turn."""
    tokenizer = TOKENIZERS[name]
    for row in rows_of(drawn):
        context, at = letters(text_of(tokenizer, label(row, tokenizer, adapt_prompt=for_template), MASKED)), 0
        for message in row["prompt"][1:]:
            said = message["content"].strip()
            forms = {said, repr(said)[1:-1], json.dumps(said, ensure_ascii=False)[1:-1]}
            places = [place for form in forms if (place := context.find(letters(form), at)) >= 0]
            assert places, (said, context)
            at = min(places)
        shown = {part.split("</think>")[0] for part in context.split("<think>")[1:]}
        earlier = {letters(message.get("reasoning_content", "")) for message in row["prompt"]}
        assert shown <= earlier and (not shown or ChatTemplate.of(tokenizer).reasoning_key)


def test_results_that_a_template_leaves_out():
    """Without a function that rewrites them, the row is dropped: it would teach to answer without them."""
    (_, row) = rows_of([("q", [("[f(a=1)]", None, ["one"])], "No: one", None)])
    with pytest.raises(UnusableRow, match="^tool_results_not_in_template$"):
        label(row, TOKENIZERS["phi3"])
    assert label(row, TOKENIZERS["qwen3"]) == label(row, TOKENIZERS["qwen3"], adapt_prompt=for_template)


@given(drawn=st.lists(exchanges, min_size=5, max_size=30))
@settings(max_examples=20, deadline=None, derandomize=True, database=None)
def test_the_turns_of_a_conversation_are_on_one_side(drawn):
    rows = [row for number, one in enumerate(drawn) for row in rows_of(one, str(number))]
    learned, heldout = split(rows, 0.4)
    assert sorted(row["id"] for row in learned + heldout) == sorted(row["id"] for row in rows)
    sides = [{row["id"].partition("@")[0] for row in side} for side in (learned, heldout)]
    assert not sides[0] & sides[1]
