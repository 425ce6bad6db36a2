"""The blocks `rounds`, `recipes` and `gate` of params.yaml.

`rounds` is the chain of training rounds, `recipes` says how a round of each recipe is made, and `gate` when a trained
model is too weak for the rounds after it.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from funreason.config.blocks import Block, Count, Fraction, Name, Temperature
from funreason.core.paths import NOTHING, TASKS, hard_pool, round_of, train_rows

RESERVED = {"base", "toy", "judges", "lambda_sweep", "teacher"}  # other files of the project have these names

RecipeName = Literal["distill", "self_refine", "hdr"]


class RoundParams(Block):
    """rounds.*: one round of the chain."""

    recipe: RecipeName
    tasks: str
    generator: Name
    init: Name
    replay: str


class PanelParams(Block):
    """recipes.*.panel: replaces the panels of fcdr."""

    judges: Annotated[list[Name], Field(min_length=1)]
    rule: Literal["any", "majority", "unanimous"] | Annotated[float, Field(gt=0, le=1)]
    temperature: Temperature
    max_regen: Annotated[int, Field(ge=0)]


class RecipeParams(Block):
    """recipes.*: how the rounds of a recipe are made."""

    samples: Count
    temperature: Temperature
    agreement: Fraction
    selection: Literal["all", "first", "shortest", "best"]
    replay_fraction: Fraction
    method: Literal["sft", "grpo"]
    panel: PanelParams | None

    @model_validator(mode="after")
    def _several(self) -> Self:
        if self.agreement and self.samples == 1:
            raise ValueError(
                f"agreement is {self.agreement:g} with samples 1; one sample agrees with itself, draw more"
            )
        return self


class HdrParams(RecipeParams):
    """recipes.hdr."""

    max_rounds: Count


class RecipesParams(Block):
    """recipes: by name."""

    distill: RecipeParams
    self_refine: RecipeParams
    hdr: HdrParams

    def panels(self) -> dict[str, PanelParams]:
        """The panels that replace the one of `fcdr`, by their key in params.yaml."""
        return {f"recipes.{name}.panel": recipe.panel for name, recipe in self if recipe.panel}


class GateParams(Block):
    """gate: when a model is too weak for later rounds."""

    measure: Literal["toy", "bfcl"]
    max_regression: Fraction


def check_panel(key: str, judges: list[str], known: Iterable[str], temperature: float) -> None:
    """Check that every judge of a panel is defined, and that two seats of one judge can differ.

    Args:
        key: the panel's key in params.yaml, for the message.
        judges: the names of its judges, one per seat.
        known: the names in `models.judges`.
        temperature: the sampling temperature of the judges.

    Raises:
        ValueError: a judge is not in `known`, or one judge has two seats and is greedy.
    """
    known = list(known)
    if unknown := [name for name in judges if name not in known]:
        raise ValueError(f"{key}.judges names {unknown[0]!r}, models.judges has {known}")
    if len(set(judges)) < len(judges) and not temperature:
        raise ValueError(f"{key}.judges is {judges}: a greedy judge always votes alike; set its temperature above 0")


def check_chain(rounds: Mapping[str, RoundParams], max_hdr_rounds: int) -> None:
    """Check that a round builds only on earlier ones; DVC would report no more than a cycle or a missing file.

    Args:
        rounds: the parameters of the rounds, in the order of the chain.
        max_hdr_rounds: HDR rounds that are allowed on one pool.

    Raises:
        ValueError: a name is reserved, a key names a later round, or one pool has too many HDR rounds.
    """
    if reserved := RESERVED & set(rounds):
        raise ValueError(f"rounds.{min(reserved)}: other files of the project have this name; choose another one")
    models, replays, tasks = ["base"], [NOTHING], [TASKS]
    for name, params in rounds.items():
        allowed = {
            "tasks": tasks[1:] if params.recipe == "hdr" else tasks,
            "generator": ["teacher"] if params.recipe == "distill" else models,
            "init": models,
            "replay": replays,
        }
        for key, values in allowed.items():
            if (value := getattr(params, key)) not in values:
                raise ValueError(f"rounds.{name}.{key} is {value!r}, allowed here are {values}")
        if params.recipe == "hdr" and (number := _hdr_round(rounds, name)) > max_hdr_rounds:
            raise ValueError(f"rounds.{name} is HDR round {number}, recipes.hdr.max_rounds allows {max_hdr_rounds}")
        models, replays = [*models, name], [*replays, train_rows(name)]
        tasks = [*tasks, hard_pool(name)]


def _hdr_round(rounds: Mapping[str, RoundParams], name: str) -> int:
    """The number of HDR rounds that the pool of an HDR round has gone through, including this one."""
    before = round_of(rounds[name].tasks)
    return 1 + (_hdr_round(rounds, before) if rounds[before].recipe == "hdr" else 0)
