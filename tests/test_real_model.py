"""The experiment on a real model: its arms, the split by tool, the suites in BFCL's layout, and its statistics."""

import importlib.util
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from code_closure import ROOT
from dvc.repo import Repo

from funreason.config import load_params, read_yaml
from funreason.core.errors import ParamsError
from funreason.core.jsonio import read_jsonl
from funreason.core.records import Task

FOLDER = ROOT / "experiments/real_model"
PIPELINE = read_yaml(FOLDER / "dvc.yaml")["stages"]


def module(name: str) -> ModuleType:
    """A module of the experiment, whose plain name could be another's."""
    spec = importlib.util.spec_from_file_location(f"real_model_{name}", FOLDER / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


arms = sys.modules["arms"] = module("arms")  # the report imports it
rows, report = module("rows"), module("report")


def row(name: str, tool: str, *, calls: int = 1, query: str | None = None, source: str = "seal_tools") -> object:
    tools = [{"name": tool, "description": "", "parameters": {"city": {"type": "str", "description": ""}}}]
    answers = [{"name": tool, "arguments": {"city": "Ghent"}}] * calls
    response = {"cot": "Ghent.", "answer": f"[{tool}(city='Ghent')]"}
    return rows.SourceRow(Task(name, query or name, tools, answers, response), source, "right")


def test_every_arm_of_the_matrix_is_a_loss_and_a_set():
    loss = load_params(ROOT / "profiles/toy.yaml").loss
    by_rewards = [arm + arms.GRPO for arm in PIPELINE["grpo"]["matrix"]["arm"]]
    assert PIPELINE["measure"]["matrix"]["arm"] == PIPELINE["train"]["matrix"]["arm"] + by_rewards
    for arm in PIPELINE["measure"]["matrix"]["arm"]:
        one, data = arms.arm_of(arm, loss)
        assert one.kind == arm[:3] and data == next((name for name in arms.OTHERS if arm.endswith(name)), "refined")
        if arm.startswith("msl-"):
            assert one.lambda_ == float(arm.split("-")[1])


def test_the_settings_of_the_experiment_fit_the_default_parameters():
    """Values that are allowed one by one can contradict those of params.yaml that they stand beside."""
    changes, params = read_yaml(FOLDER / "params.yaml"), load_params(ROOT / "profiles/toy.yaml")
    assert params.train.model_validate(params.train.model_dump() | changes["train"])
    assert params.llm.model_validate(params.llm.model_dump() | changes["llm"])
    assert params.grpo.model_validate(params.grpo.model_dump() | changes["grpo"])


@pytest.mark.parametrize("arm", ["sft-wrong", "msl", "msl-1.5", "grpo"])
def test_an_unknown_arm(arm):
    with pytest.raises(ParamsError, match="allowed are sft, ssb, or msl-0.1"):
        arms.arm_of(arm, load_params(ROOT / "profiles/toy.yaml").loss)


def test_no_tool_and_no_query_of_the_held_out_rows_is_trained_on():
    heldout = [row("h", "weather", query="the same")]
    answers = [row("a", "weather"), row("b", "alarm"), row("c", "music", query="the same"), row("d", "news", calls=0)]
    pool = rows.training_pool(answers, heldout, lambda _: True, limit=10, statements=0.2)
    assert {one.task.id for one in pool} == {"b", "d"}
    assert not rows.training_pool(answers, heldout, lambda _: False, limit=10, statements=0.2)


def test_defects_are_planted_in_a_fraction_of_the_rows_with_calls():
    samples = [rows.sample_of(row(f"r{number}", f"tool{number}")) for number in range(40)]
    statement = replace(samples[0], id="s", answer="No tool fits.")
    undeclared = replace(samples[0], id="u", answer="[undeclared(city='Ghent')]")
    others = [statement, undeclared, replace(samples[0], id="e", answer="[]")]
    planted = rows.with_defects([*samples, *others], 0.5)
    assert rows.with_defects([*others, *samples[::-1]], 0.5) == planted and len(planted) == 20
    by_id = {sample.id: sample for sample in samples}
    assert all(broken.id == name and broken != by_id[name] for name, broken in planted.items())
    assert all(broken.cot == by_id[name].cot for name, broken in planted.items())


def test_the_suites_are_read_and_scored_by_bfcl(tmp_path):
    """A gold answer is right by the official checker, another value is wrong; nothing depends on the order of rows."""
    from funreason.calls import render
    from funreason.evaluate import bfcl
    from funreason.llm import Response

    members = [row(f"r{number}", "weather") for number in range(3)] + [row("two", "alarm", calls=2)]
    counts = rows.write_suites(members, ROOT / "absent", tmp_path)
    assert rows.write_suites(members[::-1], ROOT / "absent", tmp_path / "again") == counts
    for path in tmp_path.glob("seal/*.json"):
        assert path.read_bytes() == (tmp_path / "again/seal" / path.name).read_bytes()
    prompts = bfcl.folder_prompts("seal", tmp_path / "seal")
    gold = {line["id"]: line["source"] for path in tmp_path.glob("seal/*.json") for line in read_jsonl(path)}
    answers = {one.task.id: render(one.task.answers) for one in members}
    texts = [answers[gold[prompt.id]] for prompt in prompts]
    texts[0] = texts[0].replace("Ghent", "Aalst")
    responses = [Response(text, "stop", 1, 1) for text in texts]
    scored = bfcl.score(prompts, responses, {"seal": tmp_path / "seal"}, "auto")
    assert [one.correct for one in scored] == [False, True, True, True]


def test_held_out_rows_with_gold_that_bfcl_refuses_are_named(tmp_path):
    """BFCL's checker knows `dict`, not JSON Schema's `object`. It has no rule for a dictionary in a dictionary."""
    days = {"type": "number", "description": ""}
    period = {"type": "object", "properties": {"days": days}, "description": ""}
    tool = {"name": "forecast", "description": "", "parameters": {"period": period}}
    tasks = [
        Task(name, name, [tool], [{"name": "forecast", "arguments": {"period": value}}])
        for name, value in (("nested", {"days": 3.0}), ("nested twice", {"days": {"first": 1}}))
    ]
    members = [rows.SourceRow(task, "acebench_en", "gold") for task in tasks]
    rows.write_suites(members, ROOT / "absent", tmp_path)
    assert rows.refused_gold(members, tmp_path, "auto") == {"nested twice"}


def test_the_interval_of_a_clear_difference_is_apart_from_zero():
    generator = np.random.default_rng(1)
    old = generator.random((3, 400)) < 0.4
    new = old | (generator.random((3, 400)) < 0.2)
    low, high = report.interval(new.astype(int) - old.astype(int))
    assert 0 < low < (new.astype(int) - old.astype(int)).mean() < high
    low, high = report.interval((generator.random((3, 400)) < 0.4).astype(int) - old.astype(int))
    assert low < 0 < high


def test_the_rows_needed_fall_with_the_square_of_the_difference():
    old, new = np.zeros((1, 1000), int), np.zeros((1, 1000), int)
    new[0, :60], old[0, 60:100] = 1, 1  # 2 % more right, 10 % apart
    assert report.rows_needed(old, new) == "1,958"
    assert report.rows_needed(old, old) == "none would do"


def test_the_table_is_in_percent():
    shares = dict.fromkeys(["calls", *report.SUITES, "no_call", "unreadable", "cut"], 0.128)
    lines = [{"arm": "sft", "lambda": 0.84, "tokens": 178, "english": 3.4, "code": 2.9, **shares, "seed": 0}]
    assert report.arm_table(lines)[-1].startswith("| sft | 0.84 | 12.8 |")
    assert "12.8 ± 0.0" in report.arm_table([*lines, lines[0] | {"seed": 1}])[-1]


def test_the_report_writes_each_output_that_its_stage_declares(tmp_path, monkeypatch):
    marks = "suite,category,id,right,form,tokens\nbfcl,simple_python,0,{},calls,9\nbfcl,irrelevance,0,1,statement,9\n"
    for point, right in (("base-0", 0), ("msl-0.7-0", 1), ("msl-0.7-grpo-0", 1)):
        (tmp_path / "points" / point / "train").mkdir(parents=True)
        (tmp_path / "points" / point / "marks.csv").write_text(marks.format(right), encoding="utf-8")
        (tmp_path / "points" / point / "text.json").write_text('{"english": 3.0, "code": 2.0}', encoding="utf-8")
        (tmp_path / "points" / point / "train/train.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(report, "SUITES", {"bfcl": "BFCL"})  # a suite without a row has no accuracy
    report.write_report(tmp_path / "points", tmp_path)
    declared = PIPELINE["report"]["outs"] + PIPELINE["report"]["plots"]
    assert all((tmp_path / Path(*item).name).is_file() for item in declared)
    assert "| msl-0.7 → msl-0.7-grpo | +0.0 |" in (tmp_path / "table.md").read_text(encoding="utf-8")


def test_dvc_reads_it(tmp_path, monkeypatch):
    """Each point is a stage of its own; the report comes after all of them."""
    for name in ("experiments/real_model/dvc.yaml", "experiments/real_model/params.yaml", "params.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with Repo.init(".", no_scm=True) as repo:
        names = {stage.name for stage in repo.index.stages}
        assert len(names) == 81 and {"train@msl-0.5-2", "measure@sft-right-0", "rows", "base"} <= names
        (report,) = [stage for stage in repo.index.stages if stage.name == "report"]
        assert len(list(repo.index.graph.successors(report))) == 80
