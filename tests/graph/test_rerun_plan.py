"""`funreason rerun-plan` says what `dvc repro` would find changed, without changing anything."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from funreason.config import load_params, read_yaml
from funreason.config.overrides import overridden
from funreason.core.errors import DataError, ParamsError
from funreason.core.jsonio import read_details
from funreason.plan.estimate import StageEstimate
from funreason.plan.reruns import FILE, RerunPlan, plan_reruns

from .pipeline_copy import changed, edit, every, set_param

FURTHER = {"r2": "r1", "r3": "r2", "r4": "r0"}  # a further round: the round before it
STEPS = ("response", "query_tool", "cot", "call", "format")


def planned(*overrides: str, targets=()) -> RerunPlan:
    return plan_reruns(*overridden(Path(FILE), list(overrides)), targets)


def named(found: RerunPlan) -> tuple[set[str], set[str]]:
    direct = {rerun.estimate.stage for rerun in found.stages if rerun.because}
    return direct, {rerun.estimate.stage for rerun in found.stages}


def estimates(plan: RerunPlan) -> dict[str, StageEstimate]:
    return {rerun.estimate.stage: rerun.estimate for rerun in plan.stages}


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [
        ("loss.lambda", 0.3, "0.3"),
        ("fcdr.cot.rule", "unanimous", "unanimous"),
        ("rounds.r1.replay", "data/empty.jsonl", "data/empty.jsonl"),
        ("llm.max_num_seqs", 7, "7"),
    ],
)
def test_it_finds_what_dvc_finds_and_writes_nothing(project, key, value, written):
    before = {path: path.read_bytes() for path in (Path("params.yaml"), Path("dvc.lock"))}
    found = planned(f"{key}={written}")
    assert {path: path.read_bytes() for path in before} == before
    set_param(key, value)
    assert named(found) == changed()


def test_reasons_are_keys_and_files(project):
    edit("src/funreason/prompts/judge_query_tool.txt", "Another prompt.\n")
    found = {rerun.estimate.stage: rerun for rerun in planned("fcdr.cot.rule=any").stages}
    assert found["query_tool@r0"].because == ("src/funreason/prompts/judge_query_tool.txt",)
    assert found["cot@r0"].because == ("fcdr.cot.rule",) and found["cot@r0"].after == ("query_tool@r0",)
    assert found["validate@r0"].because == () and found["validate@r0"].after == ("format@r0",)


def test_stored_answers_are_told_from_new_questions(project):
    stored = {rerun.estimate.stage for rerun in planned("fcdr.undecided=keep").stages if rerun.stored}
    assert stored == {"response@r0"}  # those that follow may see other rows
    assert not any(rerun.stored for rerun in planned("judge.temperature=0.5").stages)


def test_a_target_needs_only_what_stands_before_it(project):
    assert named(planned("judge.seed=1", targets=["cot@r0"]))[1] == every(
        "response", "query_tool", "cot", rounds=["r0"]
    )
    assert named(planned("judge.seed=1", targets=["query_tool"]))[0] >= every("response", "query_tool")
    with pytest.raises(DataError, match="no stage 'coth' in dvc.yaml, which has .*cot@r0"):
        planned(targets=["coth"])


def test_a_stage_asks_what_it_asked_the_last_time(project):
    metrics = read_details("metrics/r0/3_cot.json")
    work = estimates(planned("judge.seed=1"))
    assert (work["cot@r0"].rows, work["cot@r0"].requests) == (metrics["in"], metrics["llm"]["requests"])
    twice = {
        rerun.estimate.stage: rerun.estimate
        for rerun in planned("recipes.self_refine.samples=2", "judge.seed=1").stages
    }
    assert twice["cot@r1"].requests == 2 * work["cot@r1"].requests and twice["cot@r0"] == work["cot@r0"]
    panel = planned("judge.temperature=0.5", "fcdr.cot.judges=[judge,judge]")
    two_votes = estimates(panel)
    assert two_votes["cot@r0"].requests == 2 * work["cot@r0"].requests


def test_a_further_round_is_estimated_like_the_last_of_its_recipe(project):
    text = "{recipe: self_refine, tasks: data/tasks.jsonl, generator: r1, init: r1, replay: data/r1/train.jsonl}"
    found = {rerun.estimate.stage: rerun for rerun in planned(f"+rounds.r2={text}").stages}
    assert found["cot@r2"].because == ("never run",)
    assert found["cot@r2"].estimate.requests == read_details("metrics/r1/3_cot.json")["llm"]["requests"]


def test_a_round_is_trained_on_its_rows_and_on_the_earlier_ones(project):
    """A round that never ran is estimated like r1, but trained on the rows of its own earlier round."""
    given = {name: read_details(f"metrics/{name}/train.json")["rows"]["given"] for name in ("r0", "r1")}
    new = read_details("metrics/r1/6_validate.json")["out"]
    flow = "recipe: self_refine, tasks: data/tasks.jsonl, generator: r1, init: r1"
    further = [f"+rounds.{name}={{{flow}, replay: data/{earlier}/train.jsonl}}" for name, earlier in FURTHER.items()]
    rows = {rerun.estimate.stage: rerun.estimate.rows for rerun in planned("train.seed=7", *further).stages}
    assert {name: rows[f"train@{name}"] for name in given} == given
    assert [rows[f"train@{name}"] for name in FURTHER] == [new + given["r1"], 2 * new + given["r1"], new + given["r0"]]
    half = {
        rerun.estimate.stage: rerun.estimate.rows for rerun in planned("recipes.self_refine.replay_fraction=0.5").stages
    }
    assert half["train@r1"] == round(new + given["r0"] / 2)


def test_missing_outputs_are_named_and_not_run(project):
    gone = Path("data/tasks.jsonl")
    content = gone.read_bytes()
    gone.unlink()
    try:
        found = planned()
    finally:
        gone.write_bytes(content)
    assert found.stages == [] and found.absent == ["data/tasks.jsonl"]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("loss.lamda=0.3", "unknown key `loss.lamda`, the nearest known key is `loss.lambda`"),
        ("loss.lambda=0.1,0.2", "several values; give one"),
        ("loss.lambda", "expected key=value"),
        ("loss.lambda=high", "`loss.lambda` is 'high', expected a number"),
        ("+loss.alpha=1", "unknown key `loss.alpha`"),
    ],
)
def test_a_bad_value_is_one_line(project, override, said):
    with pytest.raises(ParamsError) as refused:
        overridden(Path(FILE), [override])
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_the_command_prints_a_table_or_json(project):
    def run(*words: str) -> str:
        command = [sys.executable, "-c", "from funreason.cli.main import main; main()", "rerun-plan", *words]
        done = subprocess.run(command, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run() == "Nothing would run.\n"
    said = run("-S", "loss.lambda=0.3")
    assert "train@r0" in said and "loss.lambda" in said and "after train@r0" in said and "at most" in said
    known = json.loads(run("-S", "loss.lambda=0.3", "--json"))
    assert known["stages"][0]["estimate"]["stage"] == "train@r0"
    assert read_yaml("params.yaml")["loss"]["lambda"] == load_params().loss.lambda_ != 0.3
