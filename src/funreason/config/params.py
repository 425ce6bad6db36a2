"""The typed schema of params.yaml as a whole; its blocks are in blocks.py, rounds.py and training.py.

No field has a default: params.yaml is complete, so that DVC sees every parameter and `-S` can set it. Types are strict
("3" is not 3), and an unknown key is refused with the nearest known one. Units, ranges and the papers' values are
comments in params.yaml.
"""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from funreason.config.blocks import (
    Block,
    DataParams,
    DecontaminateParams,
    FcdrParams,
    GenerateParams,
    JudgeParams,
    LlmParams,
    ModelsParams,
    Name,
    PrepareParams,
    ToyParams,
    ValidateParams,
)
from funreason.config.grpo import GrpoParams, check_grpo
from funreason.config.messages import describe
from funreason.config.renames import REMEDY, old_names
from funreason.config.rounds import GateParams, RecipeParams, RecipesParams, RoundParams, check_chain, check_panel
from funreason.config.training import EvaluateParams, LossParams, TrainParams
from funreason.config.yamlio import read_yaml
from funreason.core.errors import ParamsError
from funreason.core.paths import PARAMS, model_folder

SHOWN = 5  # renamed keys in a message


class Params(Block):
    """All parameters of the pipeline."""

    toy: ToyParams
    models: ModelsParams
    data: DataParams
    prepare: PrepareParams
    decontaminate: DecontaminateParams
    llm: LlmParams
    generate: GenerateParams
    judge: JudgeParams
    fcdr: FcdrParams
    validate_: Annotated[ValidateParams, Field(alias="validate")]  # pydantic has a `validate` of its own
    rounds: Annotated[dict[Name, RoundParams], Field(min_length=1)]
    recipes: RecipesParams
    gate: GateParams
    loss: LossParams
    train: TrainParams
    grpo: GrpoParams
    evaluate: EvaluateParams

    @model_validator(mode="after")
    def _panels(self) -> Self:
        known = list(self.models.judges)
        for check, panel in self.fcdr.panels().items():
            check_panel(f"fcdr.{check}", panel.judges, known, self.judge.temperature)
        for key, other in self.recipes.panels().items():
            check_panel(key, other.judges, known, other.temperature)
        return self

    @model_validator(mode="after")
    def _models_by_name(self) -> Self:
        """A price or a method under any other name would silently do nothing."""
        models = [self.models.teacher, *self.models.judges.values(), self.models.base]
        names = {name for model in models if (name := model.path or model.hub or self.llm.server.model)}
        names |= {model_folder(name) for name in self.rounds}
        for key, named in (("prices.models", self.llm.prices.models), ("quantization", self.llm.quantization)):
            if strange := sorted(set(named) - names):
                raise ValueError(f"llm.{key} names {strange[0]!r}, the models are {sorted(names)}")
        return self

    @model_validator(mode="after")
    def _chain(self) -> Self:
        check_chain(self.rounds, self.recipes.hdr.max_rounds)
        return self

    @model_validator(mode="after")
    def _methods(self) -> Self:
        if any(self.recipe_of(name).method == "grpo" for name in self.rounds):
            check_grpo(self.grpo, self.train)
        return self

    def round_of(self, name: str) -> RoundParams:
        """The parameters of a round. Raises ParamsError where params.yaml has no round of this name."""
        if name not in self.rounds:
            raise ParamsError(f"params.yaml has no round {name!r}; its rounds are {', '.join(self.rounds)}")
        return self.rounds[name]

    def recipe_of(self, name: str) -> RecipeParams:
        """The parameters of a round's recipe. Raises ParamsError where params.yaml has no round of this name."""
        recipe: RecipeParams = getattr(self.recipes, self.round_of(name).recipe)
        return recipe


def load_params(path: str | Path = PARAMS) -> Params:
    """Read and check the whole of params.yaml. Raises ParamsError naming every wrong key on one line."""
    return check_params(read_yaml(path), path)


def check_params(values: Any, where: str | Path) -> Params:
    """Check values that were read already.

    Args:
        values: the content of the file.
        where: the file, for the message.

    Raises:
        ParamsError: naming every wrong key on one line; renamed keys alone, if there are any.
    """
    if renamed := old_names(values):
        more = f"; and {len(renamed) - SHOWN} more" if len(renamed) > SHOWN else ""
        raise ParamsError(f"{where}: {'; '.join(renamed[:SHOWN])}{more}; {REMEDY}")
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise ParamsError(f"{where}: {describe(error, Params)}") from None
