"""The options of TRL's GRPOTrainer for a round, and what does not go together: refused before a model is loaded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from trl import GRPOConfig

from funreason.config import GrpoParams, TrainParams
from funreason.core.errors import ParamsError
from funreason.llm.refs import ModelRef
from funreason.rewards import correctness, exact, format, length
from funreason.train.start import computes_bf16, trackers

PARTS = {  # the rewards of each kind with their weights; `exact` is always logged
    "exact": {exact: 1.0},
    "graded": {format: 1.0, correctness: 1.0, exact: 0.0},
}


@dataclass
class GroupConfig(GRPOConfig):
    """GRPOConfig with what GroupTrainer adds: λ of SRML's weights or None, and the longest training row."""

    think_weight: float | None = None
    max_length: int | None = None
    expected_world_size: int = 1


def reward_parts(grpo: GrpoParams) -> dict[Any, float]:
    """The reward functions with their weights."""
    return PARTS[grpo.reward] | ({length: grpo.length_weight} if grpo.length_weight else {})


def grpo_config(folder: Path, grpo: GrpoParams, train: TrainParams, ref: ModelRef, stops: list[int]) -> GroupConfig:
    """GroupTrainer's options.

    One optimizer step trains on the samples that the model before it wrote, once: nothing is off-policy, and a
    training that goes on from a checkpoint needs no samples of the steps before.

    Args:
        folder: Where checkpoints go.
        grpo: The block `grpo` of params.yaml.
        train: The block `train`.
        ref: The start model, which is the reference of the KL term.
        stops: The tokens that end a completion.
    """
    cuda, vllm = torch.cuda.is_available(), grpo.rollouts != "generate"
    rounds: dict[str, Any] = {"generation_kwargs": {"stop_token_ids": stops}} if vllm else {}
    if vllm:
        rounds |= {"vllm_mode": grpo.rollouts.removeprefix("vllm-")}
    if grpo.vllm.server_url:
        rounds |= {"vllm_server_base_url": grpo.vllm.server_url}
    if grpo.kl and ref.revision:
        rounds |= {"model_init_kwargs": {"revision": ref.revision}}
    return GroupConfig(
        output_dir=str(folder),
        reward_weights=list(reward_parts(grpo).values()),
        think_weight=grpo.think_weight,
        max_length=train.max_length,
        expected_world_size=train.processes,
        num_generations=grpo.samples,
        temperature=grpo.temperature,
        top_p=grpo.top_p,
        max_completion_length=grpo.max_tokens,
        beta=grpo.kl,
        epsilon=grpo.clip,
        loss_type=grpo.loss,
        scale_rewards=grpo.scale_rewards,
        learning_rate=grpo.learning_rate,
        num_train_epochs=grpo.epochs,
        use_vllm=vllm,
        vllm_gpu_memory_utilization=grpo.vllm.gpu_memory_utilization,
        **rounds,
        lr_scheduler_type="cosine",
        warmup_steps=train.warmup_ratio,  # below 1, a fraction of all steps
        weight_decay=train.weight_decay,
        per_device_train_batch_size=train.micro_batch_size,
        gradient_accumulation_steps=grpo.prompts * grpo.samples // (train.micro_batch_size * train.processes),
        seed=train.seed,
        bf16=train.bf16 and computes_bf16(),
        gradient_checkpointing=train.gradient_checkpointing,
        use_cpu=not cuda,
        ddp_backend="gloo" if train.processes > 1 and not cuda else None,
        dataloader_pin_memory=cuda,
        logging_steps=1,
        save_strategy="no",  # TimedCheckpoints asks for saves and deletes old ones
        disable_tqdm=True,
        report_to=trackers(train.report_to),
    )


def check_machine(grpo: GrpoParams) -> None:
    """Raise ParamsError where the rollouts need a GPU that this machine lacks."""
    if grpo.rollouts == "vllm-colocate" and not torch.cuda.is_available():
        raise ParamsError(
            "`grpo.rollouts` is vllm-colocate, and there is no CUDA GPU; set it to generate, or to vllm-server with "
            "grpo.vllm.server_url"
        )


def check_room(grpo: GrpoParams, longest_prompt: int, positions: int | None) -> None:
    """Raise ParamsError where a prompt leaves no room for a completion.

    Args:
        grpo: The block `grpo`.
        longest_prompt: Its tokens.
        positions: Of the model; None where it states none.
    """
    if positions is not None and longest_prompt + grpo.max_tokens > positions:
        raise ParamsError(
            f"the longest prompt has {longest_prompt} tokens, `grpo.max_tokens` is {grpo.max_tokens}, and the model "
            f"takes {positions}; lower grpo.max_tokens or train.max_length"
        )
