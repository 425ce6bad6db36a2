"""The start of a training: the parameters as SRMLTrainer's options, the start model and its tokenizer."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import is_flash_attn_2_available, is_flash_attn_3_available

from funreason.config import LossParams, TrainParams
from funreason.core.errors import ModelError, load_reason
from funreason.llm.hardware import cpu_computes_bf16
from funreason.llm.refs import ModelRef
from funreason.srml.bounded import EndlessTemplate
from funreason.srml.config import SRMLConfig
from funreason.srml.template import ChatTemplate
from funreason.train.memory import CPU_LENGTHS


def computes_bf16() -> bool:
    """Whether the GPU, or without one the CPU, has instructions for bfloat16."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return cpu_computes_bf16()


def training_config(folder: Path, loss: LossParams, train: TrainParams) -> SRMLConfig:
    """SRMLTrainer's options: AdamW, cosine decay, bf16 autocast where `train.bf16` asks for it and the machine has it.

    In bfloat16 on a CPU micro-batches are padded to few lengths (`funreason.train.memory.CPU_LENGTHS`).

    Args:
        folder: Where checkpoints go.
        loss: The block `loss` of params.yaml.
        train: The block `train`.
    """
    cuda, bf16 = torch.cuda.is_available(), train.bf16 and computes_bf16()
    return SRMLConfig(
        output_dir=str(folder),
        segment_loss=loss.kind,
        think_weight=loss.lambda_,
        segment_reduction=loss.reduction,
        ssb_rule=loss.ssb.rule,
        ssb_rate=loss.ssb.rate,
        ssb_anchor=loss.ssb.anchor,
        ssb_min=loss.ssb.min,
        ssb_max=loss.ssb.max,
        head=train.head,
        max_length=train.max_length,
        max_dropped_fraction=train.max_dropped_fraction,
        packing=train.packing,
        padding_free=train.padding_free,
        learning_rate=train.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=train.warmup_ratio,  # below 1, a fraction of all steps
        weight_decay=train.weight_decay,
        num_train_epochs=train.epochs,
        per_device_train_batch_size=train.micro_batch_size,
        per_device_eval_batch_size=train.micro_batch_size,
        gradient_accumulation_steps=train.batch_size // (train.micro_batch_size * train.processes),
        # A step's samples stay random, its micro-batches are cut by length: less padding, same gradient.
        train_sampling_strategy="random" if train.packing else "batch_rebalance",
        seed=train.seed,
        bf16=bf16,
        pad_to_multiple_of=CPU_LENGTHS if bf16 and not cuda else None,
        gradient_checkpointing=train.gradient_checkpointing,
        use_cpu=not cuda,
        ddp_backend="gloo" if train.processes > 1 and not cuda else None,
        expected_world_size=train.processes,
        use_cache=True,  # only for the saved config.json: TRL's loss runs without a cache in any case
        dataloader_pin_memory=cuda,
        logging_steps=1,
        save_strategy="no",  # TimedCheckpoints asks for saves and deletes old ones
        prediction_loss_only=True,
        disable_tqdm=True,
        report_to=trackers(train.report_to),
    )


def trackers(name: str) -> list[str]:
    """What the Trainer logs to, of `train.report_to`. Raises ModelError where its package is not installed."""
    if name == "none":
        return []
    if find_spec(name) is None:
        remedy = f"`.venv/bin/python -m uv pip install {name}`, or set it to none"
        raise ModelError(f"train.report_to is {name}, but the package {name} is not installed; {remedy}")
    os.environ.setdefault("TENSORBOARD_LOGGING_DIR", "runs")  # not beside the checkpoints, which are deleted
    return [name]


def check_attention(name: str | None) -> None:
    """Raise ModelError where `train.attn_implementation` needs a package, or a GPU, that is not here."""
    if name == "flash_attention_2":
        available, how = is_flash_attn_2_available(), "`uv pip install --no-build-isolation '.[flash]'`"
    elif name == "flash_attention_3":
        available, how = is_flash_attn_3_available(), "it is built from its source, for Hopper GPUs"
    else:
        return
    if not available:
        missing = f"its package is not installed ({how})" if torch.cuda.is_available() else "there is no CUDA GPU"
        raise ModelError(
            f"`train.attn_implementation` is {name}, and {missing}; set it to sdpa, which also keeps samples apart"
        )


def load(
    ref: ModelRef, quantization: BitsAndBytesConfig | None = None, attention: str | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, torch.dtype]:
    """Load a start model.

    It is trained in float32 whatever it is stored in: at 4e-5 most of AdamW's steps are below bf16's resolution.

    Args:
        ref: The model.
        quantization: For QLoRA.
        attention: Transformers' name of the attention's kernels; None for the model's default.

    Returns:
        The model in float32, or quantized; its tokenizer; the dtype in which it is stored.

    Raises:
        ModelError: The model cannot be loaded, or has no chat template.
    """
    if ref.kind == "server":
        raise ModelError(f"{ref.name_or_path} is on a server; start from a local folder or a hub id")
    check_attention(attention)
    where: Any = {
        "pretrained_model_name_or_path": ref.name_or_path,
        "revision": ref.revision,
        "trust_remote_code": False,
    }
    try:
        tokenizer = AutoTokenizer.from_pretrained(**where)
        stored = AutoConfig.from_pretrained(**where).dtype or torch.float32
        model = AutoModelForCausalLM.from_pretrained(
            **where, dtype=torch.float32, quantization_config=quantization, attn_implementation=attention
        )
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{ref.name_or_path} cannot be loaded ({load_reason(error)}); "
            "give a folder or hub id with a causal language model and its tokenizer"
        ) from None
    if tokenizer.chat_template is None:
        raise ModelError(f"{ref.name_or_path} has no chat template; start from an instruct model")
    try:
        ChatTemplate.of(tokenizer)
    except EndlessTemplate as error:
        raise ModelError(f"{ref.name_or_path}: {error}") from None
    return model, tokenizer, stored
