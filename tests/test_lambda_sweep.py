"""The λ sweep: the loss of each setting, the report, and its pipeline."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from code_closure import ROOT, closure
from dvc.repo import Repo
from graph.test_declared import UNTRACKED_PACKAGES
from sweep import loss_of, row_of

from funreason.config import LossParams, load_params, read_yaml
from funreason.core.errors import ParamsError
from funreason.core.jsonio import write_details, write_json
from funreason.toy.world import write_world

SETTINGS = ["sft", "ssb", *(f"msl-0.{i}" for i in range(1, 10))]
PIPELINE = read_yaml(ROOT / "experiments/lambda_sweep/dvc.yaml")["stages"]


@pytest.fixture
def loss() -> LossParams:
    return load_params(ROOT / "profiles/toy.yaml").loss


def test_every_setting_is_a_loss(loss):
    losses = {setting: loss_of(setting, loss) for setting in SETTINGS}
    assert [losses[s].kind for s in SETTINGS] == ["sft", "ssb", *["msl"] * 9]
    assert [losses[f"msl-0.{i}"].lambda_ for i in range(1, 10)] == [i / 10 for i in range(1, 10)]
    assert losses["ssb"].lambda_ == 0.7 and {one.ssb for one in losses.values()} == {loss.ssb}


@pytest.mark.parametrize("setting", ["mls-0.1", "msl", "ssb-0.3", "msl-x"])
def test_an_unknown_setting(loss, setting):
    with pytest.raises(ParamsError, match=f"the setting is '{setting}'; allowed are sft, ssb, or msl-0.1"):
        loss_of(setting, loss)


def test_the_matrix_has_every_setting_and_three_seeds():
    for name in ("train", "measure"):
        assert PIPELINE[name]["matrix"] == {"setting": SETTINGS, "seed": [0, 1, 2]}


def test_its_stages_depend_on_the_code_they_use():
    untracked = {f"src/funreason/core/{name}.py" for name in ("__init__", "errors", "paths", "runtime", "stage_times")}
    used = closure(ROOT / "experiments/lambda_sweep/run.py", *UNTRACKED_PACKAGES) - untracked
    declared = {dep for stage in PIPELINE.values() for dep in stage["deps"]}
    missing = {path for path in used if not any(path == dep or path.startswith(f"{dep}/") for dep in declared)}
    assert not missing


def test_dvc_reads_it(tmp_path, monkeypatch):
    """67 stages, each training and measurement a stage of its own, the report after all of them."""
    for name in ("experiments/lambda_sweep/dvc.yaml", "params.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with Repo.init(".", no_scm=True) as repo:
        names = {stage.name for stage in repo.index.stages}
        assert len(names) == 67 and {"train@msl-0.3-2", "measure@sft-0", "report"} <= names
        (report,) = [stage for stage in repo.index.stages if stage.name == "report"]
        assert len(list(repo.index.graph.successors(report))) == 66


@pytest.mark.model
def test_a_point_is_measured_for_real(tmp_path):
    """The untrained student in the place of a trained model: vLLM, BFCL's scorer and the functions' own tests."""
    write_world(
        tmp_path / "data/toy", seed=11, pool_rows=1, planted_fraction=0.0, heldout_rows=20, judge_rows=1, code_rows=5
    )
    shutil.copy(ROOT / "profiles/toy.yaml", tmp_path / "params.yaml")
    (tmp_path / "models/lambda_sweep").mkdir(parents=True)
    (tmp_path / "models/lambda_sweep/sft-0").symlink_to(ROOT / "toy/models/toy-base")
    (tmp_path / ".venv-bfcl").symlink_to(ROOT / ".venv-bfcl")
    environment = os.environ | {"FUNREASON_CACHE": str(tmp_path / "responses")}
    command = [sys.executable, ROOT / "experiments/lambda_sweep/run.py", "measure", "sft", "0"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "experiments/lambda_sweep/points/sft-0/scores.json").read_text())
    assert scores["n"] == {"heldout": 40, "code": 5} and 0 < scores["heldout"] < 0.7 and scores["code"] > 0.5
    assert scores["no_call_wanted"] < scores["heldout"] < scores["calls_wanted"]


def point(setting: str, seed: int, heldout: float, weight: float | None = None) -> None:
    folder = Path("experiments/lambda_sweep/points", f"{setting}-{seed}")
    trained = {"weight": weight, "think_token_fraction": 0.66, "heldout": {"think": 0.2, "result": 0.1}}
    write_json(folder / "train/train.json", trained)
    scores = dict.fromkeys(("calls_wanted", "heldout", "known", "new"), heldout) | {"no_call_wanted": 0.1}
    write_json(folder / "scores.json", scores | {"code": 0.9, "n": {}})


def test_the_report(tmp_path, monkeypatch):
    """By hand: 0.50, 0.54, 0.58 is 54.0 ± 4.0; the λ of ssb is the mean of what its seeds learned."""
    monkeypatch.chdir(tmp_path)
    for seed in range(3):
        point("msl-0.3", seed, 0.50 + 0.04 * seed)
        point("ssb", seed, 0.6, weight=0.70 + 0.01 * seed)
    point("sft", 0, 0.4)
    Path("experiments/lambda_sweep/points/sft-0/scores.json").write_text(
        '{"heldout": 0.4, "known": 0.4, "new": 0.4, "code": 0.9}'  # of a sweep that kept no sides apart
    )
    sides = {"calls_wanted": {"accuracy": 0.433}, "no_call_wanted": {"strict": {"accuracy": 0.0227}}}
    toy = sides | {"accuracy": 0.376, "n": 298, "known": {"accuracy": 0.362}, "new": {"accuracy": 0.389}}
    write_details(Path("metrics/base/bfcl.json"), {"toy": toy})
    write_details(Path("metrics/base/code.json"), {"toy": {"pass@1": 0.9167, "n": 60}})
    runpy.run_path(str(ROOT / "experiments/lambda_sweep/run.py"))["main"]("report")
    lines = Path("experiments/lambda_sweep/table.md").read_text().splitlines()
    assert lines[2:] == [
        "| before training | | 43.3 | 2.3 | 37.6 | 36.2 | 38.9 | 91.7 | |",
        "| msl-0.3 | 0.30 | 54.0 ± 4.0 | 10.0 ± 0.0 | 54.0 ± 4.0 | 54.0 ± 4.0 | 54.0 ± 4.0 | 90.0 ± 0.0 | 3 |",
        "| sft | 0.66 | – | – | 40.0 | 40.0 | 40.0 | 90.0 | 1 |",
        "| ssb | 0.71 | 60.0 ± 0.0 | 10.0 ± 0.0 | 60.0 ± 0.0 | 60.0 ± 0.0 | 60.0 ± 0.0 | 90.0 ± 0.0 | 3 |",
    ]
    table = Path("experiments/lambda_sweep/results.csv").read_text().splitlines()
    assert table[0].startswith("setting,kind,lambda,seed,calls_wanted,no_call_wanted,heldout") and len(table) == 8
    assert table[1].startswith("msl-0.3,msl,0.3,0,0.5,0.1,0.5,") and table[-1].startswith("ssb,ssb,0.71,2,0.6,")


def test_a_training_without_held_out_rows_has_no_losses():
    trained = {"weight": 0.3, "think_token_fraction": 0.6, "heldout": None}
    scores = {"heldout": 0.5, "known": 0.5, "new": 0.5, "code": 0.9}
    assert row_of("msl-0.3", 0, trained, scores)["loss_think"] is None


def test_the_plot_is_a_vega_template():
    template = json.loads((ROOT / "experiments/lambda_sweep/spread.json").read_text())
    assert template["data"]["values"] == "<DVC_METRIC_DATA>"
