"""What one more round would run and cost, by the metrics of the last one. Nothing is asked, nothing is written."""

from dataclasses import asdict, dataclass, replace
from typing import Literal

from funreason.config import Params, RoundParams, read_yaml
from funreason.config.rounds import check_chain
from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.core.paths import NOTHING, TASKS, hard_pool, train_rows
from funreason.plan.estimate import (
    FinishedRound,
    StageEstimate,
    cost,
    estimate_round,
    most_like,
    rows_to_train,
    table,
)
from funreason.plan.provenance import foreign_counts

FurtherRecipe = Literal["self_refine", "hdr"]
LETTERS: dict[FurtherRecipe, str] = {"self_refine": "r", "hdr": "h"}  # what the names of rounds begin with


@dataclass(frozen=True)
class RoundPlan:
    """The next round.

    Attributes:
        name: A name that no round has.
        line: What to put under `rounds` in params.yaml.
        like: The round whose metrics are scaled.
        stages: What its stages would do.
        cost: Money at llm.prices.
        warnings: Where the metrics come from other models than those of params.yaml.
    """

    name: str
    line: str
    like: str
    stages: list[StageEstimate]
    cost: float
    warnings: list[str]

    def to_row(self) -> dict:
        """As JSON."""
        return asdict(self)


def plan_round(params: Params, recipe: FurtherRecipe, after: str | None = None) -> RoundPlan:
    """Plan the next round.

    Args:
        params: The parameters of the last run.
        recipe: Of the next round.
        after: The round whose model it starts from; the last one by default.

    Raises:
        DataError: There is no such round, it has not run, or no further round is possible.
    """
    after = after or list(params.rounds)[-1]
    params.round_of(after)
    name, round_params = _next(params, recipe, after)
    like = FinishedRound(most_like(params, recipe, after), params)
    recipe_params = getattr(params.recipes, recipe)
    rows = sum(1 for _ in read_jsonl(round_params.tasks)) * recipe_params.samples
    replayed = sum(1 for _ in read_jsonl(round_params.replay))
    trained = rows_to_train(recipe_params, like, rows, replayed)
    known = estimate_round(params, recipe_params, rows, like, trained, again=False)
    stages = [replace(known.get(step, StageEstimate(step)), stage=f"{step}@{name}") for step in _stages_of_rounds()]
    keys = ", ".join(f"{key}: {value}" for key, value in round_params.model_dump().items())
    return RoundPlan(
        name, f"{name}: {{{keys}}}", like.name, stages, cost(params.llm.prices, stages), foreign_counts(params)
    )


def plan_text(plan: RoundPlan) -> str:
    """The plan for people."""
    warnings = "".join(f"warning: {text}\n" for text in plan.warnings)
    return (
        f"{warnings}{table(plan.stages)}\n\n"
        f"Estimated from the metrics of {plan.like}; responses in the cache are not asked for again.\n"
        f"Cost at llm.prices: {plan.cost:.2f}. To run it, put the line below under `rounds`, then `dvc repro`:\n"
        f"  {plan.line}"
    )


def _next(params: Params, recipe: FurtherRecipe, after: str) -> tuple[str, RoundParams]:
    refines = recipe == "self_refine"
    round_params = RoundParams(
        recipe=recipe, tasks=TASKS if refines else hard_pool(after), generator=after, init=after,
        replay=train_rows(after) if refines else NOTHING,
    )  # fmt: skip
    names = (f"{LETTERS[recipe]}{number}" for number in range(1, len(params.rounds) + 2))
    name = next(name for name in names if name not in params.rounds)
    try:
        check_chain({**params.rounds, name: round_params}, params.recipes.hdr.max_rounds)
    except ValueError as error:
        raise DataError(f"no further round after {after}: {error}") from None
    if not any(read_jsonl(round_params.tasks)):
        raise DataError(f"no further round after {after}: {round_params.tasks} is empty, nothing is left to sample")
    return name, round_params


def _stages_of_rounds() -> list[str]:
    return [name for name, stage in read_yaml("dvc.yaml")["stages"].items() if "foreach" in stage]
