"""The rows of the experiment: training rows with and without refinement, and held-out suites with other tools.

The held-out rows are drawn first. A row with reasoning that names one of their tools, or asks the same, is not trained
on.
"""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from funreason.calls import canonical, parse, render
from funreason.calls.schema import to_bfcl
from funreason.config import FcdrParams
from funreason.core.jsonio import read_jsonl, write_jsonl
from funreason.core.records import Sample, Task
from funreason.data.rows import AcceptedRow, TaskIds, read_tasks
from funreason.evaluate.bfcl import folder_prompts, score
from funreason.llm import Response
from funreason.prompts import CHECKS
from funreason.refine.checks import CHECKS as CHECK_OF
from funreason.refine.defects import OF_ANSWERS
from funreason.refine.loop import run
from funreason.refine.metrics import CheckMetrics
from funreason.refine.modes import HeuristicsFirst

Fits = Callable[["SourceRow"], bool]


@dataclass(frozen=True)
class SourceRow:
    """A task with the columns of its file that the experiment needs."""

    task: Task
    source: str
    label: str

    @property
    def tools(self) -> set[str]:
        return {tool["name"] for tool in self.task.tools}


def read_source(path: Path) -> list[SourceRow]:
    """The rows of a gzipped JSONL file in xLAM's form that `prepare` would accept."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        raw = [json.loads(line) for line in file]
    read = zip(raw, read_tasks(enumerate(raw, 1), path.name, TaskIds()), strict=True)
    return [
        SourceRow(row.tasks[0], columns["source"], str(columns["label"]))
        for columns, row in read
        if isinstance(row, AcceptedRow) and row.tasks[0].tools
    ]


def order(text: str) -> str:
    """A fixed random order, by ids."""
    return sha256(text.encode()).hexdigest()


def heldout_rows(gold: Iterable[SourceRow], wanted: dict[str, int], fits: Fits) -> list[SourceRow]:
    """Rows of each source, as many as wanted if there are as many that fit, in a fixed random order."""
    taken: Counter[str] = Counter()
    rows = []
    for row in sorted(gold, key=lambda row: order(row.task.id)):
        if taken[row.source] < wanted.get(row.source, 0) and fits(row):
            taken[row.source] += 1
            rows.append(row)
    return rows


def training_pool(
    answers: Iterable[SourceRow], heldout: list[SourceRow], fits: Fits, limit: int, statements: float
) -> list[SourceRow]:
    """Rows with reasoning to train on, in a fixed random order: with no tool and no query of a held-out row.

    Args:
        answers: The rows with reasoning.
        heldout: The rows of the suites.
        fits: Whether a row is short enough.
        limit: Rows at the most.
        statements: At most this fraction of them has no call as its right answer.
    """
    tools, queries = set().union(*(row.tools for row in heldout)), {row.task.query for row in heldout}
    usable = [row for row in answers if row.task.response and not row.tools & tools and row.task.query not in queries]
    usable.sort(key=lambda row: order(row.task.id))
    left = {True: round(limit * (1 - statements)), False: round(limit * statements)}
    rows = []
    for row in usable:
        called = bool(row.task.answers)
        if left[called] and fits(row):
            left[called] -= 1
            rows.append(row)
    return rows


def sample_of(row: SourceRow) -> Sample:
    task, response = row.task, row.task.response or {}
    return Sample(task.id, task.query, task.tools, response["cot"], response["answer"], names=task.names)


def refined(samples: list[Sample], fcdr: FcdrParams) -> list[Sample]:
    """What FCDR keeps without a judge, calls and statements, with corrected answers where it corrects them."""
    kept = samples
    for check in CHECKS:
        results = list(run(CHECK_OF[check], kept, HeuristicsFirst(None, fcdr.verifier), fcdr, CheckMetrics()))
        gone = {result.id for result in results if not result.goes_on}
        new = {result.id: result.sample for result in results if result.sample}
        kept = [new.get(sample.id) or sample for sample in kept if sample.id not in gone]
    return kept


def with_defects(samples: list[Sample], fraction: float) -> dict[str, Sample]:
    """Plant one defect each in a fraction of the rows with calls, all kinds in turn; the reasoning stays as it is.

    Args:
        samples: Right rows.
        fraction: Of the rows with readable calls of their own tools.

    Returns:
        id → the row with its defect.
    """
    calls = sorted(filter(_calls_its_tools, samples), key=lambda sample: order(sample.id))
    kinds, rng, planted = list(OF_ANSWERS.values()), Random(0), {}
    for at, sample in enumerate(calls[: round(fraction * len(calls))]):
        for plant in (*kinds[at % len(kinds) :], *kinds[: at % len(kinds)]):
            broken = plant(sample, rng.choice(calls), rng)
            if broken and broken != sample:
                planted[sample.id] = replace(broken, id=sample.id)
                break
    return planted


def _calls_its_tools(sample: Sample) -> bool:
    called = {call.name for call in parse(sample.answer)} if canonical(sample.answer) else set()
    return bool(called) and called <= {tool["name"] for tool in sample.tools}


def write_suites(rows: list[SourceRow], official: Path, folder: Path) -> Counter[str]:
    """Write held-out rows in BFCL's layout, one folder per data set, so that BFCL's own checker scores them.

    Args:
        rows: The held-out rows.
        official: BFCL's data folder. Its rows keep their possible answers; a row of another data set has one
            possible answer, its gold calls.
        folder: The folder to write.

    Returns:
        Rows per suite and category.
    """
    suites: dict[tuple[str, str], list[SourceRow]] = defaultdict(list)
    for row in rows:
        suites[place_of(row)].append(row)
    for (suite, category), members in sorted(suites.items()):
        answers = possible_answers(official, category) if suite == "bfcl" else {}
        questions, possible = [], []
        for number, row in enumerate(sorted(members, key=lambda row: order(row.task.id))):
            name = f"{category}_{number}"
            questions.append({
                "id": name, "question": [[{"role": "user", "content": row.task.query}]],
                "function": [bfcl_types(to_bfcl(tool)) for tool in row.task.tools], "source": row.task.id,
            })  # fmt: skip
            truth = answers.get(row.task.id.partition("/")[2]) or [only_answer(call) for call in row.task.answers]
            possible.append({"id": name, "ground_truth": truth})
        write_jsonl(folder / suite / f"BFCL_v4_{category}.json", questions)
        if "irrelevance" not in category:
            write_jsonl(folder / suite / "possible_answer" / f"BFCL_v4_{category}.json", possible)
    return Counter({f"{suite}/{category}": len(members) for (suite, category), members in sorted(suites.items())})


def place_of(row: SourceRow) -> tuple[str, str]:
    """(suite, BFCL's category) of a held-out row. Which checker BFCL uses depends on the category alone."""
    if row.source.startswith("bfcl_v4_"):
        category = row.source.removeprefix("bfcl_v4_")
        return "bfcl", category
    several = len(row.task.answers) > 1
    shape = ("parallel_multiple" if several else "multiple") if len(row.task.tools) > 1 else "parallel"
    return row.source.split("_")[0], "simple_python" if shape == "parallel" and not several else shape


def bfcl_types(schema: Any) -> Any:
    """A tool or schema with BFCL's names of types at all depths: its checker fails on `object` and `number`."""
    if isinstance(schema, list):
        return [bfcl_types(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    names = {"object": "dict", "number": "float"}
    return {
        key: names.get(value, value) if key == "type" and isinstance(value, str) else bfcl_types(value)
        for key, value in schema.items()
    }


def refused_gold(rows: list[SourceRow], folder: Path, mode: str) -> set[str]:
    """The ids of held-out rows whose gold answer BFCL's checker does not take, so that no model could be right.

    Args:
        rows: The held-out rows.
        folder: Where `write_suites` has written them.
        mode: Of the sandbox.
    """
    tasks = {row.task.id: row.task for row in rows}
    folders = {path.name: path for path in sorted(folder.iterdir())}
    prompts = [prompt for suite, path in folders.items() for prompt in folder_prompts(suite, path)]
    sources = {
        (suite, line["id"]): line["source"]
        for suite, path in folders.items() for file in path.glob("*.json") for line in read_jsonl(file)
    }  # fmt: skip
    asked = [tasks[sources[prompt.suite, prompt.id]] for prompt in prompts]
    gold = [Response(render(task.answers) if task.answers else "No tool fits.", "stop", 1, 1) for task in asked]
    scored = score(prompts, gold, folders, mode)
    return {task.id for task, row in zip(asked, scored, strict=True) if not row.correct}


def possible_answers(official: Path, category: str) -> dict[str, list[dict]]:
    path = official / "possible_answer" / f"BFCL_v4_{category}.json"
    return {row["id"]: row["ground_truth"] for row in read_jsonl(path)} if path.exists() else {}


def only_answer(call: dict[str, Any]) -> dict[str, Any]:
    """A gold call as BFCL writes possible answers; a dictionary has possible values per key."""
    return {call["name"]: {name: [_possible(value)] for name, value in call["arguments"].items()}}


def _possible(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: [_possible(item)] for key, item in value.items()}
    if isinstance(value, list):
        return [_possible(item) for item in value]
    return value
