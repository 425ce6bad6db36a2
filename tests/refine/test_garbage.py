"""No row is lost: ten thousand rows with garbage among them, from the source file to the pools, by heuristics alone."""

from collections import Counter

import pytest

from funreason.core.jsonio import read_details, write_json
from funreason.ledger.outcomes import POOLS

from .conftest import chain, rows, stage, write_project
from .garbage import READABLE, UNREADABLE, lines

pytestmark = pytest.mark.slow
ROWS, EVERY = 10_000, 100


@pytest.fixture(scope="module")
def kinds(tmp_path_factory) -> dict[int, str | None]:
    """Line number → kind of garbage; the source went through the chain in the current folder."""
    folder, found = tmp_path_factory.mktemp("garbage"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("FUNREASON_CACHE", str(folder / "cache"))
        write_project(folder, "http://localhost:9", [], fcdr={"mode": "heuristics", "undecided": "keep"})
        with open("source.jsonl", "wb") as file:
            for number, (kind, line) in enumerate(lines(ROWS, EVERY), 1):
                file.write(line + b"\n")
                found[number] = kind
        write_json("data/source.json", {"kind": "local", "path": "source.jsonl"})
        stage("prepare")
        chain()
        yield found


def pooled() -> list[dict]:
    return [row for pool in POOLS for row in rows(f"data/r0/pools/{pool}.jsonl")]


def test_one_in_a_hundred_is_garbage_of_every_kind(kinds):
    assert sum(kind is not None for kind in kinds.values()) == ROWS // EVERY
    assert set(kinds.values()) == {None, *UNREADABLE, *READABLE}


def test_every_line_is_a_task_or_quarantined_with_its_number_and_a_reason(kinds):
    quarantined = {row["row"]: row["reason"] for row in rows("data/quarantine.jsonl")}
    assert set(quarantined) == {number for number, kind in kinds.items() if kind in UNREADABLE}
    assert all(quarantined.values())
    tasks = [row["id"] for row in rows("data/tasks.jsonl")]
    assert tasks == [str(number - 1) for number in kinds if number not in quarantined]
    assert rows("data/r0/pools/quarantined.jsonl") == rows("data/quarantine.jsonl")


def test_every_task_has_exactly_one_outcome(kinds):
    ended, tasks = Counter(row["id"] for row in pooled()), rows("data/tasks.jsonl")
    assert ended == Counter(task["id"] for task in tasks)
    found = read_details("metrics/r0/6_validate.json")
    assert found["outcomes"] == {name: sum(row["outcome"] == name for row in pooled()) for name in found["outcomes"]}
    assert sum(found["outcomes"].values()) == found["rows"] == len(tasks)
    assert min(found["outcomes"][name] for name in ("kept", "dropped", "hard")) > 100


def test_garbage_has_no_free_pass(kinds):
    """A row may be kept for what it is: a call that fits its tools, however long its query is, or a statement."""
    ended = {row["id"]: row for row in pooled()}
    for number, kind in kinds.items():
        if kind in READABLE and kind not in ("long query", "long arguments"):
            assert ended[str(number - 1)]["outcome"] in ("dropped", "hard"), kind


def test_training_rows_are_those_that_stay(kinds):
    stay = [row["id"] for row in pooled() if row["outcome"] in ("kept", "regenerated", "statement")]
    trained = [row["id"] for row in rows("data/r0/train.jsonl")]
    assert sorted(trained) == sorted(f"r0/{name}" for name in stay)
