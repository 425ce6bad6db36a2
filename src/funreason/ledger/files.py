"""The files of the steps of a round, read and written: rows, ledger and metrics. `core.paths` names them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from funreason.core import paths
from funreason.core.jsonio import JsonlWriter, read_jsonl, write_details
from funreason.core.records import Sample, Task
from funreason.ledger.outcomes import StepFiles
from funreason.ledger.results import CheckResult


def read_tasks(path: str | Path) -> Iterator[Task]:
    """The tasks of a file."""
    return (Task.from_row(row) for row in read_jsonl(path))


def read_removed(path: str | Path) -> dict[str, str]:
    """Why tasks are removed, by their ids: with which benchmarks they overlap, and how."""
    reasons: dict[str, str] = {}
    for row in read_jsonl(path):
        one = f"{row['benchmark']} ({row['kind']})"
        before = reasons.get(row["id"])
        reasons[row["id"]] = f"{before}, {one}" if before else f"overlaps with {one}"
    return reasons


def row_ids(task: Task, samples: int, keep_response: bool) -> list[str]:
    """The ids of the rows that a task becomes: its own, numbered where several completions are drawn.

    Args:
        task: The task.
        samples: How many completions are drawn.
        keep_response: Whether a response of the source is kept, so that nothing is drawn.
    """
    if samples == 1 or (keep_response and task.response is not None):
        return [task.id]
    return [f"{task.id}#{number}" for number in range(samples)]


def read_samples(name: str, step: str) -> Iterator[Sample]:
    """The rows that a step of a round passed on."""
    return (Sample.from_row(row) for row in read_jsonl(paths.step_rows(name, step)))


def read_results(name: str, step: str) -> Iterator[CheckResult]:
    """The ledger of a step of a round."""
    return (CheckResult.from_row(row) for row in read_jsonl(paths.step_ledger(name, step)))


def read_step(name: str, step: str) -> StepFiles:
    """Both files of a step of a round."""
    return StepFiles(step, read_results(name, step), read_samples(name, step))


def write_step(name: str, step: str, results: Iterable[CheckResult]) -> None:
    """Write the files of a step in one pass over its results.

    Args:
        name: The round.
        step: The step.
        results: One per row that came in; those that go on carry their sample.
    """
    with JsonlWriter(paths.step_ledger(name, step)) as ledger, JsonlWriter(paths.step_rows(name, step)) as rows:
        for result in results:
            ledger.write(result.to_row())
            if result.goes_on and result.sample:
                rows.write(result.sample.to_row())


def write_metrics(name: str, step: str, metrics: dict) -> None:
    """Write the metrics of a step of a round."""
    write_details(paths.step_metrics(name, step), metrics)
