"""Typed parameters: the one reader of params.yaml, and the one list of what may stand in it.

No field has a default: params.yaml is complete, so that DVC sees every knob and `-S` can set it. Types are
strict ("3" is not 3), unknown keys are refused with the nearest known one. Units, ranges and the papers'
values are comments in params.yaml. The blocks are in blocks.py, rounds.py and training.py.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from funreason.config.blocks import (
    Block,
    CheckParams,
    DataParams,
    FcdrParams,
    GenerateParams,
    JudgeParams,
    LlmParams,
    MendingCheckParams,
    ModelParams,
    ModelsParams,
    MultiTurnParams,
    Name,
    PrepareParams,
    PriceParams,
    PricesParams,
    RayParams,
    ServerParams,
    ToyParams,
    ValidateParams,
)
from funreason.config.messages import describe
from funreason.config.rounds import (
    GateParams,
    PanelParams,
    RecipeParams,
    RecipesParams,
    RoundParams,
    check_chain,
    check_panel,
)
from funreason.config.training import EvaluateParams, LoraParams, LossParams, TrainParams
from funreason.core.errors import ParamsError
from funreason.core.paths import NOTHING, model_folder

# The blocks are to be had from here: where they stand is a matter of length.
__all__ = [
    "NOTHING", "CheckParams", "DataParams", "FcdrParams", "JudgeParams", "RecipeParams", "LlmParams", "LoraParams",
    "LossParams", "MendingCheckParams", "ModelParams", "MultiTurnParams", "PanelParams", "Params", "PriceParams",
    "PricesParams", "RayParams", "ServerParams", "RoundParams", "TrainParams", "check_params", "load_params",
    "read_yaml", "yaml",
]  # fmt: skip


class Params(Block):
    toy: ToyParams
    models: ModelsParams
    data: DataParams
    prepare: PrepareParams
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
    evaluate: EvaluateParams

    @model_validator(mode="after")
    def _panels(self):
        known = list(self.models.judges)
        for check, panel in self.fcdr.panels().items():
            check_panel(f"fcdr.{check}", panel.judges, known, self.judge.temperature)
        for where, panel in self.recipes.panels().items():
            check_panel(where, panel.judges, known, panel.temperature)
        return self

    @model_validator(mode="after")
    def _priced(self):
        """A price is for a model that is asked: of another name it would silently be no price at all."""
        chosen = [self.models.teacher, *self.models.judges.values(), self.models.base]
        names = {model.path or model.hub or self.llm.server.model for model in chosen} - {None}
        names |= {model_folder(name) for name in self.rounds}
        if strange := sorted(set(self.llm.prices.models) - names):
            raise ValueError(f"llm.prices.models names {strange[0]!r}, the models are {sorted(names)}")
        return self

    @model_validator(mode="after")
    def _chain(self):
        check_chain(self.rounds, self.recipes.hdr.max_rounds)
        return self

    def round_of(self, name: str) -> RoundParams:
        """The parameters of a round. Raises ParamsError for a round that params.yaml does not have."""
        if name not in self.rounds:
            raise ParamsError(f"no round {name!r} in params.yaml, which has {', '.join(self.rounds)}")
        return self.rounds[name]

    def recipe_of(self, name: str) -> RecipeParams:
        """How a round is made, by its recipe. Raises ParamsError for a round that params.yaml does not have."""
        return getattr(self.recipes, self.round_of(name).recipe)


def load_params(path: str | Path = "params.yaml") -> Params:
    """Read and check the whole of params.yaml. Raises ParamsError naming every bad key on one line."""
    return check_params(read_yaml(path), path)


def check_params(values: Any, where: str | Path) -> Params:
    """Check values already read; `where` is the file named in the message."""
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise ParamsError(f"{where}: {describe(error, Params)}") from None


def read_yaml(path: str | Path, typ: str = "safe"):
    """Read YAML 1.2, in which the 2e-05 that `dvc exp run -S` writes is a number (a text for PyYAML, 1.1)."""
    try:
        with open(path, encoding="utf-8") as file:
            return yaml(typ).load(file)
    except FileNotFoundError:
        raise ParamsError(f"{path} does not exist; run in the folder that holds dvc.yaml") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None


def _null(representer, _):
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def yaml(typ: str = "rt") -> YAML:
    """The project's one YAML dialect; "rt" keeps comments and the layout of params.yaml."""
    dialect = YAML(typ=typ)
    dialect.width, dialect.preserve_quotes = 4096, True
    # ruamel leaves null values blank, which reads as an accident
    dialect.representer.add_representer(type(None), _null)
    return dialect
