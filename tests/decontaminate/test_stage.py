"""The stage, and what becomes of the tasks that it names."""

import json
import random
import runpy
from pathlib import Path

import pytest

from funreason.config import load_params, read_yaml, yaml
from funreason.core.errors import DataError, ParamsError
from funreason.core.jsonio import read_details, read_jsonl, write_jsonl
from funreason.core.records import Task
from funreason.decontaminate.benchmarks import read_benchmark
from funreason.decontaminate.matching import KINDS
from funreason.decontaminate.sorting import Sorter
from funreason.ledger.files import read_removed
from funreason.ledger.results import CheckResult
from funreason.llm import Response
from funreason.refine.generate import GenerateMetrics, generate

REPO = Path(__file__).parents[2]
REAL = REPO.parent / "shared/data/real/xlam_like.jsonl.gz"
PLANTED = runpy.run_path(str(REPO / "benchmarks/planted_overlaps.py"))
TOOL = {"name": "book_train", "description": "Books a train.", "parameters": {"to": {"type": "str"}}}
OTHER = {"name": "get_tide", "description": "Height of the tide.", "parameters": {"port": {"type": "str"}}}
ASKED = "Book a night train to Vienna for three adults"


def task(name: str, query: str, tool: dict = OTHER, **more) -> dict:
    return {"id": name, "query": query, "tools": [tool], "answers": [], "response": None, **more}


TASKS = [
    task("same", "book a night train to VIENNA for three adults!", TOOL),
    task("near", "Could you book one night train to Vienna for three adults"),
    task("tool", "To Graz, please.", TOOL),
    task(
        "talk@1", "And back?", history=[{"role": "user", "content": ASKED}, {"role": "assistant", "content": "Done."}]
    ),
    task("fresh", "When is high tide in Ostend?"),
]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with tasks and a benchmark; gives a function that runs the stage with values of its block."""
    monkeypatch.chdir(tmp_path)
    write_jsonl("own.jsonl", [{"id": "q1", "query": ASKED, "tools": [TOOL]}])
    write_jsonl("data/tasks.jsonl", TASKS)

    def decontaminate(**values) -> dict:
        params = read_yaml(REPO / "profiles/toy.yaml")
        params["decontaminate"] |= {"benchmarks": ["own.jsonl"], "max_removed": 1.0} | values
        with open("params.yaml", "w") as file:
            yaml().dump(params, file)
        runpy.run_path(str(REPO / "stages/decontaminate.py"))["main"]()
        return read_details("metrics/decontaminate.json")

    return decontaminate


def test_every_overlap_is_listed_and_counted(project):
    metrics = project(mode="flag")
    found = [(row["id"], row["kind"], row["entry"]) for row in read_jsonl("data/overlaps.jsonl")]
    assert found == [
        ("same", "query", "q1"), ("same", "tools", "book_train"), ("near", "near", "q1"),
        ("tool", "tools", "book_train"), ("talk@1", "query", "q1"),
    ]  # fmt: skip
    own = metrics["benchmarks"]["own.jsonl"]
    assert (metrics["tasks"], metrics["overlapping"], metrics["removed"]) == (5, 4, 0)
    assert metrics["kinds"] == own["kinds"] == {"query": 2, "ngram": 0, "near": 1, "tools": 2}
    assert (own["questions"], own["unused_questions"], own["tools"], own["overlapping"]) == (1, 0, 1, 4)


def test_removed_tasks_are_counted_and_off_reads_no_benchmark(project):
    assert project(mode="remove")["removed"] == 4
    assert project(mode="remove", kinds=["near"])["removed"] == 3  # same, near and talk@1
    metrics = project(mode="off", benchmarks=["missing.jsonl"])
    assert (metrics["tasks"], metrics["overlapping"], metrics["benchmarks"]) == (5, 0, {})
    assert Path("data/overlaps.jsonl").read_bytes() == b""


def test_too_many_removed_stop_the_stage_with_counts(project):
    why = (
        r"4 of 5 tasks overlap with the benchmarks \(4 with own.jsonl; 2 by query, 1 by near, 2 by tools\), "
        r"decontaminate.max_removed allows a fraction of 0.5; look at data/overlaps.jsonl, then leave out one of"
    )
    with pytest.raises(DataError, match=why):
        project(mode="remove", max_removed=0.5)
    assert Path("data/overlaps.jsonl").read_text().count("\n") == 5
    assert project(mode="flag", max_removed=0.5)["overlapping"] == 4


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"benchmarks": []}, "benchmarks is empty: nothing would be found; name one, or set mode: off"),
        ({"kinds": []}, "kinds is empty"),
        ({"benchmarks": ["bfcl", "bfcl"]}, "benchmarks names 'bfcl' twice"),
        ({"ngram": 4}, "`decontaminate.ngram` is 4"),
        ({"threshold": 0.0}, "`decontaminate.threshold` is 0.0"),
        ({"kinds": ["query", "minhash"]}, "minhash"),
    ],
)
def test_a_bad_value_is_refused(project, values, why):
    with pytest.raises(ParamsError, match=why):
        project(mode="flag", **values)
        load_params()


def test_generate_drops_removed_tasks_with_the_reason_and_asks_nobody(project):
    project(mode="remove")
    removed = read_removed("data/overlaps.jsonl")
    asked: list[int] = []

    def ask(requests):
        asked.append(len(requests))
        return [Response("[get_tide(port='Ostend')]", "stop", 1, 1) for _ in requests]

    metrics = GenerateMetrics()
    tasks = [Task.from_row(row) for row in TASKS]
    results = list(metrics.counting(generate(tasks, ask, 2, True, removed=removed)))
    assert asked == [2] and [result.id for result in results if result.goes_on] == ["fresh#0", "fresh#1"]
    assert results[0] == CheckResult(
        "same#0", "generate", "fail", "drop", "overlaps with own.jsonl (query), own.jsonl (tools)"
    )
    counts = metrics.metrics(len(tasks))
    assert (counts["in"], counts["dropped"], counts["out"]) == (10, 8, 2)
    assert counts["reasons"]["overlaps with own.jsonl (near)"] == 2


def test_names_are_compared_as_the_source_has_them(project):
    """The tool of a task has an identifier where calls cannot write its name."""
    write_jsonl("own.jsonl", [{"query": "x", "tools": [OTHER | {"name": "class"}]}, {"query": ASKED}])
    renamed = task("1", "Hm.", OTHER | {"name": "class_"}, names={"originals": {"class_": "class"}})
    write_jsonl("data/tasks.jsonl", [renamed])
    assert project(mode="flag")["kinds"]["tools"] == 1


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_file(), reason="no ../shared/data/real")
def test_planted_overlaps_are_found_in_every_disguise_among_real_rows():
    """200 questions in each disguise, with tools of other rows; the rows of other sources are hardly ever found."""
    import gzip

    from funreason.calls.schema import to_bfcl
    from funreason.data.rows import AcceptedRow, TaskIds, read_tasks

    with gzip.open(REAL, "rt") as file:
        raw = [json.loads(line) for line in file]
    tasks = [row.tasks[0] for row in read_tasks(enumerate(raw, 1), "real", TaskIds()) if isinstance(row, AcceptedRow)]
    others = [each for each in tasks if not each.id.startswith("bfcl")][:1000]
    bfcl, rng = read_benchmark("bfcl"), random.Random(5)
    sorter = Sorter([bfcl], KINDS, 13, 0.45)
    texts = rng.sample([q.text for q in bfcl.questions if not q.follows and len(q.text.split()) >= 8], 200)
    for disguises, at_least in ((PLANTED["DISGUISES"], 198), (PLANTED["COMBINED"], 194)):
        for name, disguise in disguises.items():
            planted = [Task("p", disguise(text, rng), [OTHER], []) for text in texts]
            assert sum(bool(sorter.overlaps(each)) for each in planted) >= at_least, name
    tools = [PLANTED["renamed"](to_bfcl(tool), rng) for tool in rng.sample(bfcl.tools, 200)]
    assert sum(bool(sorter.overlaps(Task("t", "Hm.", [tool], []))) for tool in tools) >= 190
    assert sum(bool(sorter.overlaps(each)) for each in others) <= 12
    assert all(sorter.overlaps(each) for each in tasks if each.id.startswith("bfcl"))
