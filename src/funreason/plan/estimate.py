"""What each stage would ask of models, from the metrics of the last run. Nothing is asked, nothing is written."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cache
from pathlib import Path

from tabulate import tabulate

from funreason.config import Params, PriceParams, RecipeParams
from funreason.core.jsonio import read_details
from funreason.core.paths import CHECKS, NOTHING, accuracy, round_of, step_metrics, train_metrics

EVALUATIONS = ("bfcl", "code")
BASE = "base"  # the untrained model, which is only evaluated


@dataclass(frozen=True)
class StageEstimate:
    """What a stage would do. A stage that asks no model has no requests; `rows` is 0 where a stage counts none."""

    stage: str
    rows: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def trains(self) -> bool:
        """Whether its tokens are those that a model is trained on, in all epochs."""
        return self.stage.startswith("train@") and bool(self.prompt_tokens)


@dataclass(frozen=True)
class FinishedRound:
    """A round whose metrics are at hand, and the parameters that it ran with."""

    name: str
    params: Params

    def counts(self, step: str) -> dict:
        """The metrics of a step. Raises DataError."""
        return read_details(step_metrics(self.name, step))

    def rows(self) -> int:
        """The samples that were written or given."""
        return self.counts("generate")["in"]


def measured(path: str | Path, stage: str, rows: float = 1.0, usage: float = 1.0) -> StageEstimate:
    """What a stage did the last time, scaled.

    Args:
        path: Its metrics.
        stage: The name of the estimate.
        rows: Factor for its rows.
        usage: Factor for its requests and tokens.

    Raises:
        DataError: The metrics are missing or damaged.
    """
    counts = read_details(path)
    used = counts["llm"]
    requests, prompt, completion = (
        round(used[key] * usage) for key in ("requests", "prompt_tokens", "completion_tokens")
    )
    return StageEstimate(stage, round(counts.get("in", 0) * rows), requests, prompt, completion)


def estimate_round(
    params: Params, recipe: RecipeParams, rows: int, like: FinishedRound, trained: int, again: bool
) -> dict[str, StageEstimate]:
    """The stages of a round, by name.

    Args:
        params: Parameters of the run to come.
        recipe: Of the round.
        rows: Samples that the round starts from.
        like: The round whose metrics are scaled.
        trained: Rows to train on.
        again: Whether it is the same round, so that rows that came with a response come with it again; another round
            generates a response for every row.

    Raises:
        DataError: Metrics of `like` are missing.
    """
    asked = rows / max(like.rows() if again else like.counts("generate")["llm"]["requests"], 1)
    generate = replace(measured(step_metrics(like.name, "generate"), "generate", usage=asked), rows=rows)
    checks = [_check(params, check, recipe, like, rows) for check in CHECKS]
    return _by_stage([generate, *checks, StageEstimate("train", trained), *evaluations(like.name)])


def rows_to_train(recipe: RecipeParams, like: FinishedRound, rows: int, replayed: int) -> int:
    """New rows, of which as large a fraction is kept as in `like`, and the fraction of `replayed` that is replayed."""
    return round(rows * like.counts("validate")["kept_fraction"] + recipe.replay_fraction * replayed)


def evaluations(name: str) -> list[StageEstimate]:
    """As the last time, whatever the benchmarks are now."""
    return [measured(accuracy(name, benchmark), f"evaluate_{benchmark}") for benchmark in EVALUATIONS]


def has_run(name: str) -> bool:
    """Whether the metrics of a round are complete."""
    files = [accuracy(name, benchmark) for benchmark in EVALUATIONS]
    files += [step_metrics(name, "validate"), train_metrics(name)] if name != BASE else []
    return all(Path(file).exists() for file in files)


def most_like(params: Params, recipe: str, after: str) -> str:
    """The newest round of the recipe that has run, else `after`."""
    same = [name for name, round_params in params.rounds.items() if round_params.recipe == recipe]
    return next((name for name in reversed(same) if Path(accuracy(name, "bfcl")).exists()), after)


class RunEstimates:
    """Estimates for all stages of the pipeline, by the last run of the same round, else of the round most like it."""

    def __init__(self, last: Params, params: Params):
        """`last` are the parameters of the last run, `params` those of the run to come."""
        self.last, self.params = last, params
        self._round = cache(self._estimate)

    def of(self, stage: str) -> StageEstimate:
        """The estimate of `cot@r0`; without counts where nothing comparable was measured."""
        step, _, name = stage.partition("@")
        if step.startswith("baseline_"):
            step, name = step.replace("baseline_", "evaluate_"), BASE
        known = self._round(name) if name else {}
        return replace(known[step], stage=stage) if step in known else StageEstimate(stage)

    def _estimate(self, name: str) -> dict[str, StageEstimate]:
        like = name if has_run(name) else self._like(name)
        if like is None:
            return {}
        if like == BASE:
            return _by_stage(evaluations(BASE))
        source, recipe = FinishedRound(like, self.last), self.params.recipe_of(name)
        rows = round(source.rows() * recipe.samples / self.last.recipe_of(like).samples)
        trained = rows_to_train(recipe, source, rows, self._replayed(name))
        return estimate_round(self.params, recipe, rows, source, trained, again=True)

    def _replayed(self, name: str) -> int:
        """The rows that another round is trained on, which `name` is trained on again."""
        replay = self.params.round_of(name).replay
        return self.of(f"train@{round_of(replay)}").rows if replay != NOTHING else 0

    def _like(self, name: str) -> str | None:
        if name == BASE:
            return None
        round_params = self.params.round_of(name)
        like = most_like(self.last, round_params.recipe, round_params.init)
        return like if like != BASE and like in self.last.rounds and has_run(like) else None


def cost(prices: PriceParams, estimates: Iterable[StageEstimate]) -> float:
    """Money at llm.prices, which are per million tokens."""
    whole = total(estimates)
    return (whole.prompt_tokens * prices.prompt + whole.completion_tokens * prices.completion) / 1e6


def total(estimates: Iterable[StageEstimate]) -> StageEstimate:
    """The sum. Rows are not added: the same ones pass through many stages."""
    counts = [astuple(estimate)[2:] for estimate in estimates]
    return StageEstimate("total", 0, *(sum(column) for column in zip(*counts, strict=True)))


def table(
    estimates: Sequence[StageEstimate], because: list[str] | None = None, beside: dict[str, list[str]] | None = None
) -> str:
    """The estimates for people, with a line of totals.

    Args:
        estimates: One line each.
        because: A text per line, for a column after the name of the stage.
        beside: Further columns on the right, by header; the last text of each stands in the line of totals.
    """
    lines = [astuple(estimate) for estimate in (*estimates, total(estimates))] if estimates else []
    cells = [[stage, *(f"{count:,}" if count else "" for count in counts)] for stage, *counts in lines]
    headers, left = ["stage", "rows", "requests", "prompt tokens", "completion tokens"], 1
    if because is not None:
        headers.insert(1, "because")
        left += 1
        for line, reason in zip(cells, [*because, ""], strict=False):
            line.insert(1, reason)
    for header, column in (beside or {}).items():
        headers.append(header)
        for line, text in zip(cells, column, strict=True):
            line.append(text)
    align = ["left"] * left + ["right"] * (len(headers) - left)
    return tabulate(cells, headers, "simple", disable_numparse=True, colalign=align)


def _by_stage(estimates: Iterable[StageEstimate]) -> dict[str, StageEstimate]:
    return {estimate.stage: estimate for estimate in estimates}


def _check(params: Params, check: str, recipe: RecipeParams, like: FinishedRound, rows: int) -> StageEstimate:
    """As many requests and tokens per row of the round as in `like`, by as many judges as the panel has now."""
    fraction = rows / max(like.rows(), 1)
    judges = _judges(params, check, recipe) / _judges(like.params, check, like.params.recipe_of(like.name))
    return measured(step_metrics(like.name, check), check, fraction, fraction * judges)


def _judges(params: Params, check: str, recipe: RecipeParams) -> int:
    return len((recipe.panel or params.fcdr.panels()[check]).judges)
