"""The end of the chain: the last, judgeless step, the accounts, the pools, and the set to train on."""

import json
from statistics import mean, median

from funreason.errors import DataError
from funreason.generate import sample_ids
from funreason.params import NOTHING
from funreason.records import read_jsonl, write_csv, write_jsonl
from funreason.refine.dataset import refuse_empty, training_rows
from funreason.refine.files import STEMS, data, metrics, read_step, read_tasks, write_metrics
from funreason.refine.outcome import Outcome
from funreason.refine.planted import Labels, confusion, planted
from funreason.refine.pools import POOLS, Fate, Step, check_sum, count, fates
from funreason.refine.validate import NAME, validated

PREPARED = "metrics/prepare.json"
QUARANTINE = "data/quarantine.jsonl"


def finish(name: str, samples: int, keep_given: bool, earlier: str, labels: str) -> None:
    """Read all steps of a set, write its pools, ledger, metrics and training rows. Raises DataError.

    Everything but the training rows is written before an empty set fails: it is what the user has to look at.
    """
    steps = [read_step(name, stem) for stem in STEMS[:-1]]
    outcomes, kinds = validated(steps[-1].samples)
    last = [outcome.sample for outcome in outcomes if outcome.sample]
    steps.append(Step(NAME, [outcome.verdict for outcome in outcomes], last))
    tasks = read_tasks()
    ids = {row: task.id for task in tasks for row in sample_ids(task, samples, keep_given)}
    ends = fates(list(ids), steps)
    counted = count(ends)
    check_sum(counted, len(ids), len(tasks), _prepared())
    _write_pools(name, ends, steps)
    found = _metrics(ends, outcomes, kinds)
    known = Labels.read(labels, ids, {task.id for task in tasks if keep_given and task.response})
    if labels != NOTHING:
        found["planted"] = planted(ends, known)
    write_metrics(name, STEMS[-1], found)
    mended = {v.id: step.name for step in steps for v in step.verdicts if v.action == "regenerate"}
    write_csv(metrics(name) / "funnel.csv", ("step", "rows"), funnel(len(ids), steps))
    write_csv(metrics(name) / "confusion.csv", ("planted", "found"), confusion(ends, mended, known))
    refuse_empty(name, counted)
    write_jsonl(data(name) / "train.jsonl", training_rows(name, read_jsonl(earlier), last))


def _prepared() -> dict:
    try:
        with open(PREPARED, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        raise DataError(f"{PREPARED} does not exist; run `dvc repro prepare` to make it") from None


def _write_pools(name: str, ends: list[Fate], steps: list[Step]) -> None:
    write_jsonl(data(name) / "pools" / "quarantined.jsonl", read_jsonl(QUARANTINE))
    for pool, belonging in POOLS.items():
        rows = (end.to_row() for end in ends if end.fate in belonging)
        write_jsonl(data(name) / "pools" / f"{pool}.jsonl", rows)
    lines = (verdict.to_row() for step in steps for verdict in step.verdicts)
    write_jsonl(data(name) / "ledger.jsonl", lines)


def _metrics(ends: list[Fate], outcomes: list[Outcome], kinds: dict[str, int]) -> dict:
    """`share_kept` is what goes on to training; lengths are in characters, of the qualified rows."""
    counted = count(ends)
    staying = [outcome.sample for outcome in outcomes if outcome.sample]
    qualified = [sample for sample in staying if sample.kind == "call"]
    return {
        "in": len(outcomes),
        "out": len(staying),
        "rows": len(ends),
        "fates": counted,
        "share_kept": round(len(staying) / len(ends), 4) if ends else 0.0,
        "schema_problems": dict(sorted(kinds.items())),
        "duplicates": sum(outcome.verdict.action == "drop" for outcome in outcomes),
        "reasoning_chars": _length([sample.cot for sample in qualified]),
        "answer_chars": _length([sample.answer for sample in qualified]),
    }


def _length(texts: list[str]) -> dict[str, float]:
    lengths = [len(text) for text in texts] or [0]
    return {"mean": round(mean(lengths), 2), "median": float(median(lengths))}


def funnel(rows: int, steps: list[Step]) -> list[dict]:
    """[{"step", "rows"}]: how many rows are left after each step, from those that came in."""
    return [{"step": "tasks", "rows": rows}, *({"step": step.name, "rows": len(step.samples)} for step in steps)]
