"""ACEBench: official verdicts on gold and on planted answers, our strict ones beside them, and agents to their end."""

import json
from pathlib import Path

import pytest
from code_closure import ROOT
from llm.http_server import completion, serve

from funreason.config.params import check_params
from funreason.config.yamlio import read_yaml
from funreason.core.errors import DataError, FunReasonError, ParamsError
from funreason.core.jsonio import read_details
from funreason.evaluate import acebench
from funreason.evaluate.acebench_data import CATEGORIES, AceRow, expand, is_agent, load_rows
from funreason.evaluate.acebench_gold import gold_text
from funreason.evaluate.acebench_metrics import WEIGHTS, metrics
from funreason.evaluate.acebench_strict import calls_right, diagnosis_right, end_right
from funreason.sandbox.scorer import scorer_python

from .workspace import fill, rows, served_by, set_params, stage

DATA = ROOT.parent / "shared" / "data" / "acebench"  # beside the checkout, on machines without the internet
TOOL = {
    "name": "plan",
    "parameters": {
        "type": "object", "required": ["city"],
        "properties": {
            "city": {"type": "string"}, "days": {"type": "integer"}, "late": {"type": "boolean"},
        },
    },
}  # fmt: skip
GOLD = {"plan": {"city": "New York", "days": 3, "late": False}}


@pytest.fixture(scope="module")
def environment() -> None:
    try:
        scorer_python(acebench.ENVIRONMENT)
    except FunReasonError:
        pytest.skip(f"no environment {acebench.ENVIRONMENT}: make acebench")


@pytest.fixture(scope="module")
def data() -> Path:
    if not DATA.is_dir():
        pytest.skip(f"no ACEBench in {DATA.relative_to(ROOT.parent)}, beside the checkout")
    return DATA


def row(category: str = "normal_atom_bool", gold=GOLD, number: str = "0") -> AceRow:
    data = {"id": f"{category}_{number}", "question": "user: Plan it.\n", "function": [TOOL], "time": ""}
    return AceRow("en", category, data, {"id": data["id"], "ground_truth": gold})


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("[plan(city='New York', days=3, late=False)]", True),
        ("[plan(late=False, days=3.0, city='new york.')]", True),
        ("[plan(city='New York', days=3, late=0)]", False),
        ("[plan(city='New York', days=True, late=False)]", False),
        ("[plan(city='New York', days='3', late=False)]", False),
        ("[plan(city='New York City', days=3, late=False)]", False),
        ("[plan(city='New York', days=3)]", False),
        ("[plan(city='New York', days=3, late=False, more=1)]", False),
        ("[plan(city='New York', days=3, late=False)] and so on", False),
        ("[plan(city='New York', days=3, late=False), plan(city='New York', days=3, late=False)]", False),
        ("[]", False),
        ("", False),
    ],
)
def test_strict_calls(text, right):
    assert calls_right(text, GOLD) is right
    assert calls_right(text, [{"other": {}}, GOLD]) is right


def test_a_second_call_of_a_tool_stands_with_a_number_in_the_possible_answer():
    twice = {"plan": {"city": "A"}, "plan_1": {"city": "B"}}
    assert calls_right("[plan(city='B'), plan(city='A')]", twice, frozenset({"plan"}))
    assert not calls_right("[plan(city='A'), plan(city='A')]", twice, frozenset({"plan"}))
    assert not calls_right("[plan(city='B'), plan(city='A')]", twice, frozenset({"plan", "plan_1"}))


MISSING = '["Missing necessary parameters (city, days) for the api (plan)"]'
WRONG = '["There is incorrect value (12a) for the parameters (city) in the conversation history."]'
BEYOND = '["Due to the limitations of the function, I cannot solve this problem."]'


@pytest.mark.parametrize(
    ("text", "category", "gold", "right"),
    [
        (MISSING, "special_incomplete", {"plan": ["days", "city"]}, True),
        (MISSING, "special_incomplete", {"plan": ["city"]}, False),
        (MISSING, "special_incomplete", {"plane": ["city", "days"]}, False),
        (MISSING + BEYOND, "special_incomplete", {"plan": ["city", "days"]}, False),
        (WRONG, "special_error_param", {"city": ["12a"]}, True),
        (WRONG, "special_error_param", {"days": ["12a"]}, False),
        (WRONG, "special_error_param", {"city": ["12"]}, False),
        (WRONG + MISSING, "special_error_param", {"city": ["12a"]}, False),
        (BEYOND, "special_irrelevant", "…", True),
        (BEYOND + WRONG, "special_irrelevant", "…", False),
        ("[plan(city='A')]", "special_irrelevant", "…", False),
    ],
)
def test_strict_diagnoses(text, category, gold, right):
    assert diagnosis_right(text, gold, category) is right


def test_a_world_that_holds_more_than_it_should_is_not_right():
    gold = [{"ReminderAPI": {"list": {"1": "a"}}}]
    assert end_right([{"ReminderApi": {"list": {"1": "a"}}}], gold)
    assert not end_right([{"ReminderApi": {"list": {"1": "a", "2": "b"}}}], gold)


@pytest.mark.slow
def test_what_the_official_checker_lets_pass(environment, mode):
    """Wrong numbers and booleans, texts around the right one, and a parameter left out; the strict one none of them."""
    passed = [
        "[plan(city='New York', days=4, late=False)]",
        "[plan(city='New York', days=3, late=True)]",
        "[plan(city='not New York at all', days=3, late=False)]",
        "[plan(city='New York')]",
        "So: [plan(city='New York', days=3, late=False)]",
    ]
    refused = ["[plan(city='York', days=3, late=False)]", "[plan(days=3)]", "plan()", "[" * 5000, "\ud800", ""]
    right = gold_text(row())
    verdicts = acebench.score_texts([row()] * 12, [*passed, *refused, right], mode)
    assert [verdict.correct for verdict in verdicts] == [True] * 5 + [False] * 6 + [True]
    assert [verdict.strict for verdict in verdicts] == [False] * 11 + [True]
    assert all(bool(verdict.error) is not verdict.correct for verdict in verdicts)


@pytest.mark.slow
def test_gold_of_the_published_rows(environment, data, mode):
    """The official blank deletion fails 25 of 100 English dialogues; our checker passes them all."""
    categories = [name for name in CATEGORIES if not is_agent(name)]
    rows = load_rows(data, ["en"], categories, None)
    gold = acebench.gold_verdicts(rows, mode)
    figures = metrics(gold, gold, None)["en"]
    dialogues = [figures["categories"][f"normal_multi_turn_user_{kind}"] for kind in ("adjust", "switch")]
    assert sum(each["n"] - each["correct"] for each in dialogues) == 25 and sum(each["n"] for each in dialogues) == 100
    others = {name: part["n"] - part["correct"] for name, part in figures["categories"].items() if part["gold"] < 1}
    assert others.pop("normal_single_turn_parallel_function") == others.pop("normal_preference") == 1
    assert len(others) == 2 and all(part["gold_strict"] == 1 for part in figures["categories"].values())
    assert figures["agent"] is figures["overall"] is None and figures["strict"]["normal"]["accuracy"] == 1.0
    assert figures["covered_weight"] == pytest.approx((WEIGHTS["normal"] + WEIGHTS["special"]) / 1.0001, abs=1e-4)


def test_categories_and_dialogues(data):
    assert expand(["special", "agent_multi_step"]) == (*expand(["special"]), "agent_multi_step")
    rows = load_rows(data / "data_all", ["en", "zh"], ["normal_multi_turn_user_adjust", "normal_atom_bool"], 2)
    assert {(each.language, each.dialogue[-1]) for each in rows} == {(name, at) for name in ("en", "zh") for at in "01"}
    assert len(rows) == 13  # two dialogues have two steps each, in Chinese one has three


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "does not exist .evaluate.acebench.data.; take it from github.com/chenchen0103/ACEBench"),
        ("{", "special_irrelevant.json:1 is not a row of ACEBench"),
        ('{"id": "special_irrelevant_0"}', "special_irrelevant.json:1 has no question, function"),
        ('{"id": "a", "question": "", "function": []}', "have other ids or another order"),
    ],
)
def test_damaged_data_are_one_line(tmp_path, text, problem):
    folder = tmp_path / "data_en" / "possible_answer"
    folder.mkdir(parents=True)
    (folder / "data_special_irrelevant.json").write_text('{"id": "b", "ground_truth": ""}\n')
    if text:
        (folder.parent / "data_special_irrelevant.json").write_text(text)
    with pytest.raises(DataError, match=problem):
        load_rows(tmp_path, ["en"], ["special_irrelevant"], None)


def test_a_simulated_user_has_a_model():
    params = read_yaml(ROOT / "profiles/toy.yaml")
    params["evaluate"]["acebench"] |= {"data": "ACEBench", "categories": ["agent"]}
    with pytest.raises(ParamsError, match="agent_multi_turn needs a second model"):
        check_params(params, "params.yaml")
    params["evaluate"]["acebench"]["user_model"] = "gpt-4o"
    check_params(params, "params.yaml")


@pytest.mark.slow
def test_the_stage_asks_rows_dialogues_and_agents(environment, data, tmp_path):
    """The server plays model and user: it calls where it is the model, and ends the conversation as either."""

    def answer(body: dict) -> dict:
        if body["model"] == "the-user":
            return completion("finish conversation")
        text = json.dumps(body["messages"])
        return completion("[turn_on_wifi()]" if "Wi-Fi has been" not in text else "finish conversation")

    workspace = fill(tmp_path)
    changes = {"data": str(data), "languages": ["en"], "limit": 1, "user_model": "the-user",
               "categories": ["special_irrelevant", "normal_multi_turn_user_adjust", "agent"]}  # fmt: skip
    with serve(answer=answer) as server:
        set_params(
            workspace, served_by(server.url) | {f"evaluate.acebench.{key}": each for key, each in changes.items()}
        )
        done = stage(workspace, "evaluate_bfcl.py", "base")
    assert done.returncode == 0, done.stderr
    figures = read_details(workspace / "metrics/base/bfcl.json")["acebench"]["en"]
    assert tuple(figures["categories"]) == expand(changes["categories"])
    assert all(part["n"] == 1 and part["partial"] for part in figures["categories"].values())
    kept = [each for each in rows(workspace / "data/base/bfcl.jsonl") if each["suite"] == "acebench_en"]
    assert {each["category"] for each in kept} == set(figures["categories"])
    multi_step = next(each for each in kept if each["category"] == "agent_multi_step")
    assert multi_step["text"].splitlines()[:2] == ["[turn_on_wifi()]", "finish conversation"]
    assert {body["model"] for body in server.asked} == {"owner/base", "the-user"}
