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

from .conftest import ROOT, write_skill


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
    figures = "r1 (calls_wanted 60.0% [10.0%, 90.0%] of 300, no_call_wanted 25.0% [10.0%, 90.0%] of 300) against r0 ("
    assert figures in message and "a loss of 10.0% of calls_wanted where" in message
    assert "allows 5.0%" in message and "delete it from rounds, or allow more" in message


def test_a_model_that_stops_to_call_is_refused_however_much_it_refuses(measured):
    """One mixed accuracy would be 97 % of what it was, and the gate open."""
    write_skill("r0", 30, no_call=(0, 300))
    write_skill("r1", 0, no_call=(300, 300))
    with pytest.raises(RegressionError, match=r"10.0% of calls_wanted where"):
        check_regression("r1", "r0", "toy", 0.05)


def test_a_model_that_calls_always_is_refused_however_many_calls_are_right(measured):
    write_skill("r0", 200, no_call=(40, 44))
    write_skill("r1", 260, no_call=(5, 44))
    with pytest.raises(RegressionError, match=r"a loss of 79.5% of no_call_wanted where"):
        check_regression("r1", "r0", "toy", 0.05)
    write_skill("r1", 100, no_call=(5, 44))
    with pytest.raises(RegressionError, match=r"33.3% of calls_wanted and 79.5% of no_call_wanted"):
        check_regression("r1", "r0", "toy", 0.05)


@pytest.mark.parametrize("after", [(36, 44), (400, 500), None])
def test_refusals_that_may_be_lost_by_chance_or_were_not_asked_pass(measured, after):
    """40 of 44 against 36 of 44 are 9 points: the interval of the difference holds 0. So are 10 of 11 of 500."""
    write_skill("r0", 200, no_call=(40, 44))
    write_skill("r1", 200, no_call=after)
    check_regression("r1", "r0", "toy", 0.05)


def test_the_measure_can_be_bfcl_whatever_its_categories(measured):
    with pytest.raises(DataError, match=r"r0/bfcl.json has no bfcl.when_to_call.calls_wanted, .* set gate.measure to"):
        check_regression("r1", "r0", "bfcl", 0.05)
    write_skill("r0", 210, bfcl=240)
    write_skill("r1", 300, bfcl=200)
    with pytest.raises(RegressionError):
        check_regression("r1", "r0", "bfcl", 0.05)
    write_skill("r1", 100, bfcl=240)
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
