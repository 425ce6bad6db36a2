"""What a model wrote, taken apart: whole, in parts of any size, broken and hostile."""

import json
import random

import pytest

from funreason.calls import CallSyntaxError, parse
from funreason.calls.names import NameMap
from funreason.serve.answers import ContentStream, ReasoningStream, read_answer, split_reasoning

CASES = {
    "dotted": "[math.sqrt(x=2.0), a.b.c()]",
    "nested": "[f(a={'b': [1, {'c': None}], 'd': (1, 2)}, e=[[]])]",
    "quotes": r"""[f(a='it\'s "x"', b="[g(c=1)]", c='\n\\')]""",
    "keywords": "[send(from='a', class=1, in=[True, false, null])]",
    "several": "[f(a=1), g(b='x, y'), f()]",
    "underscore": "[_f(_a=-1)]",
    "bare": "f(a=1), g()",
    "fenced": "`[f(a=1)]`",
    "unicode": "[f(a='日本 😀', été='é')]",
    "statement": "No function fits: [f(a=1)] needs a date.",
    "empty list": "[]",
    "prose": "Use f(x) for that.",
    "bracket": "[Note: nothing fits]",
    "half": "[f(a=1), g(b=",
    "positional": "[f(1)]",
    "closed again": "so</think>[f(a=1)]",
}
BEFORE = {"none": ("", None), "think": ("<think>\nSo <b>: a < b.\n</think>\n\n", "So <b>: a < b."),
          "empty": ("<think></think>", None)}  # fmt: skip


def streamed(text: str, sizes, opened: bool = False) -> tuple[str, str, list]:
    """Reasoning, shown text and calls of an answer that comes in parts."""
    reasoning, content, shown, at = ReasoningStream(opened), ContentStream(), ["", ""], 0
    while at < len(text):
        part = text[at : at + sizes()]
        at += len(part)
        thought, rest = reasoning.feed(part)
        shown[0] += thought
        shown[1] += content.feed(rest) if rest else ""
    thought, rest = reasoning.finish()
    shown[0] += thought
    shown[1] += content.feed(rest) if rest else ""
    rest, calls = content.finish()
    return shown[0].strip(), (shown[1] + rest).strip(), calls


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("case", CASES)
def test_parts_of_any_size_give_what_the_whole_gives(case, before):
    text, reasoning = BEFORE[before][0] + CASES[case], BEFORE[before][1]
    draw = random.Random(case)
    if case == "closed again" and before == "none":
        reasoning = "so"
        text = "<think>" + text
    thought, content = split_reasoning(text)
    rest, calls = read_answer(content)
    assert thought == reasoning
    for sizes in (lambda: 1, lambda: 3, lambda: draw.randrange(1, 9), lambda: 999):
        assert streamed(text, sizes) == (reasoning or "", rest, calls)
    try:
        expected = parse(text.rpartition("</think>")[2])  # as the offline evaluation cuts and reads it
    except CallSyntaxError:
        expected = []
    assert calls == expected


@pytest.mark.parametrize("text", ["so</think>\n\n[f()]", "\nso\n</think>[f()]", "<think>so</think>[f()]"])
def test_a_prompt_that_opened_the_reasoning(text):
    assert split_reasoning(text, opened=True) == ("so", "[f()]")
    assert streamed(text, lambda: 1, opened=True)[0::2] == ("so", parse("[f()]"))


def test_reasoning_that_is_never_closed_is_reasoning():
    assert split_reasoning("<think>so [f()]") == ("so [f()]", "")
    assert split_reasoning("so [f()] </th", opened=True) == ("so [f()] </th", "")
    assert streamed("<think>so </th", lambda: 1) == ("so </th", "", [])


def test_text_is_shown_as_it_comes():
    stream = ContentStream()
    assert [stream.feed(part) for part in ("No", " ", "fun", "ction")] == ["", "", "No fun", "ction"]


def test_names_are_the_users():
    names = NameMap.of([{"name": "get-weather", "parameters": {"start-date": {"type": "str"}}}])
    _, (call,) = read_answer("[get_weather(start_date='x')]", names)
    assert (call.name, call.arguments) == ("get-weather", {"start-date": "x"})


HOSTILE = (
    "[f(a=__import__('os').system('touch x'))]", "[f(a=1+1)]", "[f(**{'a': 1})]", "[(lambda: 1)()]", "[f(a=f'{1}')]",
    "[f(a=1e999)]", "[f(a=" + "9" * 5000 + ")]", "[" * 300, "[f(a=" + "(" * 300, "[f(a='\ud800')]", "\x00[f()]",
    "[f(a=1, a=2)]", "[f(a={'b': 1, 'b': 2})]", "<think>" * 50, "</think>" * 50, "[f(a='" + "x" * 200_000 + "')]",
    "[f(a=b'x')]", "[f(a=...)]", "[f(a=1j)]", "[f](a=1)", "[f(a=1);g()]",
)  # fmt: skip


def hostile(count: int) -> list[str]:
    """Answers that are broken, cut, deep, long, or meant to run something."""
    draw = random.Random(7)
    whole = [*CASES.values(), *HOSTILE]
    out = list(whole)
    while len(out) < count:
        text = draw.choice(whole[:20]) + draw.choice(["", "</think>", "\n", "]", "'", '"', "<think>"])
        at, size = draw.randrange(len(text)), draw.randrange(1, 5)
        out.append(draw.choice([text[:at], text[at:], text[:at] + text[at + size :], text[:at] + text[at:] * 2]))
    return out


def test_500_hostile_answers_give_all_calls_or_none():
    for text in hostile(500):
        _, content = split_reasoning(text)
        rest, calls = read_answer(content)
        assert streamed(text, lambda text=text: 1 + len(text) // 40)[1:] == (rest, calls)
        for call in calls:
            json.loads(json.dumps(call.to_row()).encode("utf-8"))
