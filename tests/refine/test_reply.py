"""What counts as a verdict, and what is a doubt."""

import re

import pytest

from funreason.refine.reply import VERDICT_REGEX, JudgeReply, read_reply, replacement

TRUE, FALSE = "<judge>True</judge>", "<judge>False</judge>"


def read(text: str, finish_reason: str = "stop") -> JudgeReply:
    return read_reply("judge", text, finish_reason)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (TRUE, True),
        (f"city: Ghent / Oslo, different. {FALSE}", False),
        (f"<think>First I thought {TRUE}.</think>\n\n{FALSE}", False),
        (f"I thought {TRUE}, hm.</think>{FALSE}", False),  # the chat template opened <think> in the prompt
        (f"{TRUE} As I said: {TRUE}", True),
        ("<judge> true </judge>", True),
        (f"Answer <judge>True|False</judge>: {FALSE}", False),  # the prompt's own words, quoted
    ],
)
def test_the_verdict_stands_after_the_reasoning(text, value):
    assert read(text).value is value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no <judge> tag"),
        ("True", "no <judge> tag"),
        ("<judge>True", "no <judge> tag"),
        ("<judge>maybe</judge>", "no <judge> tag"),
        ("<judge>True|False</judge>", "no <judge> tag"),
        (f"<think>{TRUE}</think> Done.", "no <judge> tag"),
        (f"<think>It is {TRUE}", "reasoning never closed"),
        (f"{TRUE} or {FALSE}?", "both verdicts"),
        (f"{FALSE} although the query says {TRUE}", "both verdicts"),  # a quoted tag lets no row pass
    ],
)
def test_a_doubtful_text_has_no_verdict(text, problem):
    reply = read(text)
    assert (reply.value, reply.problem) == (None, problem)


@pytest.mark.parametrize("start", ["", "I see a city. ", "<think>Hm, 3 days.</think>\n\n", "Hm.</think> So: "])
@pytest.mark.parametrize("end", [TRUE, f"{FALSE}<NewFC>[f(a='x')]</NewFC>", f"{FALSE} <NewFC>[f(), g(b=[1])]</NewFC>"])
def test_what_structured_output_allows_can_be_read(start, end):
    assert re.fullmatch(VERDICT_REGEX, start + end)
    assert read(start + end).value is (end == TRUE)


@pytest.mark.parametrize("text", ["", "True", f"{TRUE}{FALSE}", f"{TRUE} or so", f"{FALSE}<NewFC>[f()]"])
def test_structured_output_allows_nothing_that_is_not_a_verdict(text):
    assert not re.fullmatch(VERDICT_REGEX, text)


def test_a_turn_that_was_cut_is_not_read():
    assert read(f"I might say {TRUE}", "length").value is None
    assert read("", "too_long").problem == "prompt too long"
    assert read(TRUE, "content_filter").problem == "ended by 'content_filter'"


def test_the_last_new_call_after_the_reasoning_counts():
    text = f"<think><NewFC>[a()]</NewFC></think>{FALSE}<NewFC>[b()]</NewFC> or rather <NewFC> [c()]\n</NewFC>"
    assert read(text).new_call == "[c()]"
    assert read(f"{FALSE}<NewFC>[a()] <NewFC>[b()]</NewFC>").new_call == "[b()]"
    assert read(f"<think><NewFC>[a()]</NewFC></think>{FALSE}").new_call is None


def test_new_answers_are_written_canonically():
    assert replacement('[ f(a="x", b= true) ]') == ("[f(a='x', b=True)]", "")
    assert replacement(None) == ("", "no <NewFC>")
    assert replacement("[]") == ("", "<NewFC> holds no call")
    assert replacement("[f(x)]") == ("", "<NewFC> does not parse")
