"""Tasks that overlap with a benchmark, through the whole chain."""

from funreason.core.jsonio import read_details, write_jsonl

from .conftest import chain, rows, write_project
from .rows import TASKS
from .scripted import serve


def test_removed_tasks_have_an_outcome_and_all_counts_add_up(project):
    removed = [task["id"] for task in TASKS[:3]]
    with serve() as server:
        write_project(project, server.url, TASKS, decontaminate={"mode": "remove"})
        overlaps = [{"id": name, "benchmark": "own", "kind": "query", "entry": "1", "shared": "x"} for name in removed]
        write_jsonl("data/overlaps.jsonl", overlaps)
        chain()
    counts = read_details("metrics/r0/6_validate.json")
    assert sum(counts["outcomes"].values()) == counts["rows"] == len(TASKS)
    dropped = {row["id"]: row for row in rows("data/r0/pools/dropped.jsonl")}
    for name in removed:
        outcome = {"outcome": "dropped", "check": "generate", "reason": "overlaps with own (query)"}
        assert dropped[name] == {"id": name} | outcome
    assert [line["check"] for line in rows("data/r0/ledger.jsonl") if line["id"] in removed] == ["generate"] * 3
    assert not {row["id"] for row in rows("data/r0/train.jsonl")} & {f"r0/{name}" for name in removed}
    assert read_details("metrics/r0/0_generate.json")["reasons"]["overlaps with own (query)"] == 3
