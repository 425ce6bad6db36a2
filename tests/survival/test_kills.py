"""kill -9, at random points of every kind of stage: nothing is lost, nothing asked twice, nobody is left behind."""

import json
import random
from collections import Counter
from pathlib import Path

from project import copy_project, dvc

from funreason.params import read_yaml

from .killing import VICTIMS, Repro
from .replies import model_server

KILLS_A_STAGE = 2
CONCURRENCY = 4
SMALL = {
    "desk": {"pool_rows": 40, "heldout_rows": 6, "judge_rows": 2, "code_rows": 6},
    "train": {"epochs": 1},
    "rounds": {"max_regression": 1.0},
    "evaluate": {"bfcl": {"categories": ["simple_python"], "limit": 2}, "code": {"benchmarks": ["desk"]}},
}
RWLOCK = "Unable to read RWLock-file"  # killed while DVC wrote it, which is not in one piece
KINDS = {
    "world", "resolve", "prepare", "generate", "response", "query_tool", "cot", "call", "format", "validate",
    "publish", "train", "evaluate_bfcl", "evaluate_code", "accept", "forgetting", "report",
}  # fmt: skip


def project(folder: Path, server) -> Path:
    llm = {"engine": "server", "server": {"base_url": server.url, "concurrency": CONCURRENCY}}
    return copy_project(folder, SMALL | {"llm": llm}, sets=("r0",))


def test_killed_again_and_again_it_ends_with_the_same_bytes(tmp_path):
    """A second run, unbroken, goes on beside: it tells how long the stages take, and what they write."""
    broken, whole = tmp_path / "broken/project", tmp_path / "whole/project"
    with model_server(broken / "data/desk/pool.jsonl") as server, model_server(whole / "data/desk/pool.jsonl") as other:
        unbroken = Repro(project(whole, other))
        kills, in_flight = kill_every_stage(project(broken, server), server, unbroken)
        status, said = unbroken.finished()
        assert status == 0, said[-3000:]
        assert set(kills) == KINDS and kills.total() >= 30, kills
        (broken / ".dvc/tmp/rwlock").unlink(missing_ok=True)
        dvc(broken, "repro")
        assert read_yaml(broken / "dvc.lock") == read_yaml(whole / "dvc.lock")
        assert "up to date" in dvc(broken, "status")
        asked, once = (Counter(json.dumps(body, sort_keys=True) for body in s.asked) for s in (server, other))
    assert asked.keys() == once.keys() and once.total() == len(once)
    again = asked.total() - len(asked)
    print(f"{kills.total()} kills, {again} of {len(asked)} requests asked again, {in_flight} were in flight at most")
    assert again <= in_flight


def kill_every_stage(folder: Path, server, unbroken: Repro) -> tuple[Counter, int]:
    """Kill each stage as often as KILLS_A_STAGE, the victims in turn: (kills by kind of stage, requests in flight)."""
    rng, kills, in_flight = random.Random(5), Counter(), 0
    for stage, seconds in unbroken.stages():
        for _ in range(0 if stage.startswith("baseline") else KILLS_A_STAGE):
            run, victim, asked = Repro(folder), VICTIMS[kills.total() % len(VICTIMS)], len(server.asked)
            if not (first := run.first()) and RWLOCK in run.finished()[1]:
                (folder / ".dvc/tmp/rwlock").unlink()  # the remedy of docs/troubleshooting.md
                run = Repro(folder)
                first = run.first()
            if not first:
                break  # it was done before the last kill
            run.go_on(rng.uniform(0, 0.8) * seconds)
            assert run.left_behind(run.kill(victim)) == [], f"{first}: {victim} killed, these went on"
            if run.finished()[0] == 0:
                break  # the last stage was faster than the kill
            kills[first.partition("@")[0]] += 1
            in_flight += CONCURRENCY if len(server.asked) > asked else 0
    return kills, in_flight
