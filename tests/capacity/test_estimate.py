"""The capacity model: its arithmetic, what it reads, and the command line around it."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from funreason.cli import main as cli
from funreason.config import load_params
from funreason.core.errors import DataError, ParamsError
from funreason.core.jsonio import read_details
from funreason.core.paths import step_metrics
from funreason.plan.capacity import (
    ASKING,
    Speed,
    assumed_run,
    measured_rest,
    measured_run,
    read_assumptions,
    seconds,
    with_hours,
)
from funreason.plan.estimate import StageEstimate

ROOT = Path(__file__).parents[2]
ASSUMPTIONS = ROOT / "configs/capacity/32b.yaml"
SPEED = Speed(prefill=100.0, decode=10.0, start_s=5.0, gpus=2, price=3.0)


@pytest.fixture
def run(monkeypatch, capsys):
    """The command line in the project's folder: its exit status and what it said."""

    def run(*arguments) -> tuple[int, str, str]:
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr(sys, "argv", ["funreason", "capacity", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    return run


def test_a_stage_takes_its_start_and_its_tokens_over_all_gpus():
    assert seconds(StageEstimate("generate@r0", 7, 7, 1000, 500), SPEED) == 5 + (1000 / 100 + 500 / 10) / 2
    assert seconds(StageEstimate("cot@r0"), SPEED) == 0  # nothing asked, no engine started


def test_training_takes_all_tokens_at_its_own_speed_or_a_third_of_prefill():
    train = StageEstimate("train@r0", 7, 0, 1000, 500)
    assert seconds(train, SPEED.model_copy(update={"train": 30.0})) == 5 + 1500 / 30 / 2
    assert seconds(train, SPEED) == 5 + 1500 / (100 / 3) / 2


def test_hours_and_cost_add_up():
    estimates = [StageEstimate("generate@r0", 3, 7, 360_000, 0), StageEstimate("response@r0", 3, 1, 0, 36_000)]
    first, second, total = with_hours(estimates, SPEED)
    assert first == {"stage": "generate@r0", "rows": 3, "requests": 7, "prompt_tokens": 360_000, "completion_tokens": 0,
                     "hours": 0.501, "gpu_hours": 1.003, "cost": 3.01}  # fmt: skip
    assert (second["hours"], total["hours"], total["gpu_hours"]) == (0.501, 1.003, 2.006)
    assert total["cost"] == 6.02 and total["requests"] == 8
    assert "hours" not in with_hours(estimates, Speed(prefill=100.0))[0]
    assert "cost" not in with_hours(estimates, SPEED.model_copy(update={"price": None}))[0]


def test_a_finished_run_is_scaled_to_the_rows():
    estimates, rows = measured_run(ROOT / "metrics", None)
    tasks = read_details(ROOT / "metrics/r0/0_generate.json")["tasks"]
    assert rows == tasks and {estimate.stage.partition("@")[0] for estimate in estimates} == set(ASKING)
    for estimate in estimates:
        step, _, name = estimate.stage.partition("@")
        used = read_details(ROOT / step_metrics(name, step))["llm"]
        assert [estimate.requests, estimate.prompt_tokens, estimate.completion_tokens] == [
            used["requests"], used["prompt_tokens"], used["completion_tokens"]
        ]  # fmt: skip
    more, rows = measured_run(ROOT / "metrics", 50 * tasks)
    assert rows == 50 * tasks
    assert [it.completion_tokens for it in more] == [50 * it.completion_tokens for it in estimates]


def test_a_run_that_is_missing_or_damaged(tmp_path):
    with pytest.raises(DataError, match="has no metrics of a round .*--assume"):
        measured_run(tmp_path, None)
    shutil.copytree(ROOT / "metrics/r0", tmp_path / "r0")
    (tmp_path / "r0/3_cot.json").write_text("{")
    with pytest.raises(DataError, match=r"3_cot\.json is not JSON .*; rerun the stage that wrote it"):
        measured_run(tmp_path, None)


def test_assumptions_are_multiplied_out():
    assumptions = read_assumptions(ASSUMPTIONS)
    assert set(assumptions.stages) == set(ASKING) and assumptions.speed.prefill is None
    estimates = assumed_run(assumptions, 10)
    assert len(estimates) == len(assumptions.rounds) * len(ASKING)
    asked = assumptions.stages["generate"]
    expected = (0, 10, 10 * asked.prompt_tokens, 10 * asked.completion_tokens)
    assert estimates[0] == StageEstimate("generate@r0", *expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("rows: 60000", "rows: 0"), "`rows` is 0, expected 1 or more"),
        (("gpus: 8", "gpu: 8"), "unknown key `speed.gpu`, the nearest known key is `speed.gpus`"),
        (("  cot:", "  cat:"), "stages.cat does not ask a model; the stages that do are generate, "),
        (("rows: 60000", ""), "`rows` is missing; copy it from configs/capacity/32b.yaml"),
    ],
)
def test_wrong_assumptions_are_named(tmp_path, change, message):
    path = tmp_path / "plan.yaml"
    path.write_text(ASSUMPTIONS.read_text().replace(*change))
    with pytest.raises(ParamsError) as caught:
        read_assumptions(path)
    assert message in str(caught.value) and "plan.yaml" in str(caught.value)


def test_the_command_says_what_it_assumes_and_what_it_lacks(run):
    status, out, _ = run("--assume", ASSUMPTIONS)
    assert status == 0 and "60,000 rows" in out and "hours" not in out.splitlines()[1]
    assert "no hours: give --prefill and --decode" in out
    status, out, _ = run("--assume", ASSUMPTIONS, "--prefill", 4000, "--decode", 500, "--price", 2)
    assert status == 0 and "cost" in out
    assert (
        "8 GPUs, 4,000 prefill and 500 decode tokens per second each, 240 s until a stage starts, 2 per GPU hour" in out
    )


def test_the_command_line_is_stronger_than_a_measurement(run, tmp_path):
    path = tmp_path / "speed.json"
    path.write_text(json.dumps({"speed": SPEED.model_dump(), "measured": {}}))
    status, out, _ = run("--rows", 2400, "--speed", path, "--gpus", 4, "--json")
    found = json.loads(out)
    assert status == 0 and found["rows"] == 2400
    assert found["speed"] == SPEED.model_dump() | {"gpus": 4}
    estimates = measured_run(ROOT / "metrics", 2400)[0]
    estimates += measured_rest(ROOT / "metrics", 2400, load_params(ROOT / "params.yaml").train.epochs)
    assert found["stages"] == with_hours(estimates, SPEED.model_copy(update={"gpus": 4})) and not found["warnings"]
    path.write_text("{}")
    status, _, err = run("--speed", path)
    assert status == 1 and "holds no speed" in err and "funreason capacity measure" in err


@pytest.mark.parametrize(
    "wrong", [("--rows", "0"), ("--gpus", "x"), ("--prefill", "0"), ("--price", "-1"), ("--start-s", "inf")]
)
def test_wrong_numbers_are_refused(run, wrong):
    status, _, err = run(*wrong)
    assert status == 2 and repr(wrong[1]) in err or "never end" in err
