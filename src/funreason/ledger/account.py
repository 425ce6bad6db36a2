"""The numbers of a finished set, counted as its rows pass by."""

from collections import Counter

from funreason.ledger.outcome import mean
from funreason.ledger.planted import NONE, Labels, Planted
from funreason.ledger.pools import FATES, Way


class Account:
    """Counts ways and keeps none. `steps` are the names of the steps in their order, validate the last."""

    def __init__(self, steps: list[str], labels: Labels):
        self.steps = steps
        self.queries = self.solved = self.hard = self.rows = 0  # hard: queries left to HDR
        self.fates: Counter[str] = Counter()
        self.went_on: Counter[str] = Counter()  # step → rows that are left after it
        self.planted = Planted(labels)
        self.reached = self.repeated = 0  # rows that came to the last step, and those that it dropped
        self.reasoning, self.answers = Lengths(), Lengths()

    def add(self, task: str, ways: list[Way], given: bool) -> None:
        """The ways of one query; `given`: its response came with the source."""
        self.queries += 1
        self.solved += any(way.passed for way in ways)
        for way in ways:
            self._add(task, way, given)

    def _add(self, task: str, way: Way, given: bool) -> None:
        fate, steps = way.fate(), list(zip(self.steps, way.verdicts, strict=False))
        self.rows += 1
        self.fates[fate.fate] += 1
        self.went_on.update([step for step, _ in steps[:-1]] + [steps[-1][0]] * way.goes_on)
        mended = [step for step, verdict in steps if verdict.action == "regenerate"]
        self.planted.add(self.planted.labels.group(task, given), fate, mended[-1] if mended else NONE)
        last = len(steps) == len(self.steps)
        self.reached += last
        self.repeated += last and way.verdicts[-1].action == "drop"
        if way.goes_on and way.sample.kind == "call":
            self.reasoning.add(way.sample.cot)
            self.answers.add(way.sample.answer)

    def counted(self) -> dict[str, int]:
        return {name: self.fates[name] for name in FATES}

    def funnel(self) -> list[dict]:
        """[{"step", "rows"}]: how many rows are left after each step, from those that came in."""
        left = [{"step": step, "rows": self.went_on[step]} for step in self.steps]
        return [{"step": "tasks", "rows": self.rows}, *left]

    def metrics(self, problems: Counter[str]) -> dict:
        """`kept_fraction` is what goes on to training; lengths are in characters, of the qualified rows."""
        out = self.went_on[self.steps[-1]]
        return {
            "in": self.reached,
            "out": out,
            "rows": self.rows,
            "queries": {"in": self.queries, "solved": self.solved, "hard": self.hard},
            "fates": self.counted(),
            "kept_fraction": round(out / self.rows, 4) if self.rows else 0.0,
            "schema_problems": dict(sorted(problems.items())),
            "duplicates": self.repeated,
            "reasoning_chars": self.reasoning.metrics(),
            "answer_chars": self.answers.metrics(),
        }


class Lengths:
    """Mean and median of the lengths of texts; how often each length came is all that is kept."""

    def __init__(self):
        self.counts: Counter[int] = Counter()

    def add(self, text: str) -> None:
        self.counts[len(text)] += 1

    def metrics(self) -> dict[str, float]:
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
