"""The rounds side by side, and what one more would cost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from funreason.config import check_params, load_params, read_yaml
from funreason.core.errors import DataError
from funreason.core.jsonio import write_jsonl
from funreason.plan.round import plan_round, plan_text
from funreason.report.rounds import COLUMNS, figures, round_rows, table

from .conftest import ROOT, write_skill


def test_the_stage_writes_one_row_per_round(measured):
    done = subprocess.run([sys.executable, ROOT / "stages/report.py"], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    lines = Path("report/rounds.csv").read_text().splitlines()
    assert lines == [
        ",".join(COLUMNS),
        "0,base,,0.3,0.1,0.9,0.25,0.95,,,,",
        "1,r0,distill,0.7,0.1,0.9,0.25,0.9,0.7,170.5,40,700",
        "2,r1,self_refine,0.75,0.1,0.9,0.25,0.9,0.8,170.5,20,800",
    ]
    table = Path("report/rounds.md").read_text()
    assert "| 2       | r1     | self_refine | 75.0 % (10.0–90.0) | 25.0 %                    | 90.0 % |" in table


def test_a_model_that_was_asked_no_question_without_a_call_leaves_that_cell_empty(measured):
    for name in ("base", "r0", "r1"):
        write_skill(name, 150, no_call=None)
    rows = round_rows(load_params().rounds, "toy")
    assert [(row["calls_wanted"], row["no_call_wanted"]) for row in rows] == [(0.5, "")] * 3


def test_a_chain_may_have_ended_before_all_was_measured(measured):
    """Calls and code are measured side by side: where the next round fails, one of the two may never run."""
    Path("metrics/r1/code.json").unlink()
    rows = round_rows(load_params().rounds, "toy")
    assert (rows[-1]["name"], rows[-1]["calls_wanted"], rows[-1]["code"]) == ("r1", 0.75, "")
    assert "| 75.0 % (10.0–90.0) | 25.0 %                    |        |" in table(rows)


def test_the_table_names_a_missing_file(measured):
    Path("metrics/r1/train.json").unlink()
    with pytest.raises(DataError, match="metrics/r1/train.json does not exist; run `dvc repro`"):
        round_rows(load_params().rounds, "toy")


def test_a_self_refine_round_is_planned_by_the_last_one(measured):
    planned = plan_round(load_params(), "self_refine")
    work = {estimate.stage: estimate for estimate in planned.stages}
    assert (planned.name, planned.like) == ("r2", "r1")
    assert (work["generate@r2"].requests, work["generate@r2"].prompt_tokens) == (1000, 70_000)
    assert (work["cot@r2"].rows, work["cot@r2"].requests) == (850, 850)
    assert work["train@r2"].rows == 1500 + 800
    assert work["evaluate_bfcl@r2"].completion_tokens == 50 * 400 and work["publish@r2"].requests == 0
    looped = {name for name, stage in read_yaml("dvc.yaml")["stages"].items() if "foreach" in stage}
    assert set(work) == {f"{name}@r2" for name in looped}
    Path("dvc.lock").write_text((ROOT / "dvc.lock").read_text().replace("toy/models/toy-judge", "other"))
    text = plan_text(plan_round(load_params(), "self_refine"))
    assert text.startswith(
        "warning: the counts in metrics were measured with other models: models.judges.judge other (par"
    )


def test_an_hdr_round_asks_about_its_pool_alone_with_its_own_panel(measured):
    """The pool has 40 queries, three samples each; three judges sit where r1 had one."""
    planned = plan_round(load_params(), "hdr")
    work = {estimate.stage: estimate for estimate in planned.stages}
    assert (planned.name, planned.like, work["generate@h1"].requests) == ("h1", "r1", 120)
    assert (work["call@h1"].rows, work["call@h1"].requests) == (round(0.12 * 800), round(0.12 * 800 * 3))
    assert work["train@h1"].rows == round(120 * 0.8)


def test_a_source_with_responses_does_not_make_the_next_round_cheap(measured):
    """Of r0's 1,000 rows the generator wrote 800; in a round it writes all."""
    values = read_yaml("params.yaml")
    del values["rounds"]["r1"]
    assert plan_round(check_params(values, "params.yaml"), "self_refine").stages[0].prompt_tokens == 70_000


@pytest.mark.parametrize("kind", ["self_refine", "hdr"])
def test_the_line_of_the_plan_is_a_round(measured, kind):
    text = Path("params.yaml").read_text()
    line = plan_round(load_params(), kind).line
    Path("params.yaml").write_text(text.replace("\nloss:", f"\n  {line}\nloss:"))
    assert list(load_params().rounds)[-1] == line.partition(":")[0]


def test_an_empty_pool_ends_hdr(measured):
    write_jsonl("data/r1/hard.jsonl", [])
    with pytest.raises(DataError, match="no further round after r1: data/r1/hard.jsonl is empty"):
        plan_round(load_params(), "hdr")


def test_hdr_ends_after_as_many_rounds_as_allowed(measured):
    values = read_yaml("params.yaml")
    values["recipes"]["hdr"]["max_rounds"] = 1
    first = {
        "recipe": "hdr",
        "tasks": "data/r1/hard.jsonl",
        "generator": "r1",
        "init": "r1",
        "replay": "data/empty.jsonl",
    }
    values["rounds"]["h1"] = first
    write_jsonl("data/h1/hard.jsonl", [{"id": "1"}])
    with pytest.raises(
        DataError, match="no further round after h1: rounds.h2 is HDR round 2, recipes.hdr.max_rounds allows 1"
    ):
        plan_round(check_params(values, "params.yaml"), "hdr")


def test_the_command_prints_the_plan_and_what_to_do(measured):
    def run(*words: str) -> str:
        command = [sys.executable, "-c", "from funreason.cli.main import main; main()", "rounds", *words]
        done = subprocess.run(command, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    text = run("plan", "--recipe", "hdr")
    assert "generate@h1" in text and "  h1: {recipe: hdr, tasks: data/r1/hard.jsonl, generator: r1" in text
    assert json.loads(run("plan", "--json"))["name"] == "r2"
    assert run("show").count("\n") == 5


def test_a_round_is_compared_by_at_most_twelve_figures(measured):
    assert figures("base", "toy") == {
        "calls_wanted": 0.3,
        "no_call_wanted": 0.25,
        "low": 0.1,
        "high": 0.9,
        "code": 0.95,
    }
    assert len(figures("r1", "toy")) <= 12


def test_dvc_shows_the_figures_of_the_summaries_alone():
    """The metrics of the last run, in Git: what the stages write is tested in tests/pipeline/test_repro.py."""
    from dvc.repo import Repo

    with Repo(str(ROOT)) as repo:
        shown = repo.metrics.show()[""]["data"]
    figures = {path: part["data"] for path, part in shown.items() if part["data"]}
    assert figures and {Path(path).name for path in figures} == {"summary.json"}
    assert max(map(len, figures.values())) <= 12


def test_outputs_outside_the_cache_let_dvc_find_earlier_runs():
    """DVC's run cache leaves out a stage with a plain output that is not cached; `report` alone is not worth it."""
    for name, stage in read_yaml(ROOT / "dvc.yaml")["stages"].items():
        plain = [out for out in stage.get("do", stage).get("outs", []) if isinstance(out, dict)]
        assert not plain or name == "report", (name, plain)
