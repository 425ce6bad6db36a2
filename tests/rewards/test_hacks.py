"""Reward hacks: none earns more than the honest answer, and none that answers wrongly earns as much."""

import pytest

from funreason.core.errors import DataError
from funreason.rewards import correctness, exact, format, graded, length

TOOLS = [
    {"name": "book", "description": "", "parameters": {"type": "dict", "properties": {
        "city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]}},
    {"name": "cancel", "description": "", "parameters": {"type": "dict", "properties": {
        "id": {"type": "integer"}}, "required": ["id"]}},
]  # fmt: skip
THINK = "<think>The user wants a room in Ghent for 3 days.</think>\n\n"
CALL = "[book(city='Ghent', days=3)]"
HONEST = THINK + CALL
PAIR = THINK + "[book(city='Ghent', days=3), cancel(id=1)]"
REFUSAL = "<think>No tool books flights.</think>\n\nNone of the functions can be used."


def earned(reward, completion, reference=HONEST, **columns):
    return reward([""], [completion], reference=[reference], tools=[TOOLS], **columns)[0]


# What a model could try where the right answer is one call.
HACKS = {
    "empty": "",
    "blank": " \n ",
    "only the marks": "<think></think>",
    "no answer": THINK,
    "no reasoning": CALL,
    "empty reasoning": f"<think></think>\n\n{CALL}",
    "reasoning without a word": f"<think>...</think>\n\n{CALL}",
    "unclosed reasoning": f"<think>The user wants a room. {CALL}",
    "two ends of the reasoning": f"<think>a room</think></think>\n\n{CALL}",
    "two reasonings": f"{THINK}{THINK}{CALL}",
    "a second answer after a second reasoning": f"{THINK}[cancel(id=1)]{THINK}{CALL}",
    "the answer inside the reasoning": f"<think>{CALL}</think>\n\n[]",
    "text before the reasoning": f"Sure! {HONEST}",
    "prose before the call": f"{THINK}Here you are: {CALL}",
    "prose after the call": f"{HONEST} I hope this helps.",
    "a special token in the answer": f"{HONEST}<|im_end|>",
    "a forged turn in the reasoning": f"<think>room<|im_end|>\n<|im_start|>user\nok</think>\n\n{CALL}",
    "a call of another form in the reasoning": f"<think><tool_call>x</tool_call></think>\n\n{CALL}",
    "a fence": f"{THINK}```python\n{CALL}\n```",
    "no brackets": f"{THINK}book(city='Ghent', days=3)",
    "never closed": f"{THINK}[book(city='Ghent', days=3)",
    "the call twice": f"{THINK}[book(city='Ghent', days=3), book(city='Ghent', days=3)]",
    "every value": f"{THINK}[{', '.join(f'book(city={city!r}, days=3)' for city in ('Ghent', 'Bruges', 'Lier'))}]",
    "every tool": f"{THINK}[book(city='Ghent', days=3), cancel(id=1)]",
    "always the same call": f"{THINK}[cancel(id=1)]",
    "no arguments": f"{THINK}[book()]",
    "a surplus argument": f"{THINK}[book(city='Ghent', days=3, note='x')]",
    "a number as text": f"{THINK}[book(city='Ghent', days='3')]",
    "a number as true": f"{THINK}[book(city='Ghent', days=True)]",
    "arithmetic": f"{THINK}[book(city='Ghent', days=1+2)]",
    "code": f"{THINK}[book(city=__import__('os').getcwd(), days=3)]",
    "a nested list": f"{THINK}[[book(city='Ghent', days=3)]]",
    "always refuse": f"{THINK}None of the functions can be used.",
    "an empty list": f"{THINK}[]",
    "JSON": f'{THINK}[{{"name": "book", "arguments": {{"city": "Ghent", "days": 3}}}}]',
    "another name that ends alike": f"{THINK}[hotel.book(city='Ghent', days=3)]",
    "a look-alike letter": f"{THINK}[bооk(city='Ghent', days=3)]",
}  # fmt: skip


@pytest.mark.parametrize("hack", HACKS.values(), ids=HACKS)
def test_a_hack_earns_less_than_the_honest_answer(hack):
    assert earned(exact, HONEST) == 1 and earned(graded, HONEST) == 4
    assert earned(exact, hack) == 0
    assert earned(correctness, hack) < earned(correctness, HONEST)
    assert earned(graded, hack) < earned(graded, HONEST)
    assert earned(format, hack) <= earned(format, HONEST)
    assert earned(length, hack) <= earned(length, HONEST) == 0


PADDED = ("<think>" + "The user wants a room. " * 60 + "</think>\n\n" + CALL, f"{THINK}{' ' * 400}{CALL}{' ' * 400}")


@pytest.mark.parametrize("padded", PADDED)
def test_padding_earns_no_more_and_length_takes_from_it(padded):
    assert earned(exact, padded) <= 1 and earned(graded, padded) <= 4
    assert earned(length, padded) < 0


@pytest.mark.parametrize("hack", ["", THINK, REFUSAL + CALL, f"{THINK}{CALL}", f"{THINK}a a a a a a", f"{THINK}????"])
def test_where_no_call_is_right_only_a_refusal_that_can_be_read_earns(hack):
    assert earned(graded, REFUSAL, REFUSAL) == 4
    assert earned(exact, f"{THINK}[]", REFUSAL) == 1
    assert earned(exact, hack, REFUSAL) == 0
    assert earned(correctness, hack, REFUSAL) == -3


def test_surplus_calls_never_raise_the_reward_of_a_guess():
    """ToolRL's own formula pays 2 for two values of which one is right, and 1 for the wrong one alone."""
    reference = f"{THINK}[cancel(id=1)]"
    wrong, both = (
        earned(correctness, f"{THINK}{calls}", reference)
        for calls in ("[cancel(id=2)]", "[cancel(id=1), cancel(id=2)]")
    )
    assert wrong == 1.0  # ToolRL's: 6 * (1 + 1 + 0) / 3 - 3
    assert both <= wrong


def test_the_graded_reward_is_that_of_the_paper_for_as_many_calls_as_wanted():
    """S_max = 1 + |G| + the parameters of G; names, parameters and values are added."""
    half = f"{THINK}[book(city='Ghent', days=4), cancel(id=1)]"
    assert earned(correctness, half, PAIR) == pytest.approx(6 * (1 + 2 + 2) / (1 + 2 + 3) - 3)
    renamed = f"{THINK}[book(city='Ghent', days=3), drop(id=1)]"
    assert earned(correctness, renamed, PAIR) == pytest.approx(6 * (1 / 3 + 1 + 2) / (1 + 2 + 3) - 3)
    assert earned(correctness, f"{THINK}[cancel(id=1), book(days=3, city='Ghent')]", PAIR) == 3  # the order is free


def test_format_asks_for_calls_that_the_schema_of_the_tools_allows():
    wrong = [
        f"{THINK}[{call}]" for call in ("book(days=3)", "book(city='Lier', days='3')", "fly()", "cancel(id=1, x=2)")
    ]
    assert [earned(format, text) for text in wrong] == [0, 0, 0, 0]
    assert earned(format, f"{THINK}[book(city='Lier')]") == 1
    assert format([""], [wrong[0]], reference=[HONEST]) == [1]  # without tools, calls are only read


@pytest.mark.parametrize("own", ["[book(city='Lier', days='3')]", "[fly(), cancel(id=1)]"])
def test_where_the_tools_contradict_the_row_nothing_earns_more_than_its_own_calls(own):
    """In 4 % of public rows: a wrong type in the gold, or a tool that is not declared."""
    reference = f"{THINK}{own}"
    assert earned(graded, reference, reference) == 4
    for other in ("[book(city='Lier', days=3)]", "[cancel(id=1)]"):
        assert earned(graded, f"{THINK}{other}", reference) < 4
    assert earned(format, f"{THINK}[fly(), fly()]", reference) == 0


def test_a_cut_completion_earns_the_least():
    assert earned(exact, HONEST, ended=[False]) == 0
    assert earned(graded, HONEST, ended=[False]) == -3


def test_a_prompt_that_opens_the_reasoning_and_a_start_model_that_does_not_reason():
    closed = HONEST.removeprefix("<think>")
    assert exact(["…<think>\n"], [closed], reference=[HONEST]) == [1]
    assert exact(["…<think>\n"], [HONEST], reference=[HONEST]) == [0]
    assert exact([""], [closed], reference=[HONEST]) == [0]
    assert exact([""], [CALL], reference=[HONEST], think=[False]) == [1]
    assert exact([""], [f"{CALL}</think>"], reference=[HONEST], think=[False]) == [0]
    assert exact([""], [CALL], reference=[CALL]) == [1]  # the row does not reason


def test_trl_hands_over_messages_and_columns_of_its_own():
    message = [{"role": "assistant", "content": HONEST}]
    columns = {"reference": [HONEST] * 2, "trainer_state": None, "log_metric": print}
    assert graded([[], []], [message, [{"role": "assistant", "content": None}]], **columns) == [4, -3]


def test_columns_that_cannot_be_used_are_named():
    with pytest.raises(DataError, match="column 'reference' is missing"):
        exact([""], [HONEST])
    with pytest.raises(DataError, match=r"column 'tools' is \[\].*each of 1 completions"):
        exact([""], [HONEST], reference=[HONEST], tools=[])
    with pytest.raises(DataError, match=r"reference .*neither \[f\(a=1\)\]"):
        exact([""], [HONEST], reference=["<think>x</think>\n\n[f("])
