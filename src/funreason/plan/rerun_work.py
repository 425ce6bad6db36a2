"""How much each stage of the pipeline would ask, by the metrics of its own last run, else of the set most like it."""

from functools import cache

from funreason.config import Params
from funreason.core.paths import NOTHING, round_of
from funreason.plan.estimate import BASE, Measured, Work, estimate, evaluations, has_run, trained
from funreason.plan.round import measured


class Estimates:
    """`was`: the parameters of the last run; `params`: those of the run to come."""

    def __init__(self, was: Params, params: Params):
        self.was, self.params = was, params
        self._set = cache(self._estimate)

    def work(self, stage: str) -> Work:
        """Zeros where nothing comparable was measured."""
        step, _, name = stage.partition("@")
        if step.startswith("baseline_"):
            step, name = step.replace("baseline_", "evaluate_"), BASE
        return Work(stage, **self._set(name).get(step, Work(stage)).counts() if name else {})

    def _estimate(self, name: str) -> dict[str, Work]:
        like = name if has_run(name) else self._like(name)
        if like is None:
            return {}
        if like == BASE:
            return {one.stage: one for one in evaluations(Measured(BASE, self.was))}
        source, kind = Measured(like, self.was), self.params.recipe_of(name)
        rows = round(source.rows() * kind.samples / self.was.recipe_of(like).samples)
        return estimate(self.params, kind, rows, source, trained(kind, source, rows, self._earlier(name)), again=True)

    def _earlier(self, name: str) -> int:
        """The rows of the set whose rows `name` is trained on again: as many as that one is itself trained on."""
        earlier = self.params.round_of(name).replay
        return self._set(round_of(earlier)).get("train", Work("train")).rows if earlier != NOTHING else 0

    def _like(self, name: str) -> str | None:
        """The newest set of the same kind that has run, else the one it builds on."""
        if name == BASE:
            return None
        chosen = self.params.round_of(name)
        found = measured(self.was, chosen.recipe, chosen.init)
        return found if found != BASE and found in self.was.rounds and has_run(found) else None
