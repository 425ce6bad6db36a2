"""API-Bank: its prompts in our form, gold right on all levels, anything else wrong, and never a crash."""

import json

import pytest
from code_closure import ROOT

from funreason.calls import Call, render
from funreason.core.errors import DataError
from funreason.evaluate import api_bank
from funreason.evaluate.api_bank import load_items, metrics, score
from funreason.llm import Response

DATA = ROOT.parent / "shared" / "data" / "api-bank"  # beside the checkout, on machines without the internet
SYSTEM = """Be helpful.

**Available Tools**
In your response, you can use the following tools:
1. Name: Weather
Description: The weather
of a city.
Parameters: {'city': {'type': 'str', 'description': 'Its name.'}}
2. Clock: The time.
Parameters: {}

**Steps for Each Turn**
"""
GOLD = Call("Weather", {"city": "Ghent"})


def responses(*texts: str) -> list[Response]:
    return [Response(text, "stop", 1, 1) for text in texts]


@pytest.fixture(scope="module")
def items():
    if not DATA.is_dir():
        pytest.skip(f"no API-Bank in {DATA}")
    return load_items(DATA)


def test_tools_of_both_spellings():
    weather, clock = api_bank.tools(SYSTEM)
    assert weather["name"] == "Weather" and weather["description"] == "The weather\nof a city."
    assert weather["parameters"]["properties"]["city"]["description"] == "Its name."
    assert clock["name"] == "Clock" and clock["parameters"]["properties"] == {}
    with pytest.raises(DataError, match="no tools in a prompt"):
        api_bank.tools("**Available Tools**\nnone")


def test_gold_is_right_on_all_levels(items):
    texts = [f"<think>Hm.</think>\n\n{render([item.gold])}" for item in items]
    figures = metrics(score(items, responses(*texts)))
    assert {name: figures[name]["correct"] for name in ("level-1", "level-2", "level-3")} == {
        "level-1": 399, "level-2": 67, "level-3": 131,
    }  # fmt: skip
    assert figures["accuracy"] == 1.0 and figures["n"] == 597


def test_gold_calls_are_of_tools_that_the_prompt_shows(items):
    """All but six of level 2, whose prompts leave the tool out in the published files, too."""
    absent = [item.id for item in items if f'"{item.gold.name}"' not in item.messages[0]["content"]]
    assert absent == [f"level-2_{number}" for number in (6, 13, 14, 19, 25, 54)]


def test_wrong_is_wrong(items):
    others = items[1:] + items[:1]
    texts = [render([other.gold]) for other in others]
    rows = score(items, responses(*texts))
    assert [r.id for r, a, b in zip(rows, items, others, strict=True) if r.correct and a.gold != b.gold] == []


ITEM = api_bank.ApiBankItem(1, "level-1_0", [], GOLD)


def test_rows_have_question_and_gold_beside_the_answer():
    item = api_bank.ApiBankItem(1, "level-1_0", [{"role": "system"}, {"role": "user", "content": "Sunny?"}], GOLD)
    (row,) = api_bank.to_rows([item], score([item], responses("No.")))
    assert (row["question"], row["gold"], row["correct"]) == ("Sunny?", "[Weather(city='Ghent')]", False)


@pytest.mark.parametrize(
    ("text", "correct"),
    [
        ("[Weather(city='Ghent')]", True),
        ("[Clock(), Weather(city='Ghent')]", True),
        ("[Weather(city='Ghent', days=1)]", False),
        ("[Weather(city='ghent')]", False),
        ("[Weather()]", False),
        ("[]", False),
        ("", False),
        ("[" * 100_000, False),
        ("x" * 1_000_000, False),
        ("\ud800\0", False),
        ("[Weather(city=__import__('os').getcwd())]", False),
    ],
)
def test_the_published_rule(text, correct):
    (row,) = score([ITEM], responses(text))
    assert row.correct is correct and bool(row.error) is not correct


@pytest.mark.parametrize(
    ("text", "gold", "correct"),
    [
        ("[f(a=1)]", 1, True),
        ("[f(a=1.0)]", 1, True),
        ("[f(a=True)]", 1, False),
        ("[f(a=1)]", True, False),
        ("[f(a=-0.0)]", 0, False),
        ("[f(a=0)]", 0, True),
        ("[f(a=[{'b': False}])]", [{"b": 0}], False),
        ("[f(a=[{'b': 0}])]", [{"b": 0}], True),
        ("[f(a=None)]", None, True),
    ],
)
def test_values_of_another_type_are_wrong(text, gold, correct):
    (row,) = score([api_bank.ApiBankItem(1, "level-1_0", [], Call("f", {"a": gold}))], responses(text))
    assert row.correct is correct


def test_missing_data_are_one_line(tmp_path):
    with pytest.raises(DataError, match=r"level-1-api_processed.json does not exist .*take it from github.com"):
        load_items(tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[", "is not a JSON list"),
        ("7", "is not a JSON list"),
        ("[{}]", "item 0 cannot be read .KeyError: 'system'"),
        (json.dumps([{"system": SYSTEM.replace("{}", "{x}"), "user": "", "answer": []}]), "item 0 cannot be read"),
        (json.dumps([{"system": SYSTEM, "user": "Hi", "answer": []}]), "item 0 cannot be read .IndexError"),
        ("\xff", "is not a JSON list"),
    ],
)
def test_damaged_data_are_one_line(tmp_path, text, problem):
    (tmp_path / "level-1-api_processed.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=rf"level-1-api_processed.json.* {problem}.*from github.com"):
        load_items(tmp_path)
