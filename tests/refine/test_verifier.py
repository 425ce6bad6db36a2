"""The verifier: what it decides between the rules and the judge, and where it stops."""

import json
from collections import Counter
from dataclasses import replace
from importlib.resources import files
from random import Random

import pytest

from funreason.config import load_params
from funreason.core.records import Sample
from funreason.heuristics import heuristic_result
from funreason.heuristics.habits import Habits
from funreason.heuristics.looked_at import look_at
from funreason.heuristics.value_features import detailed_state
from funreason.heuristics.vectors import text_vector, words_vector
from funreason.heuristics.verifier import OMITTED, VALUE, Model, part_evidence, verify
from funreason.toy.tools import split

from .conftest import REPO
from .trips import toy_rows

LIMITS = load_params(REPO / "profiles" / "toy.yaml").fcdr.verifier
NEVER = LIMITS.model_copy(update={"max_error": LIMITS.max_error.model_copy(update={"call": 0.0}), "max_false": 0.0})
HOTELS = {
    "name": "HotelFinder_searchHotels",
    "description": "Searches hotels in a city that have free rooms in a period.",
    "parameters": {
        "type": "dict",
        "properties": {
            "city": {"type": "string", "description": "The city, such as 'Paris'."},
            "check_in": {"type": "string", "description": "First night, in the format YYYY-MM-DD."},
            "rooms": {"type": "integer", "description": "Number of rooms.", "default": 1},
            "breakfast": {"type": "boolean", "description": "Whether breakfast is included.", "default": False},
        },
        "required": ["city", "check_in"],
    },
}
FERRIES = {
    "name": "book_ferry",
    "description": "Books a ferry between two harbours.",
    "parameters": {
        "type": "dict",
        "properties": {"origin": {"type": "string", "description": "The harbour."}},
        "required": ["origin"],
    },
}
ANSWER = "[HotelFinder_searchHotels(city='Lisbon', check_in='2024-07-15', rooms=2)]"
QUERY = "Could you look for hotels in Lisbon with two rooms free from July 15, 2024?"
COT = (
    "The user wants hotels in Lisbon. HotelFinder_searchHotels fits. city is Lisbon, check_in is 2024-07-15, and they "
    "need 2 rooms. All required parameters are provided, so I can call it."
)
ROW = Sample("0", QUERY, [HOTELS, FERRIES], COT, ANSWER)
DOUBT = " Wait, maybe the user means something else? But they didn't specify. Perhaps I should ask, or assume. Hmm."


def score(check: str, sample: Sample) -> float:
    return verify(check, look_at(sample).evidence, bool(sample.cot), LIMITS).score


@pytest.mark.parametrize("check", ["query_tool", "cot", "call"])
def test_a_plain_real_row_passes_where_the_rules_alone_are_silent(check):
    thanks = " Thanks a lot, we are so looking forward to Portugal!"
    row = replace(ROW, query=QUERY + thanks, cot="But first, let me see. " + COT)
    assert heuristic_result(check, row).value is None
    assert heuristic_result(check, row, LIMITS).value is True


@pytest.mark.parametrize(
    ("check", "worse"),
    [
        ("call", {"cot": COT + 4 * DOUBT}),
        ("call", {"query": "Could you look for hotels?"}),
        ("query_tool", {"query": "Who wrote the third symphony, and in which key?"}),
        ("call", {"answer": "[HotelFinder_searchHotels(city='Lisbon', check_in='2024-07-16', rooms=7)]"}),
        ("call", {"answer": "[book_ferry(origin='Dover')]"}),
        ("cot", {"cot": "The second symphony is in D major, as the programme of the concert says."}),
        ("cot", {"answer": "[HotelFinder_searchHotels(city='Porto', check_in='2025-01-02', rooms=5)]"}),
    ],
)
def test_evidence_against_a_row_lowers_its_score(check, worse):
    assert score(check, replace(ROW, **worse)) < score(check, ROW) - 0.5


def test_chinese_rows_are_compared_by_characters():
    tool = {"name": "查询天气", "description": "查询一个城市某一天的天气预报。", "parameters": HOTELS["parameters"]}
    row = Sample("0", "请查一下2024年7月15日里斯本的天气，要2间。", [tool, FERRIES], "", "")
    right = replace(row, answer="[HotelFinder_searchHotels(city='里斯本', check_in='2024-07-15', rooms=2)]")
    right = replace(right, tools=[tool | {"name": "HotelFinder_searchHotels"}, FERRIES])
    seen = look_at(right).evidence
    assert (seen["required_text_stated"], seen["optional_number_stated"], seen["unused_numbers"]) == (2, 1, 0)
    assert seen["text_fit"] > 0
    wrong = replace(right, answer=right.answer.replace("里斯本", "波尔图"))
    assert score("call", wrong) < score("call", right)


PORTO = replace(ROW, cot="", query="Find hotels in Lisbon from 2024-07-15, two rooms please.")


def swapped(sample: Sample) -> Sample:
    answer = sample.answer.replace("Lisbon", "?").replace("2024-07-15", "Lisbon").replace("?", "2024-07-15")
    return replace(sample, answer=answer)


@pytest.mark.parametrize(
    "worse",
    [
        replace(PORTO, answer=ANSWER.replace("Lisbon", "Aspirin tablets")),
        replace(PORTO, answer=ANSWER.replace("rooms=2", "rooms=9")),
        replace(PORTO, query="Find hotels in from 2024-07-15, two rooms please."),
        swapped(PORTO),
    ],
    ids=["foreign", "other number", "not in the query", "swapped"],
)
def test_the_worst_value_of_a_row_without_a_reasoning_is_seen(worse):
    good, bad = (part_evidence(look_at(row).on_query()) for row in (PORTO, worse))
    assert bad["value_worst"] > good["value_worst"] + 1
    assert score("call", worse) < score("call", PORTO)


def test_a_value_is_judged_by_the_words_around_it():
    """From and to the wrong way round: both values are stated, of the same shape, and the tool has no example."""
    place = {"type": "string", "description": "A harbour."}
    ferry = FERRIES | {"parameters": {"type": "dict", "properties": {"origin": place, "destination": place}}}
    row = Sample("0", "I need a ferry to Dover from Calais, please.", [ferry], "", "")
    right = replace(row, answer="[book_ferry(origin='Calais', destination='Dover')]")
    wrong = replace(row, answer="[book_ferry(origin='Dover', destination='Calais')]")
    good, bad = (part_evidence(look_at(each).on_query())["value_worst"] for each in (right, wrong))
    assert bad > good + 0.3


@pytest.mark.parametrize(
    ("query", "first", "second"),
    [
        ("How warm is it in Lisbon and Porto?", "get_weather(city='Lisbon')", "get_weather(city='Porto')"),
        ("Log weights of 45 and 61 kilograms.", "log_weights(kilograms=45)", "log_weights(kilograms=61)"),
        (
            "Tell me the weather in Lisbon. Lastly, please book a ferry for me, from Dover.",
            "get_weather(city='Lisbon')",
            "book_ferry(origin='Dover')",
        ),
    ],
    ids=["listed name", "listed number", "clause"],
)
def test_what_no_call_uses_tells_of_a_call_that_is_lacking(query, first, second):
    weather = {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "dict",
            "properties": {"city": {"type": "string", "description": "The city."}},
            "required": ["city"],
        },
    }
    weights = {"name": "log_weights", "description": "Logs a weight.", "parameters": {
        "type": "dict", "properties": {"kilograms": {"type": "integer", "description": "Weight."}}}}  # fmt: skip
    row = Sample("0", query, [weather, weights, FERRIES], "", f"[{first}, {second}]")
    good, bad = (look_at(each).evidence["omitted_worst"] for each in (row, replace(row, answer=f"[{first}]")))
    assert bad > good + 1


@pytest.mark.parametrize(
    ("value", "word", "cut"),
    [("Fremo", "Fremont", 1), ("gO1Ko", "gO1KoCXZ", 1), ("Par", "Paris", 1), ("New Yo", "New York", 1),
     ("oral", "orally", 0), ("Sydney, AU", "Sydney, Australia", 0), ("EUR", "Euros", 0), ("北京", "北京市", 0)],
)  # fmt: skip
def test_a_text_that_ends_inside_a_word_is_told_from_its_stem_and_fails_the_call(value, word, cut):
    """The tool names Paris as an example, and so not Par."""
    answer = f"[HotelFinder_searchHotels(city='{value}', check_in='2024-03-05')]"
    row = replace(PORTO, query=f"Find hotels for {word} from 2024-03-05 please.", answer=answer)
    assert look_at(row).evidence.get("cut_off", 0) == cut
    assert (heuristic_result("call", row).reason == "a text is cut off inside a word") == bool(cut)


def test_a_reasoning_about_another_query_is_seen():
    sound = "They want hotels in Lisbon from 2024-07-15, two rooms. I call HotelFinder_searchHotels."
    other = "They want a ferry to Oslo. I call book_ferry with passengers 3."
    kept, foreign = (look_at(replace(PORTO, cot=cot)).evidence for cot in (sound, other))
    assert kept["cot_query"] > foreign["cot_query"] + 0.3 and kept["cot_lost"] < foreign["cot_lost"]


def test_words_of_one_meaning_have_similar_vectors():
    hotel, inn, motor = (text_vector(word) for word in ("hotel", "inn", "carburettor"))
    assert float(hotel @ inn) > float(hotel @ motor) + 0.2
    assert abs(float(hotel @ hotel) - 1) < 1e-6
    assert not text_vector("里斯本").any()
    assert (words_vector(["two", "nights", "in"]) == words_vector(["in", "two", "nights"])).all()


def test_the_trees_of_a_model_are_followed_as_they_are_written():
    values = json.loads(files("funreason.heuristics").joinpath("verifier.json").read_text())["models"]
    rng = Random(1)
    for own in (VALUE, "call/bare"):
        model = Model(**values[own])
        evidence = [
            {feature: rng.choice((0.0, 1.0, rng.uniform(-3, 6))) for feature in model.features} for _ in range(50)
        ]
        for numbers, score in zip(evidence, model.scores(evidence), strict=True):
            leaves = []
            for node in values[own]["trees"]:
                while isinstance(node, list):
                    node = node[2] if numbers[model.features[node[0]]] <= node[1] else node[3]
                leaves.append(node)
            assert abs(score - model.bias - sum(leaves)) < 1e-9


def test_the_result_of_an_earlier_call_needs_not_be_in_the_query():
    first = "search_hotels(city='Lisbon')"
    states = [
        [detailed_state(match, look_at(row).on_query()) for match in look_at(row).on_query().matches]
        for row in (
            replace(PORTO, answer=f"[{first}, book(hotel='API_call_0')]"),
            replace(PORTO, answer=f"[{first}, book(hotel='API_call_7')]"),
        )
    ]
    assert "earlier" in states[0] and "earlier" not in states[1]


def test_at_an_operating_point_of_nothing_it_never_decides():
    for sample, _ in toy_rows("call", 60):
        assert heuristic_result("call", sample, NEVER).value is heuristic_result("call", sample).value


def test_a_larger_operating_point_decides_more():
    samples, passed = [sample for sample, _ in toy_rows("call", 200)], []
    for error in (0.03, 0.1, 0.3):
        limits = LIMITS.model_copy(update={"max_error": LIMITS.max_error.model_copy(update={"call": error})})
        passed.append(sum(heuristic_result("call", sample, limits).value is True for sample in samples))
    assert passed == sorted(passed) and passed[0] < passed[-1]


@pytest.mark.parametrize("check", ["query_tool", "cot", "call"])
@pytest.mark.parametrize("tools", [0, 1], ids=["known", "new"])
def test_toy_rows_that_it_decides_are_hardly_ever_decided_wrongly(check, tools):
    counts = Counter(
        (heuristic_result(check, sample, LIMITS).value, passed)
        for sample, passed in toy_rows(check, 400, split()[tools])
    )
    decided = 400 - counts[None, True] - counts[None, False]
    assert decided >= 0.92 * 400
    assert counts[True, False] + counts[False, True] <= 0.015 * decided


def test_conversations_under_way_are_not_scored():
    steps = [{"role": "assistant", "content": ANSWER}, {"role": "tool", "content": "[]"}]
    assert heuristic_result("call", replace(ROW, steps=steps), LIMITS).score is None


def test_a_row_is_looked_at_once_and_rules_leave_no_trace():
    before = dict(look_at(ROW).evidence)
    for check in ("call", "cot", "query_tool", "call"):
        heuristic_result(check, ROW, LIMITS)
    assert look_at(replace(ROW, id="1")).evidence == before


def test_the_curves_of_the_operating_points_rise():
    values = json.loads(files("funreason.heuristics").joinpath("verifier.json").read_text())
    for name, model in values["models"].items():
        if name in (VALUE, OMITTED):
            continue  # they decide nothing by themselves
        fractions, scores = zip(*model["passes"], strict=True)
        assert list(fractions) == sorted(fractions) and list(scores) == sorted(scores, reverse=True)
        fractions, scores = zip(*model["fails"], strict=True)
        assert list(fractions) == sorted(fractions) and list(scores) == sorted(scores)


def test_habits_do_not_depend_on_the_order_of_words():
    """The words of a parameter are a set, whose order is another in each process."""
    words = ("to", "from", "by")
    cues = {"to": {"at": 1e16}, "from": {"at": 1.0}, "by": {"at": -1e16}}
    habits = Habits({"to": 0.5, "from": -0.5, "by": 0.1}, cues)
    orders = (words, words[::-1], ("from", "by", "to"))
    assert {(habits.seldom_stated(order), habits.cue("at", order)) for order in orders} == {(0.5, 1.0)}
