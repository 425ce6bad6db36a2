"""Goes through the tasks: which overlap with the benchmarks, and with what."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from funreason.calls.names import NameMap
from funreason.core import paths
from funreason.core.errors import DataError
from funreason.core.records import Task
from funreason.decontaminate.benchmarks import Benchmark
from funreason.decontaminate.matching import KINDS, Overlap, OverlapIndex


class Sorter:
    """Looks up tasks, one after the other, and counts what they share with benchmarks.

    Args:
        benchmarks: The benchmarks.
        kinds: The kinds of overlap that are looked for.
        ngram: See `OverlapIndex`.
        threshold: See `OverlapIndex`.
    """

    def __init__(self, benchmarks: Sequence[Benchmark], kinds: Sequence[str], ngram: int, threshold: float):
        self._benchmarks, self._kinds = benchmarks, kinds
        questions = (question for benchmark in benchmarks for question in benchmark.questions)
        tools = ((benchmark.name, tool) for benchmark in benchmarks for tool in benchmark.tools)
        self._index = OverlapIndex(questions, tools, ngram, threshold)
        self._tasks = 0
        self._overlapping: Counter[str] = Counter()  # benchmark, or "" for any → tasks
        self._kind_counts: Counter[tuple[str, str]] = Counter()  # (benchmark or "", kind) → tasks

    def sort(self, tasks: Iterable[Task], write: Callable[[dict[str, Any]], None]) -> None:
        """Look up tasks; write a row {"id", "benchmark", "kind", "entry", "shared"} for each overlap of each task."""
        for task in tasks:
            found = self.overlaps(task)
            self._count(found)
            for overlap in found:
                write({"id": task.id} | asdict(overlap))

    def overlaps(self, task: Task) -> list[Overlap]:
        """What a task, with the conversation before it, shares with the benchmarks."""
        said = [message["content"] for message in task.history if message["role"] == "user"]
        return self._index.find([*said, task.query], NameMap.from_row(task.names).undo_tools(task.tools), self._kinds)

    def _count(self, found: list[Overlap]) -> None:
        self._tasks += 1
        self._overlapping.update({overlap.benchmark for overlap in found} | ({""} if found else set()))
        kinds = {(overlap.benchmark, overlap.kind) for overlap in found}
        self._kind_counts.update(kinds | {("", kind) for _, kind in kinds})

    def metrics(self, mode: str) -> dict[str, Any]:
        """The counts of tasks, of all benchmarks together and of each, for the stage's metrics file."""
        overlapping = self._overlapping[""]
        return {
            "mode": mode,
            "tasks": self._tasks,
            "removed": overlapping if mode == "remove" else 0,
            "overlapping": overlapping,
            "kinds": self._kinds_of(""),
            "benchmarks": {benchmark.name: self._of(benchmark) for benchmark in self._benchmarks},
        }

    def _kinds_of(self, benchmark: str) -> dict[str, int]:
        return {kind: self._kind_counts[benchmark, kind] for kind in KINDS if kind in self._kinds}

    def _of(self, benchmark: Benchmark) -> dict[str, Any]:
        return {
            "questions": len(benchmark.questions),
            "unused_questions": self._index.unused[benchmark.name],
            "tools": len(benchmark.tools),
            "unread_tools": benchmark.unread_tools,
            "sha256": benchmark.sha256,
            "overlapping": self._overlapping[benchmark.name],
            "kinds": self._kinds_of(benchmark.name),
        }


def check_removed(metrics: dict[str, Any], max_removed: float) -> None:
    """Refuse to remove more tasks than is allowed.

    Args:
        metrics: As from `Sorter.metrics`.
        max_removed: The largest fraction of the tasks that may be removed.

    Raises:
        DataError: More are removed.
    """
    if metrics["removed"] > max_removed * metrics["tasks"]:
        kinds = ", ".join(f"{count} by {kind}" for kind, count in metrics["kinds"].items() if count)
        each = ", ".join(f"{found['overlapping']} with {name}" for name, found in metrics["benchmarks"].items())
        raise DataError(
            f"{metrics['removed']} of {metrics['tasks']} tasks overlap with the benchmarks ({each}; {kinds}), "
            f"decontaminate.max_removed allows a fraction of {max_removed}; look at {paths.OVERLAPS}, "
            "then leave out one of decontaminate.kinds, take other data, or raise max_removed"
        )
