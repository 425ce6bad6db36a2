"""Turns as a source has them: texts beside calls, two turns in a row, system messages, turns that cannot be read."""

import pytest

from .published import ANSWER, CALL, CALL_TEXT, JSON_CALL, QUERY, RESULT, WEATHER, chat, sharegpt
from .reading import accepted, refused

CALLED, SAID = ("assistant", CALL_TEXT), ("assistant", ANSWER)
ASKED, GOT = ("user", QUERY), ("tool", RESULT)


def said(role: str, content: str) -> dict:
    return {"role": role, "content": content}


def row(*turns: tuple[str, object]) -> dict:
    return {"id": 7} | chat(*turns, tools=[WEATHER])


def test_a_text_beside_calls_is_left_out_and_counted() -> None:
    """The calling prompt allows no text beside calls, so no turn that a model sees may have one."""
    look = "Let me look it up."
    both = row(ASKED, ("assistant", look), GOT, SAID)
    both["messages"][1]["tool_calls"] = [CALL]
    apart = sharegpt(
        ("human", QUERY), ("gpt", look), ("function_call", JSON_CALL), ("observation", RESULT), ("gpt", ANSWER)
    )
    tagged = row(ASKED, ("assistant", f"{look}\n<tool_call>{JSON_CALL}</tool_call>"), GOT, SAID)
    for source in (both, apart | {"tools": [WEATHER]}, tagged):
        one = accepted(source)
        assert (len(one.tasks), one.texts, one.tasks[0].answers) == (2, 1, [CALL])
        assert one.tasks[1].steps == [said(*CALLED), said(*GOT)]


def test_calls_in_a_row_are_one_turn() -> None:
    one = accepted(row(ASKED, CALLED, CALLED, GOT, GOT, SAID))
    assert (one.tasks[0].answers, one.tasks[1].steps[0]) == (
        [CALL, CALL],
        said("assistant", f"[{CALL_TEXT[1:-1]}, {CALL_TEXT[1:-1]}]"),
    )
    assert [task.id for task in one.tasks] == ["7@0", "7@1"]


def test_a_statement_after_a_call_without_result_is_context_and_no_target() -> None:
    """ACEBench leaves results out. To learn such a statement is to learn to make results up."""
    one = accepted(row(ASKED, CALLED, SAID, ("user", "And now?"), CALLED))
    assert [task.id for task in one.tasks] == ["7@0", "7@2"]
    assert one.left_out == {"states the result of a call that has none": 1}
    assert one.tasks[1].history == [said(*ASKED), said(*CALLED), said(*SAID)]


def test_texts_in_a_row_are_one_message() -> None:
    one = accepted(row(("user", "a"), ("user", "b"), SAID, ("assistant", "Bye."), ("user", "c"), CALLED))
    assert [task.query for task in one.tasks] == ["a\n\nb", "c"]
    assert one.tasks[1].history == [said("user", "a\n\nb"), said("assistant", f"{ANSWER}\n\nBye.")]


def test_system_messages_are_the_first_message_of_the_history() -> None:
    one = accepted(row(("system", "Be kind."), ASKED, SAID, ("developer", "Be brief."), ("user", "b"), CALLED))
    assert one.tasks[0].history == [said("system", "Be kind.")]
    assert one.tasks[1].history[0] == said("system", "Be kind.\n\nBe brief.")  # turns see no later system message
    assert [message["role"] for message in one.tasks[1].history] == ["system", "user", "assistant"]
    assert accepted(row(ASKED, SAID) | {"system": "Be kind."}).tasks[0].history == [said("system", "Be kind.")]


def test_a_greeting_is_context() -> None:
    one = accepted(row(("assistant", "Hello!"), ASKED, CALLED))
    assert [task.id for task in one.tasks] == ["7@1"] and one.left_out == {"no query before it": 1}
    assert one.tasks[0].history == [said("assistant", "Hello!")]


def test_a_conversation_may_end_with_a_result_or_the_user() -> None:
    for end in ([GOT], [GOT, SAID, ("user", "Bye.")], [("user", "Bye.")]):
        assert accepted(row(ASKED, CALLED, *end)).left_out == {}


def test_the_reasoning_of_a_turn_that_is_under_way_stays_with_its_steps() -> None:
    source = row(ASKED, ("assistant", f"<think>First.</think>{CALL_TEXT}"), GOT, SAID, ("user", "b"), CALLED)
    one = accepted(source)
    assert one.tasks[1].steps[0] == said(*CALLED) | {"reasoning": "First."}
    assert all(set(message) == {"role", "content"} for message in one.tasks[2].history)


LOST = [
    (("assistant", "[get_weather(city=Ghent)]"), "unreadable call"),
    (("assistant", ""), "bad message"),
    (("assistant", "<think>never closed"), "unreadable reasoning"),
    (("narrator", "Later."), "bad role"),
    (("user", [{"type": "image_url", "image_url": {}}]), "bad message"),
    (("assistant", [{"name": "get_weather", "arguments": [1]}]), "bad answer"),
    (("assistant", [{"name": "go-away", "arguments": {}}]), "unwritable value"),
    (("assistant", [{"name": "get_weather", "arguments": {"city": float("inf")}}]), "unwritable value"),
]


@pytest.mark.parametrize(("lost", "reason"), LOST, ids=[reason for _, reason in LOST])
def test_a_turn_without_a_form_costs_itself_and_those_that_need_it(lost: tuple, reason: str) -> None:
    one = accepted(row(ASKED, SAID, ("user", "b"), lost, ("user", "c"), CALLED), table=True)
    assert [task.id for task in one.tasks] == ["7@0"]
    after = {"after a turn that was left out": 1}
    assert dict(one.left_out) == (after if lost[0] != "assistant" else after | {reason: 1})
    assert refused(row(ASKED, lost, ("user", "c"), CALLED), table=True).kind == reason


def test_a_result_without_a_call_shows_that_the_turn_before_it_was_one() -> None:
    one = accepted(row(ASKED, SAID, ("user", "b"), ("assistant", "AI calculates: 3"), GOT, SAID))
    assert [task.id for task in one.tasks] == ["7@0"]
    assert one.left_out == {"result without a call": 1, "after a turn that was left out": 1}


def test_calls_that_cannot_be_written_are_lost_whatever_else_is_wrong() -> None:
    bad = f"<think>a</think>b</think>{JSON_CALL.replace('city', 'a city')}"
    one = accepted(row(ASKED, SAID, ("user", "b"), ("assistant", bad), ("user", "c"), CALLED))
    assert one.left_out == {"unreadable reasoning": 1, "after a turn that was left out": 1}


def test_a_reasoning_with_tags_costs_only_its_turn() -> None:
    one = accepted(row(ASKED, ("assistant", f"<think>a</think>b</think>{ANSWER}"), ("user", "b"), CALLED))
    assert [task.id for task in one.tasks] == ["7@1"] and one.left_out == {"unreadable reasoning": 1}
    assert one.tasks[0].history[1] == said(*SAID)
