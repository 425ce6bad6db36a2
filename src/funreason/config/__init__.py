"""The typed schema of params.yaml and its profiles. Import the blocks and readers from here, not from the modules."""

from funreason.config.blocks import (
    Block,
    CheckParams,
    Count,
    DataParams,
    FcdrParams,
    GenerateParams,
    JudgeParams,
    LlmParams,
    MendingCheckParams,
    ModelParams,
    MultiTurnParams,
    Name,
    PriceParams,
    PricesParams,
    RayParams,
    ServerParams,
    VerifierParams,
    WatchParams,
)
from funreason.config.grpo import GrpoParams
from funreason.config.params import Params, check_params, load_params
from funreason.config.rounds import PanelParams, RecipeParams, RoundParams
from funreason.config.training import LoraParams, LossParams, TrainParams
from funreason.config.yamlio import read_yaml, yaml

__all__ = [
    "Block", "CheckParams", "Count", "DataParams", "FcdrParams", "GenerateParams", "GrpoParams", "JudgeParams",
    "LlmParams",
    "LoraParams", "LossParams", "MendingCheckParams", "ModelParams", "MultiTurnParams", "Name", "PanelParams", "Params",
    "PriceParams", "PricesParams", "RayParams", "RecipeParams", "RoundParams", "ServerParams", "TrainParams",
    "VerifierParams", "WatchParams",
    "check_params", "load_params", "read_yaml", "yaml",
]  # fmt: skip
