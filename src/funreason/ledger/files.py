"""The files of a set: three for each step of the chain, `data/<set>/<stem>{,.ledger}.jsonl` and its metrics."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from funreason.core import paths
from funreason.core.jsonio import JsonlWriter, read_jsonl, write_json
from funreason.core.records import Sample, Task, Verdict
from funreason.ledger.outcome import Outcome
from funreason.ledger.pools import Step


def read_tasks(path: str | Path) -> Iterator[Task]:
    return (Task.from_row(row) for row in read_jsonl(path))


def read_samples(name: str, step: str) -> Iterator[Sample]:
    return (Sample.from_row(row) for row in read_jsonl(paths.step_rows(name, step)))


def read_verdicts(name: str, step: str) -> Iterator[Verdict]:
    return (Verdict.from_row(row) for row in read_jsonl(paths.step_ledger(name, step)))


def read_step(name: str, step: str) -> Step:
    return Step(step, read_verdicts(name, step), read_samples(name, step))


def write_step(name: str, step: str, outcomes: Iterable[Outcome]) -> None:
    """The ledger (one verdict a row that came in) and the rows that go on, in one pass over the outcomes."""
    with JsonlWriter(paths.step_ledger(name, step)) as ledger, JsonlWriter(paths.step_rows(name, step)) as rows:
        for outcome in outcomes:
            ledger.write(outcome.verdict.to_row())
            if outcome.sample:
                rows.write(outcome.sample.to_row())


def write_metrics(name: str, step: str, counted: dict) -> None:
    write_json(paths.step_metrics(name, step), counted)
