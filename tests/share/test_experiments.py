"""From one person to another: an experiment, its commit through git's remote and its files through DVC's; answers."""

import sys

from .team import clone, dvc, run

LIMIT = 10


def tasks(project) -> int:
    return (project / "data/tasks.jsonl").read_text().count("\n")


def test_an_experiment_travels(in_a_folder):
    hub = in_a_folder.folder / "hub.git"
    run(in_a_folder.ann, "git", "clone", "-q", "--bare", in_a_folder.ann, hub)
    run(in_a_folder.ann, "git", "remote", "add", "hub", hub)
    dvc(in_a_folder.ann, "exp", "run", "-n", "few", "-S", f"prepare.limit={LIMIT}", "prepare")
    dvc(in_a_folder.ann, "exp", "push", "hub", "few")
    run(in_a_folder.ann, "git", "reset", "-q", "--hard")

    bob = clone(in_a_folder, "bob")
    run(bob, "git", "remote", "set-url", "origin", hub)
    assert "few" in dvc(bob, "exp", "list", "origin")
    dvc(bob, "exp", "pull", "origin", "few")
    dvc(bob, "exp", "apply", "few")
    assert tasks(bob) == LIMIT
    assert f"limit: {LIMIT}" in (bob / "params.yaml").read_text()
    dvc(bob, "pull", "--run-cache", "world", "resolve")
    assert "Running stage" not in dvc(bob, "repro", "prepare")


def test_pulled_answers_are_not_asked_again(in_a_folder):
    """Carol has the tasks and the responses, not what generate wrote: her run of it gives the same bytes."""
    run(in_a_folder.ann, "funreason", "cache", "push")
    carol = clone(in_a_folder, "carol")
    dvc(carol, "pull", "world", "resolve", "prepare")
    run(carol, "funreason", "cache", "pull")
    before = run(carol, "funreason", "cache", "stats", "--json")
    run(carol, sys.executable, "stages/generate.py", "r0")
    out = "data/r0/0_generate.jsonl"
    assert (carol / out).read_bytes() == (in_a_folder.ann / out).read_bytes()
    assert run(carol, "funreason", "cache", "stats", "--json") == before
