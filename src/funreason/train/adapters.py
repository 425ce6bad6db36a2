"""LoRA and QLoRA: adapters that are trained instead of all weights, and merged into a whole model afterwards."""

import importlib.util
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel
from transformers import BitsAndBytesConfig

from funreason.config import LoraParams
from funreason.core.errors import ModelError


def lora_config(lora: LoraParams) -> LoraConfig | None:
    """Adapters on every linear layer but the LM head, whose weight the fused loss reads directly; None at rank 0."""
    if not lora.rank:
        return None
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
    )


def quantization(lora: LoraParams) -> BitsAndBytesConfig | None:
    """QLoRA's 4-bit NormalFloat, doubly quantized (arXiv 2305.14314). Raises ModelError without bitsandbytes."""
    if not lora.quantize:
        return None
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(
            "`train.lora.quantize` is true and bitsandbytes is not installed; "
            "`.venv/bin/uv pip install -p .venv -c requirements/gpu.lock '.[quant]'`, or set it to false"
        )
    dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        bnb_4bit_quant_storage=dtype,  # FSDP2 shards floating-point weights alone; uint8 would be whole on each GPU
    )


def merged(model: torch.nn.Module, adapter: Path) -> torch.nn.Module:
    """Add trained adapters to a model's weights.

    Args:
        model: The start model, not quantized.
        adapter: The folder of the adapters.

    Returns:
        A model without adapters.
    """
    return PeftModel.from_pretrained(model, adapter).merge_and_unload()
