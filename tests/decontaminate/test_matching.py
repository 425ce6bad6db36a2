"""What a row has in common with questions and tools of benchmarks."""

import random
import runpy
from pathlib import Path

import pytest

from funreason.decontaminate.matching import Overlap, OverlapIndex, Question
from funreason.decontaminate.text import words

DISGUISES = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks/planted_overlaps.py"))["DISGUISES"]
CHAT = "My sister came to see us yesterday, and we talked about the garden, the neighbours and her new job."
QUESTIONS = {
    "table": "Reserve a quiet table for six guests at the Blue Lagoon in Bergen; one of us uses a wheelchair.",
    "area": "Find the area of a triangle with a base of 10 units and height of 5 units.",
    "radium": "Who discovered radium, and when was it?",
    "trip": "Book two economy seats to Oslo on 3 May 2025; I don't need a hotel. The train leaves at 7:45, doesn't it?",
    "chinese": "请问北京明天的天气怎么样，我需要带雨伞出门吗？",
    "pizza": "Order me pizza",
}
HEIGHT = {"type": "int", "description": "Height above the base."}
TOOL = {
    "name": "math.triangle_area",
    "description": "Calculate the area of a triangle.",
    "parameters": {"base": {"type": "int", "description": "Length of the base."}, "side_height": HEIGHT},
}


def index(ngram=13, threshold=0.5, tools=(), follows=False, **questions) -> OverlapIndex:
    asked = [Question("own", name, text, follows) for name, text in (questions or QUESTIONS).items()]
    return OverlapIndex(asked, [("own", tool) for tool in tools], ngram, threshold)


def kinds(found: list[Overlap]) -> list[tuple[str, str]]:
    return [(overlap.kind, overlap.entry) for overlap in found]


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("name", ["area", "trip"])
def test_a_question_is_found_in_every_disguise(disguise, name):
    questions, rng = index(), random.Random(3)
    for _ in range(50):
        text = DISGUISES[disguise](QUESTIONS[name], rng)
        assert [overlap.entry for overlap in questions.find([text], [])] == [name], text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("find the AREA of a triangle (with a base of 10 units and height of 5 units)", [("query", "area")]),
        (
            "Ｆｉｎｄ the a\u200brea of a triangle with a base of １０ units and\u00a0height of 5 units",
            [("query", "area")],
        ),
        ("Who discovere\u0301d radium and when was it", [("query", "radium")]),
        ("I dont need a hotel the train leaves at 7 45 doesn’t it: is that so?", [("ngram", "trip")]),
        ("First say hello. Who discovered radium, and when was it? Then stop.", [("ngram", "radium")]),
        ("Hello.\u00a0Who dis\u200bcovered ra\u00addium, and\u2003when was it? Bye.", [("ngram", "radium")]),
        ("你好！请问北京明天的天气怎么样，我需要带雨伞出门吗？谢谢", [("ngram", "chinese")]),
        ("With a height of 5 units and a base of 10 units, find the area of a triangle.", [("near", "area")]),
        ("Determine the area of one triangle with base 10 and height 5 units", [("near", "area")]),
        ("me pizza order", [("near", "pizza")]),
        ("Find theareaof atriangle with abase of 10units andheight of5 units", [("query", "area")]),
        ("Findthe areas of atriangle with abase of 10units andhights of5 units", [("near", "area")]),
        ("Hello! Who, please, discovered radium, and kindly: when was it? Thanks.", [("query", "radium")]),
        (
            f"{CHAT} Reserve a silent table for 6 guests at Blue Lagoon in Bergen; one of us has a wheelchair. {CHAT}",
            [("near", "table")],
        ),
        ("请问明天北京的天气怎么样，我需要带伞出门吗？", [("near", "chinese")]),
        ("Order me pizza", [("query", "pizza")]),
        ("Really, order me something nice: pizza", [("query", "pizza")]),
        ("order pizza", [("near", "pizza")]),
        ("order quick pizza", [("near", "pizza")]),
    ],
)
def test_the_strongest_kind_is_given(text, expected):
    assert kinds(index().find([text], [])) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Find the area of a triangle with a base of 6 units and height of 5 units.",  # other numbers
        "Find the area of a rectangle and its longest diagonal with a base of 10 metres and height of 5 metres.",
        "Who discovered polonium?",
        f"{CHAT} Six guests are in Bergen. {CHAT} The lagoon was blue and quiet. {CHAT} A table? No: a wheelchair.",
        "请问上海后天会下雪吗？",
        "",
        "🙂 ...",
    ],
)
def test_another_question_is_not_found(text):
    assert index().find([text], []) == []


def test_what_says_little_is_found_only_where_it_stands_alone():
    light = index(calc="open calc", hi="hello", again="How are you?", time="What time is it?")
    assert light.unused == {"own": 3}
    assert kinds(light.find(["Open calc!"], [])) == [("query", "calc")]
    assert kinds(light.find(["I am tired. Open calc. Then close it."], [])) == [("ngram", "calc")]
    assert kinds(light.find(["I am tired, thank you. Now open calc. Then close it."], [])) == [("ngram", "calc")]
    assert light.find(["please open calc and then the mail program"], []) == []
    assert light.find(["hello", "How are you?"], []) == []


def test_what_goes_on_in_a_conversation_must_say_more():
    assert kinds(index(x="Create file").find(["create file"], [])) == [("query", "x")]
    assert index(follows=True, x="Create file").find(["create file"], []) == []


def test_a_run_of_words_has_the_length_that_is_asked_for():
    text = "Somebody wrote that the area of a triangle with a base of 3 is not what my brother expected to see"
    assert kinds(index(ngram=8).find([text], [])) == [("ngram", "area")]  # "the area of a triangle with a base"
    assert index(ngram=13).find([text], []) == []


def test_the_threshold_is_the_least_similarity():
    text = "Find the area of a big green triangle with a base of 10 units and height of 5 inches."
    assert kinds(index(threshold=0.5).find([text], [])) == [("near", "area")]
    assert index(threshold=0.95).find([text], []) == []


def test_an_identifier_is_one_word():
    """Its parts would make thirteen words, and every text with a common example of one an overlap."""
    identifier = "123e4567-e89b-12d3-a456-426614174000"
    assert len(words(identifier)) < 10
    found = index(one=f"Review the mapping of site {identifier} now").find(
        [f"My brand is {identifier}, name it Gold"], []
    )
    assert found == []


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"name": "mathTriangleArea"}, True),
        ({"parameters": {"sideHeight": {"type": "number"}, "base": {"type": "integer"}}}, True),
        ({"description": "Calculate the area of a triangle. Note that the function is in Python 3 syntax."}, True),
        ({"description": ""}, True),
        ({"description": "Draws three lines on the screen in a given colour."}, False),
        ({"name": "triangle_area"}, True),
        ({"name": "outil_1", "parameters": {"outil_2": TOOL["parameters"]["base"], "outil_3": HEIGHT}}, True),
        ({"name": "outil_1", "parameters": {"outil_2": {"type": "int"}, "outil_3": {"type": "int"}}}, False),
        ({"name": "area", "description": "Area of a triangle."}, False),
        ({"parameters": {"base": {"type": "int"}}}, False),
    ],
)
def test_the_same_tool_is_found_however_it_is_spelled(change, same):
    found = index(tools=[TOOL]).find(["Unrelated."], [TOOL | change])
    assert kinds(found) == ([("tools", "math.triangle_area")] if same else [])


def test_a_tool_without_parameters_needs_its_description():
    bare = {"name": "get_time", "description": "Tells the time.", "parameters": {}}
    questions = index(tools=[bare])
    assert questions.find([], [bare]) and not questions.find([], [bare | {"description": ""}])


def test_each_benchmark_and_only_the_kinds_asked_for():
    text = QUESTIONS["area"]
    asked = [Question("a", "1", text), Question("b", "2", f"Please do this for me at once: {text}")]
    both = OverlapIndex(asked, [("b", TOOL)], 13, 0.5)
    found = [(overlap.benchmark, overlap.kind) for overlap in both.find([text], [TOOL])]
    assert found == [("a", "query"), ("b", "ngram"), ("b", "tools")]
    assert [overlap.kind for overlap in both.find([text], [TOOL], ["near"])] == ["near", "near"]


def test_a_short_question_is_found_without_a_telling_word_only_if_the_rest_is_rare():
    known = index(
        radium="Who discovered radium?", paris="hotels in Paris", rome="hotels in Rome", bonn="hotels in Bonn"
    )
    assert kinds(known.find(["Who radium?"], [])) == [("near", "radium")]
    assert kinds(known.find(["hotels in"], [])) == kinds(known.find(["hotels in Zwolle"], [])) == []
