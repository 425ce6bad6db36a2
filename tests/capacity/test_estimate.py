"""The capacity model: its arithmetic, what it reads, and the command line around it."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from funreason.cli import main as cli
from funreason.core.errors import DataError, ParamsError
from funreason.plan.capacity import ASKING, Load, Speed, assumed, estimate, measured, planned

ROOT = Path(__file__).parents[2]
PLAN = ROOT / "configs/capacity/32b.yaml"
SPEED = Speed(read=100.0, written=10.0, start_s=5.0, gpus=2, price=3.0)


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
    load = Load("r0", "0_generate", 7, 1000, 500)
    assert load.seconds(SPEED) == 5 + (1000 / 100 + 500 / 10) / 2
    assert Load("r0", "3_cot", 0, 0, 0).seconds(SPEED) == 0  # nothing asked, no engine started


def test_hours_and_cost_add_up():
    loads = [Load("r0", "0_generate", 7, 360_000, 0), Load("r0", "1_response", 1, 0, 36_000)]
    first, second, total = estimate(loads, SPEED)
    assert first == {"set": "r0", "stage": "0_generate", "requests": 7, "prompt_tokens": 360_000, "output_tokens": 0,
                     "hours": 0.501, "gpu_hours": 1.003, "cost": 3.01}  # fmt: skip
    assert (second["hours"], total["hours"], total["gpu_hours"]) == (0.501, 1.003, 2.006)
    assert total["cost"] == 6.02 and total["requests"] == 8
    assert "hours" not in estimate(loads, Speed(read=100.0))[0]
    assert "cost" not in estimate(loads, SPEED.model_copy(update={"price": None}))[0]


def test_a_finished_run_is_scaled_to_the_rows():
    loads, rows = measured(ROOT / "metrics", None)
    tasks = json.loads((ROOT / "metrics/r0/0_generate.json").read_text())["tasks"]
    assert rows == tasks and {load.stage for load in loads} == set(ASKING)
    for load in loads:
        used = json.loads((ROOT / f"metrics/{load.set}/{load.stage}.json").read_text())["llm"]
        assert [load.requests, load.prompt_tokens, load.output_tokens] == [
            used["requests"], used["prompt_tokens"], used["completion_tokens"]
        ]  # fmt: skip
    more, rows = measured(ROOT / "metrics", 50 * tasks)
    assert rows == 50 * tasks
    assert [load.output_tokens for load in more] == [50 * load.output_tokens for load in loads]


def test_a_run_that_is_not_there_or_not_whole(tmp_path):
    with pytest.raises(DataError, match="has no metrics of a set .*--assume"):
        measured(tmp_path, None)
    shutil.copytree(ROOT / "metrics/r0", tmp_path / "r0")
    (tmp_path / "r0/3_cot.json").write_text("{")
    with pytest.raises(DataError, match=r"3_cot\.json: .*dvc repro"):
        measured(tmp_path, None)


def test_assumptions_are_multiplied_out():
    plan = assumed(PLAN)
    assert set(plan.stages) == set(ASKING) and plan.speed.read is None
    loads = planned(plan, 10)
    assert len(loads) == len(plan.rounds) * len(ASKING)
    asked = plan.stages["0_generate"]
    assert loads[0] == Load("r0", "0_generate", 10, 10 * asked.prompt_tokens, 10 * asked.output_tokens)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("rows: 60000", "rows: 0"), "`rows` is 0, expected 1 or more"),
        (("gpus: 8", "gpu: 8"), "unknown key `speed.gpu`, the nearest known key is `speed.gpus`"),
        (("  3_cot:", "  3_cat:"), "stages.3_cat is no stage that asks a model; these are 0_generate, "),
        (("rows: 60000", ""), "`rows` is missing; take it over from configs/capacity/32b.yaml"),
    ],
)
def test_wrong_assumptions_are_named(tmp_path, change, message):
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.read_text().replace(*change))
    with pytest.raises(ParamsError) as caught:
        assumed(path)
    assert message in str(caught.value) and "plan.yaml" in str(caught.value)


def test_the_command_says_what_it_assumes_and_what_it_lacks(run):
    status, out, _ = run("--assume", PLAN)
    assert status == 0 and "60,000 rows" in out and "hours" not in out.splitlines()[1]
    assert "no hours: give --read and --written" in out
    status, out, _ = run("--assume", PLAN, "--read", 4000, "--written", 500, "--price", 2)
    assert status == 0 and "cost" in out
    assert "8 GPUs, 4,000 tokens/s read and 500 written by each, 240 s until a stage starts, 2 a GPU's hour" in out


def test_the_command_line_is_stronger_than_a_measurement(run, tmp_path):
    path = tmp_path / "speed.json"
    path.write_text(json.dumps({"speed": SPEED.model_dump(), "measured": {}}))
    status, out, _ = run("--rows", 2400, "--speed", path, "--gpus", 4, "--json")
    found = json.loads(out)
    assert status == 0 and found["rows"] == 2400
    assert found["speed"] == SPEED.model_dump() | {"gpus": 4}
    assert found["stages"] == estimate(measured(ROOT / "metrics", 2400)[0], SPEED.model_copy(update={"gpus": 4}))
    path.write_text("{}")
    status, _, err = run("--speed", path)
    assert status == 1 and "holds no speed" in err and "funreason capacity measure" in err


@pytest.mark.parametrize(
    "wrong", [("--rows", "0"), ("--gpus", "x"), ("--read", "0"), ("--price", "-1"), ("--start-s", "inf")]
)
def test_wrong_numbers_are_refused(run, wrong):
    status, _, err = run(*wrong)
    assert status == 2 and repr(wrong[1]) in err or "never end" in err
