"""What one more round would run and cost, by what the last one did. Nothing is asked, nothing is written."""

from dataclasses import asdict, dataclass

from funreason.config import Params, RoundParams, read_yaml
from funreason.config.rounds import check_chain
from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.core.paths import NOTHING, TASKS, hard_pool, train_rows
from funreason.plan.estimate import Measured, Work, cost, estimate, metrics_file, table, trained

LETTERS = {"self_refine": "r", "hdr": "h"}  # what the names of rounds begin with


@dataclass(frozen=True)
class Plan:
    """`line` goes into `rounds` of params.yaml; `like` is the set whose measurements were taken."""

    name: str
    line: str
    like: str
    stages: list[Work]
    cost: float

    def to_row(self) -> dict:
        return asdict(self)


def plan(params: Params, recipe: str, after: str | None = None) -> Plan:
    """The next round of a recipe (self_refine or hdr) on the model of `after` (None: the last set). Raises DataError."""
    after = after or list(params.rounds)[-1]
    params.round_of(after)
    name, chosen = _next(params, recipe, after)
    like = Measured(measured(params, recipe, after), params)
    how = getattr(params.recipes, recipe)
    rows = sum(1 for _ in read_jsonl(chosen.tasks)) * how.samples
    earlier = sum(1 for _ in read_jsonl(chosen.replay))
    known = estimate(params, how, rows, like, trained(how, like, rows, earlier), again=False)
    stages = [Work(f"{step}@{name}", **known.get(step, Work(step)).counts()) for step in _looped()]
    flow = ", ".join(f"{key}: {value}" for key, value in chosen.model_dump().items())
    return Plan(name, f"{name}: {{{flow}}}", like.name, stages, cost(params.llm.prices, stages))


def text(found: Plan) -> str:
    """The plan for people."""
    return (
        f"{table(found.stages)}\n\n"
        f"Estimated from what {found.like} did; answers that the cache holds are not asked for again.\n"
        f"Cost at llm.prices: {found.cost:.2f}. To run it, put this line under `rounds` in params.yaml, then dvc repro:\n"
        f"  {found.line}"
    )


def measured(params: Params, recipe: str, after: str) -> str:
    """The newest round of the recipe that has run, else `after`."""
    same = [
        name for name, chosen in params.rounds.items() if chosen.recipe == recipe and metrics_file(name, "bfcl").exists()
    ]
    return same[-1] if same else after


def _next(params: Params, recipe: str, after: str) -> tuple[str, RoundParams]:
    again = recipe == "self_refine"
    chosen = RoundParams(
        recipe=recipe, tasks=TASKS if again else hard_pool(after), generator=after, init=after,
        replay=train_rows(after) if again else NOTHING,
    )  # fmt: skip
    names = (f"{LETTERS[recipe]}{number}" for number in range(1, len(params.rounds) + 2))
    name = next(name for name in names if name not in params.rounds)
    try:
        check_chain({**params.rounds, name: chosen}, params.recipes.hdr.max_rounds)
    except ValueError as error:
        raise DataError(f"no further round after {after}: {error}") from None
    if not any(read_jsonl(chosen.tasks)):
        raise DataError(f"no further round after {after}: {chosen.tasks} is empty, nothing is left to sample")
    return name, chosen


def _looped() -> list[str]:
    """The stages that every set has."""
    return [name for name, stage in read_yaml("dvc.yaml")["stages"].items() if "foreach" in stage]
