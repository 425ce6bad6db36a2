"""`funreason report` and `funreason exps`: two states side by side, a database, experiments."""

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest
from project import change_params, environment

from funreason.core import paths
from funreason.core.errors import DataError
from funreason.core.jsonio import read_json, read_jsonl, write_json, write_jsonl
from funreason.report.experiments import experiments, table
from funreason.report.page.collect import collect_state
from funreason.report.page.compare import compare_states
from funreason.report.page.live import running
from funreason.report.page.sources import source

from .conftest import ROOT
from .finished import write_run

pytestmark = pytest.mark.slow
GIT = ["git", "-c", "user.name=tests", "-c", "user.email=tests@example.org"]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A run that is committed, with all its files in Git, and a change in the workspace: λ, and one answer of r1."""
    monkeypatch.chdir(tmp_path)
    for name in ("dvc.yaml", "params.yaml"):
        Path(name).write_text((ROOT / {"params.yaml": "profiles/toy.yaml"}.get(name, name)).read_text())
    change_params(tmp_path, {"validate": {"labels": "data/labels.jsonl"}})
    write_run(40)
    for name in ("base", "r0", "r1"):
        write_json(
            paths.summary(name), {"calls_wanted": 0.7, "low": 0.6, "high": 0.8, "rows": 40, "think_loss": 0.123456}
        )
    for command in (
        ["git", "init", "-q"],
        ["dvc", "init", "-q"],
        ["git", "add", "-Af"],
        [*GIT, "commit", "-qm", "run"],
    ):
        subprocess.run(command, check=True, env=environment(tmp_path))
    change_params(tmp_path, {"loss": {"lambda": 0.3}})
    write_json(paths.summary("r1"), read_json(paths.summary("r1")) | {"think_loss": 0.2})
    answers = list(read_jsonl(paths.answers("r1", "bfcl")))
    answers[0] |= {"correct": False, "error": "type_error:simple: ['x']"}
    write_jsonl(paths.answers("r1", "bfcl"), answers)
    lines = [
        line
        for line in read_jsonl(paths.ledger("r0"))
        if line["id"] != "31" or line["check"] in ("generate", "response")
    ]
    lines = [
        line | ({"action": "drop", "reason": "cut"} if (line["id"], line["check"]) == ("31", "response") else {})
        for line in lines
    ]
    write_jsonl(paths.ledger("r0"), lines)
    return tmp_path


def test_what_differs_between_a_commit_and_the_workspace(project):
    comparison = compare_states(source("HEAD"), source("workspace"))
    assert comparison["params"] == [["loss.lambda", 0.7, 0.3]]
    assert comparison["figures"] == [["r1", "think_loss", 0.123456, 0.2]]
    suites = {pair["model"]: pair["suites"][0] for pair in comparison["pairs"]}
    assert (suites["r0"]["lost"], suites["r1"]["lost"], suites["r1"]["gained"]) == (0, 1, 0)
    first = comparison["rounds"][0]
    assert [(row["id"], row["a"]["outcome"], row["b"]["outcome"]) for row in first["changed"]] == [
        ("31", "kept", "dropped")
    ]
    assert first["unchanged"] == 39 and comparison["rounds"][1]["changed"] == []


def test_the_command_writes_a_page_and_a_database(project, browser):
    command = ["funreason", "report", "HEAD", "workspace", "--out", "two.html", "--db", "rows.db"]
    done = subprocess.run(
        command, env=environment(project) | {"PYTHONPATH": str(ROOT / "src")}, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert "default-src 'none'" in Path("two.html").read_text()
    with sqlite3.connect("rows.db") as database:
        counts = [database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("rows", "answers")]
        reason = database.execute("SELECT reason FROM rows WHERE round = 'r0' AND id = '31'").fetchone()[0]
    assert counts == [80, 363] and reason == "cut"
    # What did another λ change? The first page has the parameter, the rows; a row is a click away.
    browser.open(project / "two.html")
    text = browser.text()
    assert "loss.lambda" in text and "1 rows changed, 39 did not" in text
    browser.click("31", "main table")
    assert "Row 31 of round r0" in browser.text() and "dropped at response" in browser.text()


def test_an_unknown_state_and_one_without_rounds_are_one_line(project):
    with pytest.raises(
        DataError, match="'nowhere' is not a Git revision, a DVC experiment or a folder with a dvc.yaml"
    ):
        source("nowhere")
    Path("params.yaml").write_text("loss: {lambda: 0.3}\n")
    with pytest.raises(DataError, match="workspace has no params.yaml with rounds"):
        collect_state(source("workspace"))


def test_experiments_fit_a_terminal(project):
    rows = experiments()
    assert [(row["experiment"], row["round"], row["changes"]) for row in rows][0] == (
        "workspace",
        "r1",
        {"loss.lambda": 0.3},
    )
    text = table(rows)
    assert "70.0 % [60.0, 80.0]" in text and "0.1235" in text and max(map(len, text.splitlines())) <= 160
    with pytest.raises(DataError, match="no metrics/r7/summary.json here; rounds with figures: r0, r1"):
        experiments("r7")


def test_a_running_training_is_read_from_its_checkpoint(tmp_path):
    assert running(tmp_path) == {}
    log = [
        {"step": 1, "loss": 0.5, "loss_think": 0.4, "learning_rate": 1e-4, "rewards/exact/mean": 0.5},
        {"step": 1, "eval_loss": 0.3},
    ]
    folder = tmp_path / "key/checkpoint-1"
    folder.mkdir(parents=True)
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": 1, "max_steps": 9, "log_history": log}))
    live = running(tmp_path)
    assert (live["step"], live["steps"], live["loss"][0]["think"], live["loss"][0]["exact"]) == (
        1,
        9,
        0.4,
        0.5,
    ) and len(live["loss"]) == 1
