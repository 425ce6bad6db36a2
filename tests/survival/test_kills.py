"""kill -9 at random points inside every kind of stage: nothing is lost, nothing asked twice, nobody is left behind."""

import json
from collections import Counter
from pathlib import Path

import pytest
from project import copy_project

from .killing import Repro, kill_every_stage, same_bytes
from .replies import model_server

pytestmark = pytest.mark.long
CONCURRENCY = 4
SMALL = {
    "toy": {"pool_rows": 40, "heldout_rows": 6, "judge_rows": 2, "code_rows": 6},
    "train": {"epochs": 1},
    "gate": {"max_regression": 1.0},
    "evaluate": {"bfcl": {"categories": ["simple_python"], "limit": 2}, "code": {"benchmarks": ["toy"]}},
}
KINDS = {
    "world", "resolve", "prepare", "decontaminate", "generate", "response", "query_tool", "cot", "call", "format",
    "validate", "publish", "train", "evaluate_bfcl", "evaluate_code", "gate", "code_retention", "summary", "report",
}  # fmt: skip


def project(folder: Path, server) -> Path:
    llm = {"engine": "server", "server": {"base_url": server.url, "concurrency": CONCURRENCY}}
    return copy_project(folder, SMALL | {"llm": llm}, rounds=("r0",))


def test_killed_again_and_again_it_ends_with_the_same_bytes(tmp_path):
    """A second run, unbroken, goes on beside: it tells how long the stages take, and what they write."""
    broken, whole = tmp_path / "broken/project", tmp_path / "whole/project"
    with model_server(broken / "data/toy/pool.jsonl") as server, model_server(whole / "data/toy/pool.jsonl") as other:
        unbroken = Repro(project(whole, other))
        kills, asking = kill_every_stage(project(broken, server), server.asked, unbroken)
        status, said = unbroken.finished()
        assert status == 0, said[-3000:]
        assert {stage.partition("@")[0] for stage in kills} >= KINDS and kills.total() >= 30, kills
        assert same_bytes(broken, whole)
        asked, once = (Counter(json.dumps(body, sort_keys=True) for body in s.asked) for s in (server, other))
    assert asked.keys() == once.keys() and once.total() == len(once)
    again = asked.total() - len(asked)
    print(f"{kills.total()} kills, {again} of {len(asked)} requests asked again, {asking} kills of stages that ask")
    assert again <= asking * CONCURRENCY
