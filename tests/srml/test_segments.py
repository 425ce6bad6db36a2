"""Labels: which token is reasoning, which is result, and which rows are refused."""

import random

import pytest
from rows import eight, row
from tiny import CHATML, LINES
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, ByT5Tokenizer, PreTrainedTokenizerFast

from funreason.srml.formats import TrainingDataError
from funreason.srml.rows import UnusableRow, think_and_result
from funreason.srml.segments import IGNORED, MASKED, RESULT, THINK, label, label_rows

END = "<|im_end|>"


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return AutoTokenizer.from_pretrained(tiny_model)


def spanning_tokenizer(trim_offsets: bool) -> PreTrainedTokenizerFast:
    """Its merges cross every border: `</think>`, the blanks and the first characters of a call are one token."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.post_processor = processors.ByteLevel(trim_offsets=trim_offsets)
    bpe.decoder = decoders.ByteLevel()
    lines = [f"{a}</think>{b}{c}" for a in ("ok.", "so ") for b in ("\n\n", "\n", " ", "") for c in ("[f(", "No", "é")]
    marks = ["<|endoftext|>", "<|im_start|>", END]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        lines * 9 + LINES,
        trainers.BpeTrainer(vocab_size=420, special_tokens=marks, initial_alphabet=alphabet, show_progress=False),
    )
    return PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=END, pad_token="<|endoftext|>", chat_template=CHATML)


def decoded(tokenizer, labelled: dict, segment: int) -> str:
    pairs = zip(labelled["input_ids"], labelled["segment_ids"], strict=True)
    return tokenizer.decode([i for i, s in pairs if s == segment], clean_up_tokenization_spaces=False)


def test_the_cut_of_a_plain_row(tokenizer):
    labelled = label(row("<think>I call it.</think>\n\n[f(a=1)]"), tokenizer)
    assert decoded(tokenizer, labelled, THINK) == "<think>I call it.</think>\n\n"
    assert decoded(tokenizer, labelled, RESULT) == "[f(a=1)]" + END
    assert decoded(tokenizer, labelled, MASKED).endswith("<|im_start|>assistant\n")
    masked = [s == MASKED for s in labelled["segment_ids"]]
    assert [i == IGNORED for i in labelled["labels"]] == masked
    assert len(labelled["input_ids"]) == len(masked)


def test_the_newline_behind_the_turn_is_not_trained(tokenizer):
    labelled = label(row("[f()]"), tokenizer)
    assert labelled["input_ids"][-1] == tokenizer.eos_token_id


def test_without_think_all_is_result(tokenizer):
    labelled = label(row("  [f()]"), tokenizer)
    assert THINK not in labelled["segment_ids"]
    assert decoded(tokenizer, labelled, RESULT) == "  [f()]" + END


def test_a_prompt_that_opens_the_think(tokenizer):
    assert think_and_result("I call it.</think> [f()]") == [("think", 0), ("result", len("I call it.</think> "))]


def test_a_statement_is_cut_like_a_call(tokenizer):
    labelled = label(row("<think>No tool fits.</think>\nI cannot do that."), tokenizer)
    assert decoded(tokenizer, labelled, RESULT) == "I cannot do that." + END


def test_plain_text_rows(tokenizer):
    labelled = label({"prompt": "Q: ", "completion": "<think>a</think> [f()]"}, tokenizer)
    assert decoded(tokenizer, labelled, RESULT) == "[f()]" + END


@pytest.mark.parametrize("kind", ["tiny", "spanning", "trimming"])
def test_segments_tile_any_completion(tokenizer, kind):
    """Fuzzed: T then R, together the whole completion; no character of the result is in a think token."""
    used = tokenizer if kind == "tiny" else spanning_tokenizer(kind == "trimming")
    draw = random.Random(0)
    pieces = ["ok.", "so ", "x", "é", "日本", "🙂", "\n", " ", "\t", "[f(", "a='b')]", "</", ">", "No", "\u00a0", "1"]
    spanned = 0
    for _ in range(700):
        thought, result = ("".join(draw.choices(pieces, k=draw.randrange(9))) for _ in range(2))
        blanks, result = draw.choice(["", " ", "\n", "\n\n", " \t\n"]), draw.choice(["[f(", "No", "é", ""]) + result
        marked = draw.random() < 0.8
        text = f"<think>{thought}</think>{blanks}{result}" if marked else thought + result
        if not (result.strip() if marked else text.strip()):
            continue
        labelled = label(row(text), used)
        segments = [s for s in labelled["segment_ids"] if s != MASKED]
        assert segments == sorted(segments)  # THINK is below RESULT
        ids = labelled["input_ids"][-len(segments) :]
        assert used.decode(ids, clean_up_tokenization_spaces=False) == text + END
        whole_result = result.lstrip() if marked else text
        shown = decoded(used, labelled, RESULT)
        assert shown.endswith(whole_result + END)
        spanned += shown != whole_result + END
    assert kind == "tiny" or spanned > 20


@pytest.mark.parametrize(
    "completion, reason",
    [
        ("<think>never closed [f()]", "unclosed_think"),
        ("<think>a</think><think>b</think>[f()]", "repeated_think"),
        ("<think>a</think>b</think>[f()]", "repeated_think"),
        ("Well, <think>a</think>[f()]", "text_before_think"),
        ("</think>a<think>[f()]", "text_before_think"),
        ("<think>a</think>\n \n", "empty_result"),
        ("", "empty_result"),
    ],
)
def test_refused_completions(tokenizer, completion, reason):
    with pytest.raises(UnusableRow, match=f"^{reason}$"):
        label(row(completion), tokenizer)


def test_a_special_token_in_a_completion_is_text(tokenizer):
    """It would teach to stop, or to change turns, in the middle."""
    text = f"<think>{END} is a token</think>[f(a='{END}')]"
    labelled = label(row(text), tokenizer)
    assert decoded(tokenizer, labelled, RESULT) == f"[f(a='{END}')]{END}"
    assert [i for i in labelled["labels"] if i == tokenizer.eos_token_id] == [tokenizer.eos_token_id]
    with pytest.raises(UnusableRow, match="^special_token_in_completion$"):  # a text may be a chat rendered before
        label({"prompt": "Q: ", "completion": f"[f()]{END}[g()]"}, tokenizer)


def test_a_template_without_an_end_of_turn(tokenizer):
    """The tokenizer's end token, at which engines stop."""
    other = AutoTokenizer.from_pretrained(tokenizer.name_or_path)
    other.chat_template = CHATML.replace("<|im_end|>", "")
    assert label(row("[f()]"), other)["input_ids"][-1] == tokenizer.eos_token_id
    other.eos_token = None
    with pytest.raises(UnusableRow, match="^no_end_of_turn$"):
        label(row("<think>a</think>[f()]"), other)


def test_dropped_rows_are_counted_by_reason(tokenizer):
    bad = [row("<think>a"), row("<think>b"), row("x" * 900)]
    data, report = label_rows([*eight(), *bad], tokenizer, max_length=500)
    assert report.dropped == {"unclosed_think": 2, "over_long": 1}
    assert (report.used, report.without["think"], len(data)) == (8, 1, 8)
    assert report.tokens["think"] == sum(s.count(THINK) for s in data["segment_ids"])
    assert report.tokens["result"] == sum(s.count(RESULT) for s in data["segment_ids"])
    report.check(3 / 11)
    with pytest.raises(
        TrainingDataError, match=r"3 of 11 .*1 over_long, 2 unclosed_think.*the allowed fraction is 0.2;"
    ):
        report.check(0.2)


def test_a_row_of_exactly_the_limit_is_kept(tokenizer):
    size = len(label(row("[f()]"), tokenizer)["input_ids"])
    assert label_rows([row("[f()]")], tokenizer, size)[1].used == 1
    assert label_rows([row("[f()]")], tokenizer, size - 1)[1].dropped == {"over_long": 1}


def test_nothing_left_is_an_error(tokenizer):
    with pytest.raises(TrainingDataError, match="no rows given"):
        label_rows([], tokenizer)[1].check(1.0)
    with pytest.raises(TrainingDataError, match="1 of 1 .*1 unclosed_think"):
        label_rows([row("<think>")], tokenizer)[1].check(1.0)


def test_a_tokenizer_without_offsets():
    with pytest.raises(
        TrainingDataError, match="ByT5Tokenizer gives no character offsets; use the model's fast tokenizer"
    ):
        label_rows(eight(), ByT5Tokenizer())
