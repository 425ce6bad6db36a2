"""From one person to another: an experiment, its commit through git's remote and its files through DVC's; answers."""

import sys

import pytest

from .team import clone, dvc, run

pytestmark = pytest.mark.long

LIMIT = 10


def test_an_experiment_travels(in_a_folder):
    hub = in_a_folder.folder / "hub.git"
    run(in_a_folder.ann, "git", "clone", "-q", "--bare", in_a_folder.ann, hub)
    bob, carol = clone(in_a_folder, "bob", origin=hub), clone(in_a_folder, "carol", origin=hub)
    dvc(bob, "pull", "world", "resolve")
    dvc(bob, "exp", "run", "-n", "few", "-S", f"prepare.limit={LIMIT}", "prepare")
    dvc(bob, "exp", "push", "origin", "few")

    assert "few" in dvc(carol, "exp", "list", "origin")
    dvc(carol, "exp", "pull", "origin", "few")
    dvc(carol, "exp", "apply", "few")
    assert (carol / "data/tasks.jsonl").read_text().count("\n") == LIMIT
    assert f"limit: {LIMIT}" in (carol / "params.yaml").read_text()
    dvc(carol, "pull", "world", "resolve")
    assert "Running stage" not in dvc(carol, "repro", "prepare")


def test_pulled_answers_are_not_asked_again(in_a_folder):
    """Dave has the tasks and the responses, not what generate wrote: her run of it gives the same bytes."""
    run(in_a_folder.ann, "funreason", "cache", "push")
    dave = clone(in_a_folder, "dave")
    dvc(dave, "pull", "world", "resolve", "prepare")
    run(dave, "funreason", "cache", "pull")
    before = run(dave, "funreason", "cache", "stats", "--json")
    run(dave, sys.executable, "stages/generate.py", "r0")
    out = "data/r0/0_generate.jsonl"
    assert (dave / out).read_bytes() == (in_a_folder.ann / out).read_bytes()
    assert run(dave, "funreason", "cache", "stats", "--json") == before
