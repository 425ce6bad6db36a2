"""Code retention: the same problems before and after training, with the difference and its interval."""

import subprocess
import sys
from pathlib import Path

import pytest

from funreason.core.errors import DataError
from funreason.core.jsonio import read_details, write_jsonl
from funreason.report.code_retention import code_retention

ROOT = Path(__file__).parents[2]


def rows(marks: str, benchmark: str = "toy") -> list[dict]:
    return [
        {"benchmark": benchmark, "task_id": f"{benchmark}/{n}", "passed": mark == "+"} for n, mark in enumerate(marks)
    ]


def test_a_loss_has_an_interval_and_a_p_value():
    change = code_retention(rows("+" * 20 + "-" * 4), rows("+" * 8 + "-" * 12 + "+" + "-" * 3))["toy"]
    assert (change["lost"], change["gained"], change["n"]) == (12, 1, 24)
    assert change["difference"] == round(9 / 24 - 20 / 24, 4)
    assert change["low"] < change["difference"] < change["high"] < 0 and change["p"] == 0.0034


def test_the_interval_of_no_change_has_a_width():
    change = code_retention(rows("++-"), rows("++-"))["toy"]
    assert change["difference"] == 0 and change["p"] == 1 and change["low"] < -0.2 and change["high"] > 0.2


def test_each_benchmark_by_itself():
    change = code_retention(rows("+") + rows("-", "humaneval"), rows("-") + rows("+", "humaneval"))
    assert [part["difference"] for part in change.values()] == [-1, 1] and list(change) == ["toy", "humaneval"]


def test_other_problems_are_refused():
    with pytest.raises(DataError, match=r"answered \{'toy': 2\} and \{'toy': 1\} problems; run `dvc repro`"):
        code_retention(rows("++"), rows("+"))
    with pytest.raises(DataError, match="answered other problems"):
        code_retention(rows("+"), [{"benchmark": "toy", "task_id": "toy/7", "passed": True}])


def test_stage(tmp_path):
    (tmp_path / "params.yaml").write_text((ROOT / "profiles/toy.yaml").read_text())
    for name, marks in (("base", "+++"), ("r0", "+-+")):
        write_jsonl(tmp_path / f"data/{name}/code.jsonl", rows(marks))
    done = subprocess.run(
        [sys.executable, ROOT / "stages/code_retention.py", "r0"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert read_details(tmp_path / "metrics/r0/code_retention.json")["toy"]["lost"] == 1
