"""A round whose model got worse is not built on."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from funreason.core.errors import DataError, RegressionError
from funreason.llm import load_ref
from funreason.report.gate import check_regression

from .conftest import ROOT, rate, write_skill


@pytest.mark.parametrize(("correct", "allowed"), [(225, 0.0), (210, 0.05), (207, 0.06), (240, 0.0)])
def test_a_model_that_lost_no_more_than_allowed_passes(measured, correct, allowed):
    write_skill("r1", correct)
    write_skill("r0", 225)
    check_regression("r1", "r0", "toy", allowed)


def test_a_worse_model_is_refused_with_both_figures_and_the_remedy(measured):
    write_skill("r1", 180)
    with pytest.raises(RegressionError) as refused:
        check_regression("r1", "r0", "toy", 0.05)
    message = str(refused.value)
    figures = "r1 60.0% (10.0% to 90.0%, n = 300, calls 70.0%, no call 25.0%) against r0 70.0%"
    assert figures in message and "a loss of 10.0%" in message
    assert "allows 5.0%" in message and "delete it from rounds, or allow more" in message


def test_the_measure_can_be_bfcl_overall(measured):
    with pytest.raises(DataError, match="metrics/r0/bfcl.json has no Overall .* set gate.measure to toy"):
        check_regression("r1", "r0", "bfcl", 0.05)
    write_skill("r0", 210, overall=rate(240))
    write_skill("r1", 300, overall=rate(200))
    with pytest.raises(RegressionError):
        check_regression("r1", "r0", "bfcl", 0.05)


def gate(name: str) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "stages/gate.py", name]
    return subprocess.run(command, text=True, capture_output=True, check=False)


def test_the_stage_writes_what_the_next_round_loads_or_one_line(measured):
    shutil.copytree(ROOT / "toy/models/toy-base", "models/r1")
    done = gate("r1")
    assert done.returncode == 0, done.stderr
    ref = load_ref("models/r1.json")
    assert (ref.name_or_path, ref.identity) == ("models/r1", load_ref("models/r1").identity)
    Path("models/r1.json").unlink()
    write_skill("r1", 100)
    done = gate("r1")
    assert done.returncode == 1 and done.stderr.startswith("error: round r1 got worse than r0")
    assert done.stderr.count("\n") == 1 and not Path("models/r1.json").exists()


def test_a_descriptor_whose_model_is_not_there_says_how_to_get_it(measured):
    Path("models").mkdir()
    gone = {"kind": "local", "path": "models/r1", "identity": "sha256:0"}
    Path("models/r1.json").write_text(json.dumps(gone))
    from funreason.core.errors import ModelError

    with pytest.raises(ModelError, match="models/r1', which is not a folder; `dvc pull models/r1`"):
        load_ref("models/r1.json")
