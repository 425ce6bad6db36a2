"""`funreason ledger diff`: the rows whose outcome differs between two folders, revisions or experiments."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from funreason.core.jsonio import write_jsonl

from .ledgers import LINES, changed, line, refused


def test_diff_of_two_folders_tells_what_moved_and_why(ledgered, command):
    write_jsonl("elsewhere/ledger.jsonl", changed())
    changes = json.loads(command("ledger", "diff", "workspace", "elsewhere", "--json")[1])
    assert changes["transitions"] == [{"from": "dropped", "to": "kept", "rows": 1}]
    assert (changes["added"], changes["removed"], changes["unchanged"]) == (["3"], ["12#0"], 2)
    assert changes["changed"] == [{
        "id": "1", "a": {"outcome": "dropped", "check": "cot", "reason": "reasoning leads elsewhere"},
        "b": {"outcome": "kept", "check": "validate", "reason": ""},
    }]  # fmt: skip
    output = command("ledger", "diff", ".", "elsewhere")[1]
    assert "dropped at cot (reasoning leads elsewhere)  ->  kept" in output
    assert "added (only in b, 1): 3" in output and "removed (only in a, 1): 12#0" in output
    assert "0 rows with another outcome, 4 with the same" in command("ledger", "diff", ".", "data/r0")[1]


def test_diff_shows_twenty_rows_or_all(ledgered, command):
    write_jsonl("a/ledger.jsonl", [line(str(number), "validate") for number in range(30)])
    write_jsonl("b/ledger.jsonl", [line(str(number), "cot", "fail", "drop", "no") for number in range(30)])
    few, every = command("ledger", "diff", "a", "b")[1], command("ledger", "diff", "a", "b", "--all")[1]
    assert (few.count("dropped at cot (no)"), every.count("dropped at cot (no)")) == (20, 30)
    assert "10 more with --all" in few and "more with" not in every


@pytest.fixture(scope="module")
def versioned(tmp_path_factory) -> Path:
    """A repository with round r0 as a DVC out: a state at tag `one`, another at HEAD, a third as experiment `third`."""
    folder = tmp_path_factory.mktemp("versioned")
    write_jsonl(folder / "source.jsonl", LINES)
    make = "python -c \"import shutil, os; os.makedirs('data/r0', exist_ok=True); shutil.copy('source.jsonl', '{}')\""
    out = "data/r0/ledger.jsonl"
    stage = {"cmd": make.format(out).replace("python", sys.executable), "deps": ["source.jsonl"], "outs": [out]}
    (folder / "dvc.yaml").write_text(json.dumps({"stages": {"validate": stage}}))
    (folder / ".gitignore").write_text("/data/\n")

    def run(*command: str) -> None:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    def commit(message: str) -> None:
        run(sys.executable, "-m", "dvc", "repro")
        run("git", "add", ".")
        run("git", "commit", "-qm", message)

    run("git", "init", "-q")
    for key in ("user.name", "user.email"):
        run("git", "config", key, "tester@example.org")
    run(sys.executable, "-m", "dvc", "init", "-q")
    commit("one")
    run("git", "tag", "one")
    write_jsonl(folder / "source.jsonl", changed())
    commit("two")
    write_jsonl(folder / "source.jsonl", LINES[:2])
    run(sys.executable, "-m", "dvc", "repro")
    run(sys.executable, "-m", "dvc", "exp", "save", "-n", "third")
    return folder


def test_diff_reads_revisions_and_experiments(versioned, monkeypatch, command):
    monkeypatch.chdir(versioned)
    changes = json.loads(command("ledger", "diff", "one", "HEAD", "--json")[1])
    assert changes["transitions"] == [{"from": "dropped", "to": "kept", "rows": 1}]
    assert (changes["rows"], changes["added"]) == ({"a": 4, "b": 4}, ["3"])
    assert json.loads(command("ledger", "diff", "third", "HEAD~1", "--json")[1])["rows"] == {"a": 2, "b": 4}
    assert "0 rows with another outcome, 2 with the same" in command("ledger", "diff", "workspace", "third")[1]


def test_an_experiment_goes_before_a_folder_of_its_name(versioned, monkeypatch, command):
    monkeypatch.chdir(versioned)
    write_jsonl("third/ledger.jsonl", LINES)
    try:
        assert json.loads(command("ledger", "diff", "third", "HEAD", "--json")[1])["rows"] == {"a": 2, "b": 4}
        assert json.loads(command("ledger", "diff", "./third", "one", "--json")[1])["rows"] == {"a": 4, "b": 4}
        assert json.loads(command("ledger", "diff", "third/", "one", "--json")[1])["rows"] == {"a": 4, "b": 4}
        output = refused(command("ledger", "diff", "third", "HEAD", "--round", "r1"))
        assert "for the folder of this name write ./third" in output
        Path("third/ledger.jsonl").unlink()
        assert "neither ledger.jsonl nor data/r0/ledger.jsonl" in refused(command("ledger", "diff", "./third", "HEAD"))
    finally:
        shutil.rmtree("third")


def test_what_a_revision_does_not_have_is_one_line(versioned, monkeypatch, command):
    monkeypatch.chdir(versioned)
    assert "'nope' is not a folder, nor a Git revision" in refused(command("ledger", "diff", "nope", "HEAD"))
    output = refused(command("ledger", "diff", "one", "HEAD", "--round", "r1"))
    assert "data/r1/ledger.jsonl was not made at one" in output


def test_a_revision_that_was_not_pulled_says_how_to_get_it(versioned, monkeypatch, command, tmp_path):
    bare = shutil.copytree(versioned, tmp_path / "clone", ignore=shutil.ignore_patterns("cache"))
    monkeypatch.chdir(bare)
    output = refused(command("ledger", "diff", "one", "workspace"))
    assert "`dvc fetch --all-commits validate@r0` brings it from a remote" in output
