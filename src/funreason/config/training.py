"""The blocks of params.yaml for training and evaluation. Their fields are explained there."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from funreason.config.blocks import Block, Count, Fraction, Seconds, Seed
from funreason.srml.adaptive import check_rule, check_start  # needs no torch

BfclCategory = Literal[
    "simple_python", "simple_java", "simple_javascript", "multiple", "parallel", "parallel_multiple",
    "irrelevance", "live_simple", "live_multiple", "live_parallel", "live_parallel_multiple",
    "live_irrelevance", "live_relevance", "multi_turn_base", "multi_turn_miss_func", "multi_turn_miss_param",
    "multi_turn_long_context", "non_live", "live", "single_turn", "multi_turn",
    "format_sensitivity", "memory_kv", "memory_vector", "memory_rec_sum", "memory", "web_search_base",
    "web_search_no_snippet", "web_search", "agentic",
]  # fmt: skip


class SsbParams(Block):
    """loss.ssb: the learned lambda of BalanceSFT."""

    rule: Literal["anchored", "plain"]
    rate: float
    anchor: float
    min: float
    max: float

    @model_validator(mode="after")
    def _rule(self) -> Self:
        check_rule(self.rate, self.anchor, self.min, self.max)
        return self


class LossParams(Block):
    """loss: the loss and its lambda."""

    kind: Literal["msl", "ssb", "sft"]
    lambda_: Annotated[float, Field(alias="lambda", gt=0, lt=1)]
    reduction: Literal["batch", "sample"]
    ssb: SsbParams

    @model_validator(mode="after")
    def _start(self) -> Self:
        if self.kind == "ssb":
            check_start(self.lambda_, self.ssb.min, self.ssb.max)
        return self


class LoraParams(Block):
    """train.lora: adapters."""

    rank: Annotated[int, Field(ge=0)]
    alpha: Count
    dropout: Annotated[float, Field(ge=0, lt=1)]
    quantize: bool

    @model_validator(mode="after")
    def _adapters(self) -> Self:
        if self.quantize and not self.rank:
            raise ValueError("quantized weights cannot be trained; set rank above 0, or quantize to false")
        return self


class TrainParams(Block):
    """train: the training of a round."""

    learning_rate: Annotated[float, Field(gt=0, lt=1)]
    epochs: Annotated[float, Field(gt=0)]
    batch_size: Count
    micro_batch_size: Count
    warmup_ratio: Fraction
    weight_decay: Annotated[float, Field(ge=0, lt=1)]
    max_length: Count
    max_dropped_fraction: Fraction
    heldout_fraction: Annotated[float, Field(ge=0, lt=1)]
    heldout_by: Literal["row", "tool"]
    eval_rows: Annotated[int, Field(ge=0)]
    keep: Literal["last", "best"]
    packing: bool
    padding_free: bool
    attn_implementation: Literal["eager", "sdpa", "flash_attention_2", "flash_attention_3"] | None
    head: Literal["auto", "fused", "linear"]
    lora: LoraParams
    launcher: Literal["none", "ddp", "fsdp2", "zero3"]
    processes: Count
    seed: Seed
    bf16: bool
    gradient_checkpointing: bool
    report_to: Literal["none", "tensorboard", "wandb", "mlflow", "trackio", "dvclive"]

    @model_validator(mode="after")
    def _whole_steps(self) -> Self:
        if self.batch_size % (self.micro_batch_size * self.processes):
            raise ValueError(
                f"batch_size {self.batch_size} is not a multiple of micro_batch_size {self.micro_batch_size} times "
                f"{self.processes} processes"
            )
        return self

    @model_validator(mode="after")
    def _answered(self) -> Self:
        if self.eval_rows and not self.heldout_fraction:
            raise ValueError(
                f"eval_rows is {self.eval_rows} and heldout_fraction 0, which holds no row out; "
                "raise heldout_fraction, or set eval_rows to 0"
            )
        if self.keep == "best" and not self.eval_rows:
            raise ValueError("keep best compares exact calls, and eval_rows is 0; raise it, or set keep to last")
        return self

    @model_validator(mode="after")
    def _flash(self) -> Self:
        if (self.attn_implementation or "").startswith("flash") and not self.bf16:
            raise ValueError(f"attn_implementation {self.attn_implementation} computes in bfloat16; set bf16 to true")
        return self

    @model_validator(mode="after")
    def _started(self) -> Self:
        if self.launcher == "none" and self.processes > 1:
            raise ValueError(f"{self.processes} processes need a launcher; set launcher to ddp, fsdp2 or zero3")
        return self


AceCategory = Literal[
    "normal_single_turn_single_function", "normal_single_turn_parallel_function", "normal_multi_turn_user_adjust",
    "normal_multi_turn_user_switch", "normal_similar_api", "normal_preference", "normal_atom_bool", "normal_atom_enum",
    "normal_atom_number", "normal_atom_list", "normal_atom_object_deep", "normal_atom_object_short",
    "special_incomplete", "special_error_param", "special_irrelevant", "agent_multi_step", "agent_multi_turn",
    "normal", "special", "agent",
]  # fmt: skip


class AcebenchParams(Block):
    """evaluate.acebench."""

    data: str | None
    languages: Annotated[list[Literal["en", "zh"]], Field(min_length=1)]
    categories: Annotated[list[AceCategory], Field(min_length=1)]
    limit: Count | None
    max_tokens: Count
    user_model: str | None

    @model_validator(mode="after")
    def _user_simulated(self) -> Self:
        if self.data and not self.user_model and {"agent", "agent_multi_turn"} & set(self.categories):
            raise ValueError(
                "categories: agent_multi_turn needs a second model, which plays the user; name one of llm.server in "
                "user_model (the official tables: gpt-4o), or take agent_multi_step alone"
            )
        return self


class BfclParams(Block):
    """evaluate.bfcl."""

    version: Literal["v3", "v4"]
    categories: Annotated[list[BfclCategory], Field(min_length=1)]
    limit: Count | None
    max_tokens: Count
    tool_role: Literal["tool", "user"]

    @model_validator(mode="after")
    def _of_this_version(self) -> Self:
        new = [name for name in self.categories if name.startswith(("format", "memory", "web_search", "agentic"))]
        if self.version == "v3" and new:
            raise ValueError(f"categories: BFCL v3 has no {', '.join(new)}; leave it out, or set version: v4")
        return self


class ToyEvalParams(Block):
    """evaluate.toy: the held-out queries of the toy world."""

    max_tokens: Count


class CodeParams(Block):
    """evaluate.code."""

    benchmarks: list[Literal["toy", "humaneval", "humaneval+", "mbpp+"]]
    evalplus_data: str | None
    limit: Count | None
    samples: Annotated[int, Field(ge=0)]
    temperature: Annotated[float, Field(gt=0, le=2)]
    max_tokens: Count
    timeout_s: Seconds


class EvaluateParams(Block):
    """evaluate: the benchmarks and their sandbox."""

    bfcl: BfclParams
    acebench: AcebenchParams
    api_bank: str | None
    toy: ToyEvalParams
    code: CodeParams
    sandbox: Literal["auto", "bwrap", "none"]
