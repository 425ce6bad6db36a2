"""`funreason compare`: our numbers beside the published ones, and what differs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from funreason.errors import DataError
from funreason.evaluate.compare import compare, markdown
from funreason.records import write_json


def part(accuracy: float, **named) -> dict:
    return {"accuracy": accuracy, "low": accuracy - 0.05, "high": accuracy + 0.05, "n": 9, "partial": False} | named


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    summary = {"non_live_ast": part(0.8), "live": part(0.6, partial=True), "overall": None}
    write_json(tmp_path / "metrics/r0/bfcl.json", {"bfcl": {"version": "v4", "partial": True} | summary})
    code = {"pass@1": 0.5, "low": 0.4, "high": 0.6}
    plus = code | {"base": code | {"pass@1": 0.7}}
    write_json(tmp_path / "metrics/r0/code.json", {"humaneval+": plus, "sandbox": "none"})
    (tmp_path / "params.yaml").write_text((Path(__file__).parents[2] / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_ours_beside_the_published(project):
    found = compare(["workspace"], ["base", "r0"])
    ours = [row for row in found["rows"] if not row["published"]]
    assert [row["model"] for row in ours] == ["r0"] and "overall" not in ours[0]
    assert ours[0]["live"] == {"value": 60.0, "low": 55.0, "high": 65.0, "partial": True}
    assert (ours[0]["humaneval"]["value"], ours[0]["humaneval+"]["value"]) == (70.0, 50.0)
    paper = {row["model"]: row for row in found["rows"] if row["published"]}
    assert paper["Qwen2.5-Coder-7B-Inst, FunReason"]["overall"]["value"] == 83.66
    assert paper["Qwen2.5-Coder-7B-Inst, FunReason"]["mbpp+"]["value"] == 65.3
    assert len(paper) == 19
    told = "\n".join(found["differences"])
    assert "BFCL v4, published v3" in told and "a part of its rows" in told and "without a sandbox" in told


def test_published_overall_is_the_mean(project):
    """Finds slips of copying. ToolACE's is printed so: 82.57, where its own two columns give 83.07."""
    other = []
    for row in compare(["workspace"], ["r0"])["rows"]:
        if row["published"] and "overall" in row:
            mean = (row["non_live_ast"]["value"] + row["live"]["value"]) / 2
            other += [row["model"]] if abs(row["overall"]["value"] - mean) > 0.011 else []
    assert other == ["ToolACE-8B"]


def test_command_prints_and_writes(project):
    command = [sys.executable, "-c", "from funreason.cli import main; main()", "compare", "--out", "report/compare"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "60.00 [55.0, 65.0]*" in done.stdout and done.stdout == (project / "report/compare.md").read_text()
    assert json.loads((project / "report/compare.json").read_text())["source"].startswith("FunReason, arXiv")
    assert markdown(compare(["workspace"], ["r0"])) == done.stdout


def test_nothing_to_compare(project):
    with pytest.raises(DataError, match="no metrics of r7 in workspace; run `dvc repro`"):
        compare(["workspace"], ["r7"])
