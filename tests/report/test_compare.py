"""`funreason compare`: our numbers beside the published ones, and what differs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from funreason.core.errors import DataError
from funreason.core.jsonio import write_details
from funreason.report.compare import compare, markdown
from funreason.report.compare_sides import WORKSPACE, experiments

pytestmark = pytest.mark.slow

COMPARE = [sys.executable, "-c", "from funreason.cli.main import main; main()", "compare"]


def part(accuracy: float, **named) -> dict:
    return {"accuracy": accuracy, "low": accuracy - 0.05, "high": accuracy + 0.05, "n": 9, "partial": False} | named


def write_bfcl(folder: Path, name: str, toy: float) -> None:
    summary = {"non_live_ast": part(0.8), "live": part(0.6, partial=True), "overall": None}
    categories = {"multiple": part(0.5, n=40, partial=True)}
    no_call = part(0.9) | {"unreadable": 4, "cut": 2, "strict": part(0.3)}
    bfcl = {"version": "v4", "partial": True, "categories": categories, "when_to_call": {"no_call_wanted": no_call}}
    mixed = part(0.99) | {"calls_wanted": part(toy)}
    write_details(folder / f"metrics/{name}/bfcl.json", {"bfcl": bfcl | summary, "toy": mixed})


def write_metrics(folder: Path, name: str = "r0", toy: float = 0.7) -> None:
    write_bfcl(folder, name, toy)
    code = {"pass@1": 0.5, "low": 0.4, "high": 0.6}
    plus = code | {"base": code | {"pass@1": 0.7}}
    write_details(folder / f"metrics/{name}/code.json", {"humaneval+": plus, "toy": code, "sandbox": "none"})


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    write_metrics(tmp_path)
    (tmp_path / "params.yaml").write_text((Path(__file__).parents[2] / "profiles/toy.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ours(comparison: dict) -> dict[str, dict]:
    return {row["model"]: row for row in comparison["rows"] if not row["published"]}


def test_ours_beside_the_published(project):
    comparison = compare([WORKSPACE], ["base", "r0"])
    row = ours(comparison)["r0"]
    assert len(ours(comparison)) == 1 and "overall" not in row
    assert row["live"] == {"value": 60.0, "low": 55.0, "high": 65.0, "partial": True}
    assert (row["humaneval"]["value"], row["humaneval+"]["value"]) == (70.0, 50.0)
    assert (row["toy_calls"]["value"], row["toy_code"]["value"]) == (70.0, 50.0)
    paper = {row["model"]: row for row in comparison["rows"] if row["published"]}
    assert paper["Qwen2.5-Coder-7B-Inst, FunReason"]["overall"]["value"] == 83.66
    assert paper["Qwen2.5-Coder-7B-Inst, FunReason"]["mbpp+"]["value"] == 65.3
    assert len(paper) == 19


def test_refusals_that_nobody_can_read_are_told(project):
    """BFCL pays every text that it cannot read where no tool fits."""
    row = ours(compare([WORKSPACE], ["r0"]))["r0"]
    assert row["no_call"].keys() == {"bfcl"} and row["no_call"]["bfcl"]["strict"]["accuracy"] == 0.3
    text = markdown(compare([WORKSPACE], ["r0"]))
    assert "| r0      | bfcl    | 90.00%     | 30.00%   | 4            | 2     | 9           |" in text


def test_each_difference_in_settings_is_listed_once_with_its_rows(project):
    write_bfcl(project, "base", 0.3)
    differences = {part["what"]: part["rows"] for part in compare([WORKSPACE], ["base", "r0"])["differences"]}
    assert differences["BFCL v4, published v3"] == ["base", "r0"]
    assert [rows for what, rows in differences.items() if "BFCL on multiple 40 of 200;" in what] == [["base", "r0"]]
    assert differences["model code ran without a sandbox"] == ["r0"]
    assert [rows for what, rows in differences.items() if "prompts/code.txt" in what] == [["r0"]]
    assert "- base, r0: BFCL v4, published v3" in markdown(compare([WORKSPACE], ["base", "r0"]))


def test_rounds_come_in_the_order_of_the_parameters_then_by_name(project):
    for name in ("base", "tried", "r1"):
        write_metrics(project, name)
    assert list(ours(compare([WORKSPACE], ["base", "r0", "r1"]))) == ["base", "r0", "r1", "tried"]


def test_published_overall_is_the_mean(project):
    """Finds slips of copying. ToolACE's is printed so: 82.57, where its own two columns give 83.07."""
    other = []
    for row in compare([WORKSPACE], ["r0"])["rows"]:
        if row["published"] and "overall" in row:
            mean = (row["non_live_ast"]["value"] + row["live"]["value"]) / 2
            other += [row["model"]] if abs(row["overall"]["value"] - mean) > 0.011 else []
    assert other == ["ToolACE-8B"]


def test_command_prints_and_writes(project):
    done = subprocess.run([*COMPARE, "--out", "report/compare"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "60.00 [55.0, 65.0]*" in done.stdout and done.stdout == (project / "report/compare.md").read_text()
    assert "| toy calls " in done.stdout
    assert json.loads((project / "report/compare.json").read_text())["source"].startswith("FunReason, arXiv")
    assert markdown(compare([WORKSPACE], ["r0"])) == done.stdout


def test_nothing_to_compare(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="no metrics/<round>/bfcl.json or code.json in workspace; run `dvc repro`"):
        compare([WORKSPACE], [])


def test_a_damaged_file_is_named(project):
    (project / "metrics/r0/code.json").write_text("{")
    with pytest.raises(DataError, match=r"metrics/r0/code.json at workspace is not JSON .*run `dvc repro`"):
        compare([WORKSPACE], [])


@pytest.fixture
def versioned(project) -> Path:
    """r0 at 70 % in HEAD, 80 % in experiment `better` and in the workspace, where `same` has changed nothing."""

    def run(*command: str) -> None:
        subprocess.run(command, cwd=project, check=True, capture_output=True)

    def tried(name: str) -> None:
        run(sys.executable, "-m", "dvc", "exp", "save", "--name", name)

    run("git", "init", "-q")
    for key in ("user.name", "user.email"):
        run("git", "config", key, "tester@example.org")
    run(sys.executable, "-m", "dvc", "init", "-q")
    (project / "dvc.yaml").write_text("stages: {}\n")
    run("git", "add", ".")
    run("git", "commit", "-qm", "one")
    write_bfcl(project, "r0", 0.8)
    tried("better")
    write_bfcl(project, "r0", 0.9)
    tried("same")
    return project


def test_experiments_that_differ_are_beside_the_workspace(versioned):
    assert experiments() == ["better", "same"]
    done = subprocess.run([*COMPARE, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    values = {name: row["toy_calls"]["value"] for name, row in ours(json.loads(done.stdout)).items()}
    assert values == {"r0": 90.0, "better: r0": 80.0}
    named = subprocess.run([*COMPARE, "--json", "HEAD", "same"], capture_output=True, text=True)
    values = {name: row["toy_calls"]["value"] for name, row in ours(json.loads(named.stdout)).items()}
    assert values == {"r0": 90.0, "HEAD: r0": 70.0, "same: r0": 90.0}


def test_an_unknown_revision_is_one_line(versioned):
    done = subprocess.run([*COMPARE, "nowhere"], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: 'nowhere' is not a Git revision or DVC experiment here")


def test_outside_a_repository_there_are_no_experiments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert experiments() == []
