"""`funreason capacity --count`: the user's rows in the real prompts, by the tokenizers of the models."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from funreason.cli import main as cli
from funreason.config import load_params, read_yaml, yaml
from funreason.core.errors import DataError, ModelError
from funreason.core.jsonio import read_details
from funreason.core.records import Task
from funreason.plan.capacity import measured_rest
from funreason.plan.counted import CountedRun, Lengths
from funreason.plan.provenance import foreign_counts
from funreason.plan.tokens import Counters
from funreason.prompts import judge_messages
from funreason.prompts.conversation import chat

ROOT = Path(__file__).parents[2]
TOOL = {"name": "book", "description": "Books a table.", "parameters": {"people": {"type": "int"}}}
ANSWER = "[book(people=7)]"
GIVEN = {"cot": "The query asks for a table. It says how many people come.", "answer": ANSWER}


def row(number: int, response: dict | None = None) -> dict:
    answers = [{"name": "book", "arguments": {"people": 7}}]
    query = "a table for 7, " + "please, " * number
    return {"id": str(number), "query": query, "tools": [TOOL], "answers": answers, "response": response}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Gives a function that writes params.yaml with other values of single keys and rows, and gives the parameters."""
    (tmp_path / "toy").symlink_to(ROOT / "toy")
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))

    def write(rows: list[dict], **values):
        Path("data/tasks.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
        params = read_yaml(ROOT / "profiles/toy.yaml")
        params["evaluate"]["bfcl"]["categories"] = ["simple_python", "multi_turn"]
        params["evaluate"] |= {"api_bank": "nowhere"}  # refused before the scorer is asked, which takes seconds
        params["evaluate"]["code"]["benchmarks"] = ["humaneval"]
        for key, value in values.items():
            *blocks, last = key.split("__")
            block = params
            for name in blocks:
                block = block[name]
            block[last] = value
        with open("params.yaml", "w") as file:
            yaml().dump(params, file)
        return load_params()

    return write


def counted(params, rows=None, sample=100, tokenizer=None, **lengths) -> dict:
    run = CountedRun(params, Counters(params, tokenizer), Lengths(**lengths), sample).run(rows)
    return {estimate.stage: estimate for estimate in run.estimates} | {"notes": run.notes, "rows": run.rows}


@pytest.mark.model
def test_prompts_are_counted_as_the_models_see_them(project):
    params = project([row(n) for n in range(4)], generate__max_tokens=900, train__max_length=4096)
    found, counters = counted(params, reasoning=600, reply=100), Counters(params)
    tasks = [Task.from_row(row(n)) for n in range(4)]
    teacher, judge = counters.of("models.teacher"), counters.of("models.judges.judge")
    prompts, answer = sum(teacher.prompt(chat(task)) for task in tasks), teacher.text(ANSWER)
    generate = found["generate@r0"]
    assert (generate.requests, generate.prompt_tokens) == (4, prompts)
    assert generate.completion_tokens == 4 * (600 + answer)
    for check, reasoning in (("cot", 600), ("call", 0)):  # only one of them shows the reasoning
        questions = [
            judge_messages(check, query=task.query, tools=task.tools, cot="", answer=ANSWER,
                           examples=params.judge.examples) for task in tasks
        ]  # fmt: skip
        asked = sum(map(judge.prompt, questions)) + 4 * reasoning
        assert (found[f"{check}@r0"].prompt_tokens, found[f"{check}@r0"].completion_tokens) == (asked, 400)
    epochs = params.train.epochs * (1 - params.train.heldout_fraction)
    assert found["train@r0"].prompt_tokens == round(epochs * prompts)
    assert found["train@r0"].completion_tokens == round(4 * epochs * (600 + answer))
    assert found["train@r1"].rows == 8  # with those of r0, replayed
    assert found["evaluate_code@base"].requests == 164 == found["evaluate_code@r1"].requests
    notes = "\n".join(found["notes"])
    assert "evaluate_bfcl is not counted: " in notes and "nowhere" in notes and "several turns are not" in notes
    assert counted(params, rows=4000, reasoning=600)["generate@r0"].prompt_tokens == 1000 * prompts


@pytest.mark.model
def test_another_tokenizer_counts_other_tokens(project, tiny_model):
    rows = [row(n) for n in range(3)]
    by_toy = counted(project(rows))["generate@r0"].prompt_tokens
    by_tiny = counted(project(rows, models__teacher__path=str(tiny_model)))
    assert by_tiny["generate@r0"].prompt_tokens > by_toy == by_tiny["generate@r1"].prompt_tokens


@pytest.mark.model
def test_reasoning_is_measured_where_rows_bring_one(project):
    params = project([row(1, GIVEN), row(2)])
    student = Counters(params).of("models.base")
    found = counted(params)
    own = student.text(GIVEN["cot"])
    assert f"reasoning: {own} tokens, measured on 1 rows that bring one" in found["notes"]
    assert found["generate@r0"].requests == 1 and found["generate@r1"].requests == 2
    assert found["generate@r0"].completion_tokens == own + student.text(ANSWER)
    assumed = counted(project([row(1)]))
    assert any("reasoning: 600 tokens, assumed; teachers write" in note for note in assumed["notes"])
    assert any("max_tokens 256 would cut most answers" in note for note in assumed["notes"])


@pytest.mark.model
def test_a_tokenizer_that_is_not_here_is_refused_with_the_remedy(project):
    params = project([row(1)], models__teacher__path=None, models__teacher__hub="Qwen/QwQ-32B")
    why = r"models.teacher: the tokenizer of Qwen/QwQ-32B is not in the hub's cache; `hf download Qwen/QwQ-32B .*, or"
    with pytest.raises(ModelError, match=why):
        counted(params)
    with pytest.raises(ModelError, match="--tokenizer data holds none of tokenizer_config.json"):
        counted(params, tokenizer="data")
    found = counted(params, tokenizer="toy/models/toy-base")
    assert "models.teacher is counted with another tokenizer (--tokenizer)" in found["notes"]
    assert counted(project([row(1, GIVEN)], models__teacher__path=None, models__teacher__hub="Qwen/QwQ-32B"))
    with pytest.raises(DataError, match="is empty; give data.path"):
        counted(project([]))


@pytest.mark.model
def test_heuristics_ask_no_judge_and_the_official_prompts_are_counted(project):
    found = counted(
        project([row(1)], fcdr__mode="heuristics", evaluate__api_bank=None, evaluate__bfcl__limit=2), reasoning=30
    )
    assert (found["cot@r0"].rows, found["cot@r0"].requests) == (1, 0)
    asked = found["evaluate_bfcl@base"]
    assert asked.requests == 2 and asked.prompt_tokens > 100 and 60 < asked.completion_tokens < 200


def test_counts_of_other_models_are_named(project, monkeypatch, capsys):
    shutil.copytree(ROOT / "metrics", "metrics")
    params = project([row(1)])
    assert "dvc.lock does not say which models the counts in metrics come from" in foreign_counts(params)[0]
    shutil.copy(ROOT / "dvc.lock", "dvc.lock")
    assert foreign_counts(params) == []
    project([row(1)], models__base__path=None, models__base__hub="Qwen/Qwen2.5-7B", models__base__revision="main")
    monkeypatch.setattr(sys, "argv", ["funreason", "capacity"])
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().out.startswith(
        "warning: the counts in metrics were measured with other models: models.base toy/models/toy-base "
        "(params.yaml: Qwen/Qwen2.5-7B@main); `funreason capacity --count`"
    )


def test_training_and_evaluation_of_a_finished_run():
    found = {estimate.stage: estimate for estimate in measured_rest(ROOT / "metrics", 2400, 3)}
    trained = read_details(ROOT / "metrics/r0/train.json")
    asked = read_details(ROOT / "metrics/r0/0_generate.json")
    scale = 2400 / asked["tasks"]
    assert found["train@r0"].completion_tokens == round(3 * scale * sum(trained["tokens"].values()))
    assert found["train@r0"].rows == round(scale * trained["rows"]["used"])
    code = read_details(ROOT / "metrics/base/code.json")["llm"]
    assert found["evaluate_code@base"].prompt_tokens == code["prompt_tokens"]  # the benchmark has as many problems
