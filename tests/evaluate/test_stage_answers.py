"""The stages behind a server that answers right, wrong, or with what no scorer expects."""

import json
from collections import defaultdict
from pathlib import Path

import pytest
from code_closure import ROOT
from llm.http_server import completion, serve

from funreason.calls import render
from funreason.calls.results import for_server
from funreason.core.jsonio import read_details
from funreason.evaluate import api_bank

from .test_api_bank import DATA, SYSTEM
from .workspace import PROBLEM, fill, rows, served_by, set_params, stage

pytestmark = pytest.mark.slow

HUGE = 1_000_000
BAD = [
    "", "I cannot do that.", "[" * HUGE, "x" * HUGE, f"[f(a='{'x' * HUGE}')]", "\ud800", "[f(a='\\ud800')]", "\0",
    "<think>never closed [f()]", "```python\n[f(a=1)]\n```", b"caf\xe9 \xff",
]  # fmt: skip
NEEDS_CALL = ("simple_python", "multiple", "level-1", "level-2", "level-3")


@pytest.fixture
def workspace(tmp_path) -> Path:
    return fill(tmp_path, problems=len(BAD))


def body(answer: str | bytes):
    """What the server sends; bytes take the place of the text as they are."""
    if isinstance(answer, bytes):
        return 200, json.dumps(completion("|")).encode().replace(b"|", answer)
    return completion(answer)


def one_after_another(answers: list):
    """An answer of the server that goes through `answers`, again and again."""
    asked = iter(answers * 1000)
    return lambda _: body(next(asked))


def bank(folder: Path) -> Path:
    """Three levels of one item each."""
    folder.mkdir()
    for level in api_bank.LEVELS:
        gold = {"name": "Weather", "parameters": {"city": "Ghent"}}
        item = {"system": SYSTEM, "user": f"Weather in Ghent, {level}?", "answer": gold if level == 2 else [gold]}
        (folder / f"level-{level}-api_processed.json").write_text(json.dumps([item]))
    return folder


def metrics(workspace: Path, name: str) -> dict:
    return read_details(workspace / f"metrics/base/{name}.json")


def test_bad_answers_to_calls_are_wrong(workspace):
    with serve(answer=one_after_another(BAD)) as server:
        set_params(workspace, served_by(server.url) | {
            "evaluate.bfcl.categories": ["simple_python", "multiple"], "evaluate.bfcl.limit": len(BAD),
            "evaluate.api_bank": str(bank(workspace / "bank")),
        })  # fmt: skip
        done = stage(workspace, "evaluate_bfcl.py", "base")
    assert done.returncode == 0, done.stderr
    answers = rows(workspace / "data/base/bfcl.jsonl")
    assert len(answers) == len(server.asked) + 5 == 2 * len(BAD) + 6 + 3  # the toy asks one question six times
    assert {len(row["text"]) for row in answers} >= {0, HUGE} and "caf\ufffd \ufffd" in [row["text"] for row in answers]
    assert [row for row in answers if row["category"] in NEEDS_CALL and (row["correct"] or not row["error"])] == []
    assert metrics(workspace, "bfcl")["api_bank"]["correct"] == 0


def test_bad_answers_to_code_fail(workspace):
    answers = [*BAD[:-1], b"\\ud800 caf\xe9"]
    with serve(answer=one_after_another(answers)) as server:
        set_params(workspace, served_by(server.url) | {"evaluate.code.samples": len(answers)})
        done = stage(workspace, "evaluate_code.py", "base")
    assert done.returncode == 0, done.stderr
    tested = rows(workspace / "data/base/code.jsonl")
    assert len(tested) == len(BAD) * (len(answers) + 1) and not any(row["passed"] for row in tested)
    assert metrics(workspace, "code")["toy"]["pass@1"] == 0.0


def test_code_without_a_fence_is_read(workspace):
    with serve(answer=lambda _: completion(f"{PROBLEM['prompt']}{PROBLEM['canonical_solution']}")) as server:
        set_params(workspace, served_by(server.url))
        done = stage(workspace, "evaluate_code.py", "base")
    assert done.returncode == 0, done.stderr
    assert metrics(workspace, "code")["toy"]["pass@1"] == 1.0


def gold_by_question(items: list[api_bank.ApiBankItem]) -> dict[str, str]:
    """{question as a server gets it: calls}; ten items ask the same as the one before, and one right call is enough."""
    calls = defaultdict(list)
    for item in items:
        calls[json.dumps(for_server(item.messages))].append(item.gold)
    return {question: render(gold) for question, gold in calls.items()}


@pytest.mark.parametrize(("right", "accuracy"), [(True, 1.0), (False, 0.0)])
def test_api_bank_through_the_stage(workspace, right, accuracy):
    if not DATA.is_dir():
        pytest.skip(f"no API-Bank in {DATA.relative_to(ROOT.parent)}, beside the checkout")
    gold = gold_by_question(api_bank.load_items(DATA))

    def answer(asked: dict) -> dict:
        call = gold.get(json.dumps(asked["messages"]), "[get_weather(city='Ghent', days=3)]")
        return completion(call if right else call.replace("(", "_("))

    with serve(answer=answer) as server:
        changes = {"evaluate.api_bank": str(DATA), "evaluate.bfcl.limit": 1}
        set_params(workspace, served_by(server.url) | changes)
        done = stage(workspace, "evaluate_bfcl.py", "base")
    assert done.returncode == 0, done.stderr
    figures = metrics(workspace, "bfcl")["api_bank"]
    levels = {name: (figures[name]["accuracy"], figures[name]["n"]) for name in ("level-1", "level-2", "level-3")}
    assert levels == {"level-1": (accuracy, 399), "level-2": (accuracy, 67), "level-3": (accuracy, 131)}
    assert (figures["accuracy"], figures["n"]) == (accuracy, 597)
    kept = [row for row in rows(workspace / "data/base/bfcl.jsonl") if row["suite"] == "api_bank"]
    assert [row["correct"] for row in kept] == [right] * 597


def test_a_limit_asks_the_first_problems_and_marks_their_figures(workspace):
    with serve(answer=lambda body: completion("```python\ndef double(x):\n    return 2 * x\n```")) as server:
        set_params(workspace, served_by(server.url) | {"evaluate.code.limit": 2, "evaluate.code.samples": 1})
        done = stage(workspace, "evaluate_code.py", "base")
    assert done.returncode == 0, done.stderr
    toy = metrics(workspace, "code")["toy"]
    assert (toy["n"], toy["correct"], toy["partial"], toy["sampled"]["partial"]) == (2, 2, True, True)
    assert [row["task_id"] for row in rows(workspace / "data/base/code.jsonl")] == ["toy/0", "toy/1"] * 2
