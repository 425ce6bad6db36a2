"""The line of each stage that begins: its number in the run, and the time left by what the stages took before."""

import re
import subprocess

import pytest
from project import dvc, try_dvc

from funreason.core.stage_times import line
from funreason.plan.coming import stages_to_come

STAGE = """
import sys, time
from pathlib import Path
from funreason.core.runtime import run

def main(name, *needs):
    time.sleep(0.3)
    if Path("broken").exists() and name == "train@r1":
        raise SystemExit(1)
    Path(name).write_text(name + Path("params.yaml").read_text())

run(main)
"""
PIPELINE = """
stages:
  prepare: {cmd: python stage.py prepare, params: [a], deps: [stage.py], outs: [prepare]}
  train:
    foreach: [r0, r1]
    do:
      cmd: python stage.py train@${item}
      deps: [prepare]
      params: [b]
      outs: ["train@${item}"]
  report: {cmd: python stage.py report, deps: [train@r0, train@r1], outs: [report]}
  aside: {cmd: python stage.py aside, params: [c], outs: [aside]}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("times") / "project"
    folder.mkdir()
    for name, text in {"stage.py": STAGE, "dvc.yaml": PIPELINE, "params.yaml": "a: 1\nb: 1\nc: 1\n"}.items():
        (folder / name).write_text(text)
    for command in (["init", "-q"], ["config", "user.email", "a@b.c"], ["config", "user.name", "a"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    run(folder, "init", "-q")
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    subprocess.run(["git", "commit", "-qm", "a"], cwd=folder, check=True)
    return folder


def run(folder, *words: str) -> list[str]:
    """The lines of a run. The stages import this checkout's code."""
    import funreason

    return lines(dvc(folder, *words, PYTHONPATH=f"{funreason.__path__[0]}/.."))


def lines(out: str) -> list[str]:
    return re.findall(r"^stage \d+ of .*$", out, re.MULTILINE)


@pytest.mark.slow
def test_a_run_counts_its_stages_and_the_time_left(folder):
    first = run(folder, "repro")
    assert {re.sub(".*: ", "", one).split(";")[0] for one in first} == {
        "prepare", "train@r0", "train@r1", "report", "aside"
    }  # fmt: skip
    assert [one.split(":")[0] for one in first] == [f"stage {number} of 5" for number in range(1, 6)]
    assert first[0].endswith("; how long it takes is not known before the first run")
    second = next(one for one in first if "train@r1" in one)  # the other round has run, and shows how long it takes
    assert re.search(r"about \d+ s left in all, and 2 stages that have not run here yet", second)
    assert run(folder, "repro") == []
    (folder / "params.yaml").write_text("a: 1\nb: 2\nc: 1\n")
    again = run(folder, "repro", "report")
    assert [one.split(";")[0] for one in again] == [
        "stage 1 of 3: train@r0", "stage 2 of 3: train@r1", "stage 3 of 3: report"
    ]  # fmt: skip
    assert all(re.fullmatch(r".*; about \d+ s left in all", one) for one in again)
    # One stage alone, the rest of what is out of date, and an experiment in the workspace.
    assert [one.split(":")[0] for one in run(folder, "repro", "-f", "-s", "train@r1")] == ["stage 1 of 1"]
    assert [one.split(":")[0] for one in run(folder, "exp", "run", "-S", "a=5", "train")] == [
        "stage 1 of 3", "stage 2 of 3", "stage 3 of 3"
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("first", ["one", "two"])
def test_stages_that_do_not_depend_on_each_other_are_counted_whichever_comes_first(tmp_path, monkeypatch, first):
    """DVC's order of them is another one in each process: this one need not know which of them ran first."""
    text = (
        "stages:\n  one: {cmd: x, outs: [a]}\n  two: {cmd: x, outs: [b]}\n  last: {cmd: x, deps: [a, b], outs: [c]}\n"
    )
    (tmp_path / "dvc.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    dvc(tmp_path, "init", "-q", "--no-scm")
    coming = stages_to_come(first, ["dvc", "repro", "last"])
    assert coming[0] == first and sorted(coming) == ["last", "one", "two"]


@pytest.mark.slow
def test_a_stage_that_fails_keeps_no_time_and_the_next_run_counts_what_is_left(folder):
    run(folder, "repro")
    (folder / "params.yaml").write_text("a: 9\nb: 2\nc: 1\n")
    (folder / "broken").touch()
    import funreason

    done = try_dvc(folder, "repro", PYTHONPATH=f"{funreason.__path__[0]}/..")
    assert done.returncode and lines(done.stdout)[-1].startswith("stage 3 of 4: train@r1")
    (folder / "broken").unlink()
    assert [one.split(";")[0] for one in run(folder, "repro")] == ["stage 1 of 2: train@r1", "stage 2 of 2: report"]


def test_the_line():
    seconds = {"prepare": 3.0, "train@r0": 600.0, "evaluate_bfcl@r0": 60.0}
    stages = ["prepare", "train@r0", "train@r1", "baseline_bfcl"]
    assert line("prepare", stages, seconds) == "stage 1 of 4: prepare; about 21 min left in all"
    assert line("baseline_bfcl", stages, seconds) == "stage 4 of 4: baseline_bfcl; about 60 s left in all"
    assert line("prepare", [*stages, "report"], seconds).endswith(
        "about 21 min left in all, and 1 stage that has not run here yet"
    )
    assert line("train@r1", stages, {"train@r1": 9000.0, "train@r0": 1.0, "evaluate_code@r0": 2.0}).endswith(
        "about 2.5 h left in all, and 1 stage that has not run here yet"
    )
