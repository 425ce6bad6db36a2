"""Refusals that can be read, and what BFCL's rule takes for one: garbage, broken calls, answers that were cut."""

import random
import time

import pytest

from funreason.calls.forms import form_of_text
from funreason.evaluate import api_bank, bfcl, toy_suites
from funreason.evaluate.bfcl import BfclPrompt
from funreason.evaluate.bfcl_metrics import calls_apart
from funreason.evaluate.forms import form_of
from funreason.llm import Response

from .suite import write_folder

GOLD = "[get_weather(city='Ghent', days=3)]"
STATEMENTS = [
    "None of the functions can be used.", "no", "None", "Sorry", "Answer: no function fits",
    "[Note] None of the functions fit.",
    "[None of the functions (such as get_weather) can be used.]",
    "Note (important): nothing fits.", "**None** of the functions apply.",
    "The function `get_weather(city)` needs a city.", "get_weather(city=...) needs a city.",
    "get_weather() cannot do that.", "I can't: `get_weather` has no date.",
    "The functions [get_weather, get_time] cannot book flights.",
    "None fit:\n\n- get_weather: only weather\n- get_time\n",
    "The question lacks the parameter `city` (string), which get_weather(city, days) requires.",
    "```\nNone of the functions can be used.\n```", "没有合适的函数可以使用。", "Никакая функция не подходит.",
]  # fmt: skip
UNREADABLE = [
    "", "   ", "!!!!", "....", "```", "\0", "caf\ufffd \ufffd", "\ud800", "12 34 56", "12 34 ab 56 78 90", "xxxxxxxxxx",
    "the " * 200,
    "word " * 5_000, "<think>I should call", "[get_weather(city=\"Ghent\"", "get_weather(city=\"Ghent",
    "[get_weather(city='Ghent'), get_time(", "[get_weather('Ghent')]", "get_weather('Ghent')", "[get_weather]",
    "get_weather(city: 'Ghent')", "[get_weather(city=Ghent, days=3)]", "[1, 2, 3]", "['a']", '{"city": "Ghent"}',
    '```json\n{"name": "f", "arguments": {}}\n```', '<tool_call>\n{"name": "f"}\n</tool_call>', "<|python_tag|>f()",
    "<function=get_weather>{}</function>", "[TOOL_CALLS] []", "Action: get_weather\nAction Input: {}",
    "[{'get_weather': {'city': 'Ghent'}}]", f"I look it up: {GOLD}", f"{GOLD} and more", f"Answer: {GOLD}",
    f"```python\n{GOLD}\n```", "Sure! get_weather(city='Ghent')", "```python\nimport os\n```",
    "[set scale_hotel(size='small', 'Slow',_limit_limit)]",
    "[find track(filters={'brand': 'Vertex', 'year about Farming.",
    'I call it with {"name": "get_weather", "arguments": {"city": "Ghent"}}.',
]  # fmt: skip


@pytest.mark.parametrize("text", STATEMENTS)
def test_a_statement_is_a_refusal(text):
    assert form_of_text(text) == "statement"


@pytest.mark.parametrize("text", UNREADABLE, ids=range(len(UNREADABLE)))
def test_what_nobody_can_read_is_none(text):
    assert form_of_text(text) == "unreadable"


def test_calls_and_no_calls():
    assert [form_of_text(text) for text in ("[]", " `[]` ", GOLD, "f(a=1)")] == ["empty", "empty", "calls", "calls"]


@pytest.mark.parametrize(
    ("text", "reason", "form"),
    [
        ("None of the func", "length", "cut"),
        (GOLD, "length", "cut"),
        ("None of", "content_filter", "content_filter"),
        ("", "too_long", "too_long"),
        ("this server refuses the request", "refused", "refused"),
        ("it failed each time", "failed", "failed"),
        ("<think>Hm.</think>\n\nNo function fits.", "stop", "statement"),
        ("<think>Hm. No function fits.", "stop", "unreadable"),
        ("No function fits.", "eos_token", "statement"),
    ],
)
def test_the_form_of_a_response(text, reason, form):
    assert form_of(Response(text, reason, 1, 1)) == form


@pytest.mark.parametrize(
    "text",
    ["(" * 10**6, "[" + "(" * 19_000, "a(" * 9_999, "[a(" * 5_000, "f(a=" * 4_000, "\n```" * 5_000, "f(a=1) " * 2_000],
)
def test_huge_answers_are_read_at_once(text):
    assert form_of_text(text) == "unreadable"


@pytest.mark.parametrize("characters", ["ab", "abcdefgh_.", ".,;\n", "[( ", "[(=a\n", "`~ \n", "{}\"':", " \n\t[a"])
def test_random_text_is_read_at_once(characters):
    started = time.perf_counter()
    form_of_text("".join(random.Random(0).choices(characters, k=19_000)))
    assert time.perf_counter() - started < 2  # seconds; it takes milliseconds


def scored(answers: list[Response], category: str, folder, mode: str):
    """With a folder of our own, or for None with BFCL's own data."""
    folders = {"known": folder and write_folder(folder / "known", len(answers))}
    prompts = [BfclPrompt("known", category, f"{category}_{n}", []) for n in range(len(answers))]
    return prompts, folders, bfcl.score(prompts, answers, folders, mode)


def test_the_official_score_stays_and_a_cut_answer_refuses_nothing_in_our_suites(tmp_path, mode):
    texts = [("None of the functions can be used.", "stop"), ("[]", "stop"), ("None of the fun", "length"),
             ("!!", "stop"),
             ("[get_weather(city='Ghent'", "stop"), (GOLD, "stop"), ("refused by a filter", "refused"), ("", "stop"),
             ("[get_weather(city='Ghent', days=1 + 2)]", "stop")]  # fmt: skip
    answers = [Response(text, reason, 1, 1) for text, reason in texts]
    _, _, rows = scored(answers, "irrelevance", None, mode)
    assert [row.correct for row in rows] == [True, True, True, True, True, False, False, True, False]
    assert [row.form for row in rows] == ["statement", "empty", "cut", "unreadable", "unreadable", "calls", "refused",
                                          "unreadable", "calls"]  # fmt: skip
    part = calls_apart(rows)["no_call_wanted"]
    assert (part["correct"], part["strict"]["correct"], part["unreadable"], part["cut"]) == (6, 2, 3, 1)
    prompts, folders, own = scored(answers, "irrelevance", tmp_path, mode)
    assert [row.correct for row in own] == [True, True, False, True, True, False, False, True, False]
    assert own[2].error.startswith("cut: ")
    toy, figures = toy_suites.score(prompts, answers, folders, mode)
    assert toy == own and figures["no_call_wanted"]["correct"] == 5


def test_unreadable_where_calls_are_wanted(tmp_path, mode):
    """What BFCL's decoder reads and ours does not is read."""
    texts = [
        GOLD,
        "[get_weather(city='Ghent', days=1 + 2)]",
        "[get_weather('Ghent', 3)]",
        "[get_weather(",
        "I cannot.",
        "[]",
    ]
    _, _, rows = scored([Response(text, "stop", 1, 1) for text in texts], "simple_python", tmp_path, mode)
    assert [row.correct for row in rows] == [True, True, False, False, False, False]
    assert [row.form for row in rows] == ["calls", "calls", "calls", "unreadable", "statement", "empty"]


def test_api_bank_counts_them_too():
    item = api_bank.ApiBankItem(1, "level-1_0", [], api_bank.Call("Weather", {"city": "Ghent"}))
    answers = [
        ("[Weather(city='Ghent')]", "stop"),
        ("[Weather(city='Gh", "length"),
        ("[Weather(", "stop"),
        ("No.", "stop"),
    ]
    rows = api_bank.score([item] * 4, [Response(text, reason, 1, 1) for text, reason in answers])
    assert [row.form for row in rows] == ["calls", "cut", "unreadable", "statement"]
    figures = api_bank.metrics(rows)
    assert (figures["correct"], figures["unreadable"], figures["cut"]) == (1, 1, 1)
    assert figures["level-1"] == {name: figures[name] for name in figures["level-1"]}
