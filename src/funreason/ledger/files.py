"""The files of a set: three for each step of the chain, `data/<set>/<stem>{,.ledger}.jsonl` and its metrics."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from funreason.core.records import JsonlWriter, Sample, Task, Verdict, read_jsonl, write_json
from funreason.ledger.outcome import Outcome
from funreason.ledger.pools import Step
from funreason.prompts import CHECKS

STEMS = tuple(f"{place}_{step}" for place, step in enumerate(("generate", *CHECKS, "validate")))


def stems(check: str) -> tuple[str, str]:
    """The file stems of the step before a check, and of the check."""
    place = 1 + CHECKS.index(check)
    return STEMS[place - 1], STEMS[place]


def data(name: str) -> Path:
    return Path("data") / name


def metrics(name: str) -> Path:
    return Path("metrics") / name


def read_tasks(path: str | Path) -> Iterator[Task]:
    return (Task.from_row(row) for row in read_jsonl(path))


def read_samples(name: str, stem: str) -> Iterator[Sample]:
    return (Sample.from_row(row) for row in read_jsonl(data(name) / f"{stem}.jsonl"))


def read_verdicts(name: str, stem: str) -> Iterator[Verdict]:
    return (Verdict.from_row(row) for row in read_jsonl(data(name) / f"{stem}.ledger.jsonl"))


def read_step(name: str, stem: str) -> Step:
    return Step(stem.partition("_")[2], read_verdicts(name, stem), read_samples(name, stem))


def write_step(name: str, stem: str, outcomes: Iterable[Outcome]) -> None:
    """The ledger (one verdict a row that came in) and the rows that go on, in one pass over the outcomes."""
    with JsonlWriter(data(name) / f"{stem}.ledger.jsonl") as ledger, JsonlWriter(data(name) / f"{stem}.jsonl") as rows:
        for outcome in outcomes:
            ledger.write(outcome.verdict.to_row())
            if outcome.sample:
                rows.write(outcome.sample.to_row())


def write_metrics(name: str, stem: str, counted: dict) -> None:
    write_json(metrics(name) / f"{stem}.json", counted)
