"""Reasoning and answer of a completion."""

import pytest

from funreason.calls import CompletionError, join_completion, split_completion


@pytest.mark.parametrize(("cot", "answer"), [("Think of x < 3.", "[f(a=1)]"), ("", "No."), (None, "[f()]")])
def test_join_and_split_are_inverse(cot, answer):
    assert split_completion(join_completion(cot, answer)) == (cot, answer)


def test_white_space_around_the_parts_is_dropped():
    assert join_completion("why", "[f()]") == "<think>why</think>\n\n[f()]"
    assert split_completion("\n<think>\nwhy\n</think>\n\n\n[f()] \n") == ("why", "[f()]")


def test_reasoning_whose_opening_tag_is_in_the_prompt():
    assert split_completion("why</think>\n\n[f()]") == ("why", "[f()]")
    assert split_completion("why</think>[f()]", opened=True) == ("why", "[f()]")
    assert split_completion("<think>why</think>[f()]", opened=True) == ("why", "[f()]")


@pytest.mark.parametrize(
    ("text", "opened", "message"),
    [
        ("<think>never stops", False, "never closed"),
        ("never stops", True, "never closed"),
        ("<think>a<think>b</think>[f()]", False, "2 <think>"),
        ("<think>a</think>b</think>[f()]", False, "2 </think>"),
        ("<think>a</think><think>b</think>[f()]", False, "2 <think>"),
        ("Sure! <think>a</think>[f()]", False, "beginning"),
        ("a</think><think>[f()]", False, "beginning"),
    ],
)
def test_tags_out_of_order_are_refused(text, opened, message):
    with pytest.raises(CompletionError, match=message):
        split_completion(text, opened=opened)


def test_a_long_completion_is_shortened_in_the_message():
    with pytest.raises(CompletionError) as caught:
        split_completion("<think>" + "x" * 5000)
    assert len(str(caught.value)) < 300
