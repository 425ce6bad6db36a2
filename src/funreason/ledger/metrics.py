"""The round metrics, counted as the rows of a finished round pass by."""

from collections import Counter
from collections.abc import Sequence

from funreason.ledger.outcomes import OUTCOMES, RowHistory
from funreason.ledger.planted import NONE, Labels, PlantedMetrics


def mean(total: int, rows: int) -> float:
    """The mean of whole numbers as metrics have it: rounded, and whole where it is."""
    return total // rows if total % rows == 0 else round(total / rows, 2)


def reason_counts(reasons: Counter[str]) -> dict[str, int]:
    """Rows per reason, sorted, without the empty reason."""
    return dict(sorted((reason, count) for reason, count in reasons.items() if reason))


class RoundMetrics:
    """Counts row histories and keeps none.

    Args:
        steps: The names of the steps in their order, validate last.
        labels: The planted defects.
    """

    def __init__(self, steps: Sequence[str], labels: Labels):
        self.steps = steps
        self.queries = self.solved = self.hard = self.rows = 0  # hard: queries left to HDR
        self.outcomes: Counter[str] = Counter()
        self.went_on: Counter[str] = Counter()  # step → rows that are left after it
        self.planted = PlantedMetrics(labels)
        self.reached = self.repeated = 0  # rows that came to the last step, and those that it dropped
        self.reasoning, self.answers = Lengths(), Lengths()

    def add(self, task: str, histories: list[RowHistory], given: bool) -> None:
        """Count the rows of one query.

        Args:
            task: The id of the task.
            histories: What happened to its rows.
            given: Whether its response came with the source.
        """
        self.queries += 1
        self.solved += any(history.passed for history in histories)
        for history in histories:
            self._add(task, history, given)

    def _add(self, task: str, history: RowHistory, given: bool) -> None:
        outcome, steps = history.outcome(), list(zip(self.steps, history.results, strict=False))
        self.rows += 1
        self.outcomes[outcome.name] += 1
        self.went_on.update([step for step, _ in steps[:-1]] + [steps[-1][0]] * history.goes_on)
        mended = [step for step, result in steps if result.action == "regenerate"]
        self.planted.add(self.planted.labels.group(task, given), outcome, mended[-1] if mended else NONE)
        reached_last = len(steps) == len(self.steps)
        self.reached += reached_last
        self.repeated += reached_last and history.results[-1].action == "drop"
        if history.goes_on and history.sample and history.sample.kind == "call":
            if history.sample.cot:
                self.reasoning.add(history.sample.cot)
            self.answers.add(history.sample.answer)

    def outcome_counts(self) -> dict[str, int]:
        """Rows per outcome."""
        return {name: self.outcomes[name] for name in OUTCOMES}

    def funnel(self) -> list[dict]:
        """[{"step", "rows"}]: how many rows are left after each step, from those that came in."""
        left = [{"step": step, "rows": self.went_on[step]} for step in self.steps]
        return [{"step": "tasks", "rows": self.rows}, *left]

    def metrics(self, problems: Counter[str]) -> dict:
        """The counts, for the metrics file of validate.

        `kept_fraction` is what goes on to training; lengths are in characters, of the qualified rows that
        have a reasoning, and of their calls.

        Args:
            problems: Rows per kind of misfit with the tools' schemas.
        """
        out = self.went_on[self.steps[-1]]
        return {
            "in": self.reached,
            "out": out,
            "rows": self.rows,
            "queries": {"in": self.queries, "solved": self.solved, "hard": self.hard},
            "outcomes": self.outcome_counts(),
            "kept_fraction": round(out / self.rows, 4) if self.rows else 0.0,
            "schema_problems": dict(sorted(problems.items())),
            "duplicates": self.repeated,
            "reasoning_chars": self.reasoning.metrics(),
            "answer_chars": self.answers.metrics(),
        }


class Lengths:
    """Mean and median of the lengths of texts; how often each length came is all that is kept."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, text: str) -> None:
        """Count one text."""
        self.counts[len(text)] += 1

    def metrics(self) -> dict[str, float]:
        """{"mean", "median"} in characters."""
        if not self.counts:
            return {"mean": 0, "median": 0.0}
        rows, total = self.counts.total(), sum(length * count for length, count in self.counts.items())
        return {"mean": mean(total, rows), "median": (self._at((rows - 1) // 2) + self._at(rows // 2)) / 2}

    def _at(self, place: int) -> int:
        """The length at a place of the sorted list."""
        for length, count in sorted(self.counts.items()):
            place -= count
            if place < 0:
                return length
        raise IndexError(place)
