"""The block `grpo` of params.yaml, and what does not go with a recipe's `method: grpo`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from funreason.config.blocks import Block, Count, TopP
from funreason.config.training import TrainParams


class SelectParams(Block):
    """grpo.select: which prompts an epoch samples."""

    fraction: Annotated[float, Field(gt=0, le=1)]
    first_samples: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _several(self) -> Self:
        if self.first_samples == 1:
            raise ValueError("first_samples is 1; one sample tells nothing of a group: give 2 or more, or 0 for none")
        return self


class VllmParams(Block):
    """grpo.vllm: the engine of the rollouts."""

    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)]
    server_url: str | None


class GrpoParams(Block):
    """grpo: the training of the rounds whose recipe has `method: grpo`."""

    reward: Literal["exact", "graded"]
    think: Literal["required", "optional"]
    length_weight: Annotated[float, Field(ge=0)]
    samples: Annotated[int, Field(ge=2)]
    prompts: Count
    epochs: Annotated[float, Field(gt=0)]
    learning_rate: Annotated[float, Field(gt=0, lt=1)]
    temperature: Annotated[float, Field(gt=0, le=2)]
    top_p: TopP
    max_tokens: Count
    kl: Annotated[float, Field(ge=0)]
    clip: Annotated[float, Field(gt=0, lt=1)]
    loss: Literal["grpo", "bnpo", "dr_grpo", "dapo"]
    scale_rewards: Literal["group", "batch", "none"]
    think_weight: Annotated[float, Field(gt=0, lt=1)] | None
    select: SelectParams
    rollouts: Literal["generate", "vllm-colocate", "vllm-server"]
    vllm: VllmParams

    @model_validator(mode="after")
    def _weights(self) -> Self:
        if self.think_weight is not None and self.loss != "dapo":
            raise ValueError(f"think_weight weighs token means of a whole step, loss is {self.loss}; set loss to dapo")
        return self

    @model_validator(mode="after")
    def _server(self) -> Self:
        if (self.rollouts == "vllm-server") != (self.vllm.server_url is not None):
            raise ValueError(
                f"rollouts is {self.rollouts} and vllm.server_url {self.vllm.server_url!r}; a URL is needed for "
                "vllm-server, and null for the others"
            )
        return self


def check_grpo(grpo: GrpoParams, train: TrainParams) -> None:
    """Check that `train` goes with training by GRPO. Raises ValueError."""
    size, part = grpo.prompts * grpo.samples, train.micro_batch_size * train.processes
    if size % part:
        raise ValueError(
            f"grpo.prompts {grpo.prompts} times grpo.samples {grpo.samples} is not a multiple of "
            f"train.micro_batch_size {train.micro_batch_size} times {train.processes} processes"
        )
    for name in ("packing", "padding_free"):
        if getattr(train, name):
            raise ValueError(f"train.{name} is true, and a recipe has method grpo, which cannot do it; set it to false")
    if train.lora.quantize and grpo.rollouts != "generate":
        raise ValueError(
            f"train.lora.quantize is true and grpo.rollouts {grpo.rollouts}; 4-bit weights cannot be sent to vLLM: set "
            "rollouts to generate, or quantize to false"
        )
