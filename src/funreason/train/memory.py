"""How much memory a training takes at its peak, from the model's config.json and the rows; loads no torch.

The activations are those that autograd keeps of a Llama-like layer in float32, in numbers per token: 6 H of the two
norms and their outputs, 2 (heads + key-value heads) · head size of the attention, 4 I of the MLP. The factors below
were fitted to peaks of real trainings on a CPU (docs/LOG.md): what glibc's heap keeps beside the tensors.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from funreason.config import TrainParams

FLOAT = 4  # bytes of float32
QUANTIZED = 0.6  # bytes per parameter, with the constants of the blocks
PROCESS = 560e6  # Python, torch, transformers and TRL; on a GPU about as much for CUDA's context and kernels
CHUNK = 512  # positions that the linear head scores at a time (`funreason.srml.heads.CHUNK`)
PACKED = 40  # bytes per pair of positions of a packed row, while its attention mask is made
# Tokens: in bfloat16 on a CPU micro-batches are padded to a multiple of it. oneDNN compiles kernels for each length,
# and keeps them for ever: 1.7 MB per product of matrices, 3.5 MB per attention (docs/LOG.md).
CPU_LENGTHS = 64
CPU_KERNELS = 31e6  # bytes per length, at each multiple of CPU_LENGTHS up to the longest micro-batch
CPU_BF16 = 1.15  # of the activations: copies in the order that the kernels want
GPU_FACTOR = 1.1  # of what CUDA's allocator reserves
RECOMPUTED = 4.2  # layers' worth of activations with gradient checkpointing: one is recomputed, with its gradients
USABLE = 0.95  # of the free memory
SHARDING = ("fsdp2", "zero3")  # launchers under which each process holds a part of the weights


@dataclass(frozen=True)
class Architecture:
    """Sizes of a decoder: `hidden` H, `mlp` I of a token (of all its experts), `query` and `key` heads · head size."""

    hidden: int
    mlp: int
    layers: int
    query: int
    key: int
    vocabulary: int

    @classmethod
    def of(cls, config: dict[str, Any]) -> "Architecture | None":
        """Read a config.json; None for one that names no sizes under the usual names."""
        config = config | (config.get("text_config") or {})
        try:
            hidden, heads = config["hidden_size"], config["num_attention_heads"]
            size = config.get("head_dim") or hidden // heads
            key = (config.get("num_key_value_heads") or heads) * size
            if experts := config.get("num_experts_per_tok"):
                mlp = experts * (config.get("moe_intermediate_size") or config["intermediate_size"])
                mlp += config.get("shared_expert_intermediate_size") or 0
            else:
                mlp = config["intermediate_size"]
            return cls(hidden, mlp, config["num_hidden_layers"], heads * size, key, config["vocab_size"])
        except (KeyError, TypeError):
            return None

    def adapters(self, rank: int) -> int:
        """Parameters of LoRA adapters of this rank on every linear layer."""
        inputs_and_outputs = (
            (self.hidden + self.query) * 2 + (self.hidden + self.key) * 2 + (self.hidden + self.mlp) * 3
        )
        return self.layers * rank * inputs_and_outputs


@dataclass(frozen=True)
class Batch:
    """One forward pass: `rows` rows of up to `tokens` tokens, of which the fraction `labelled` has a label."""

    rows: int
    tokens: int
    labelled: float = 1.0


@dataclass(frozen=True)
class Peak:
    """Bytes of one process: `model` (weights, gradients, AdamW's moments), `batch` (activations, head), `process`."""

    model: float
    batch: float
    process: float = PROCESS

    @property
    def total(self) -> float:
        """All of it."""
        return self.model + self.batch + self.process


def training_peak(
    parameters: int, shape: Architecture, train: TrainParams, batch: Batch, *, bf16: bool, gpu: bool
) -> Peak:
    """The peak of a training.

    Args:
        parameters: Of the start model.
        shape: Its sizes.
        train: The block `train`.
        batch: Its largest micro-batch.
        bf16: Whether it computes in bfloat16.
        gpu: Whether it computes on a GPU.
    """
    kernels = 0.0
    if bf16 and not gpu:
        lengths = -(-batch.tokens // CPU_LENGTHS)
        batch, kernels = replace(batch, tokens=lengths * CPU_LENGTHS), lengths * CPU_KERNELS
    lora = train.lora.rank > 0
    trained = shape.adapters(train.lora.rank) if lora else parameters
    shards = train.processes if train.launcher in SHARDING else 1
    weights = parameters * (QUANTIZED if train.lora.quantize else FLOAT) + (FLOAT * trained if lora else 0)
    gradients = FLOAT * trained / shards * (2 if train.launcher == "ddp" else 1)  # ddp: a copy in its buckets
    embedding = 0 if lora else FLOAT * shape.vocabulary * shape.hidden
    kept = activations(shape, train, batch, bf16=bf16)
    begins = kept * _factor(shape, train, bf16=bf16, gpu=gpu) + _head(shape, train, batch, gpu) + embedding
    begins += gradients if train.batch_size > train.processes * batch.rows else 0  # those of the micro-batches before
    begins += 2 * parameters if bf16 and not lora else 0  # the weights in bfloat16, as autocast keeps them
    ends = gradients + embedding + kept / 2
    moments = 2 * FLOAT * trained / shards
    return Peak(weights / shards + moments + gradients, max(begins, ends) - gradients + kernels)


def activations(shape: Architecture, train: TrainParams, batch: Batch, *, bf16: bool) -> float:
    """Bytes of the tensors that a forward pass keeps for the backward pass."""
    norms = 4 if train.lora.rank else 6  # frozen, a norm does not keep its output before the weight
    width = 2 if bf16 else FLOAT
    layer = norms * shape.hidden * FLOAT + (2 * shape.query + 2 * shape.key + 4 * shape.mlp) * width
    if bf16:  # the inputs of the linear layers, two of the norms' tensors, are in bfloat16
        layer -= 2 * shape.hidden * (FLOAT - width)
    ends = 2 * shape.hidden * FLOAT
    if train.gradient_checkpointing:
        per_token = shape.layers * shape.hidden * FLOAT + RECOMPUTED * layer + ends
    else:
        per_token = shape.layers * layer + ends
    masks = PACKED * batch.rows * batch.tokens**2 if train.packing else 0
    return batch.rows * batch.tokens * per_token + masks


def _factor(shape: Architecture, train: TrainParams, *, bf16: bool, gpu: bool) -> float:
    """What the allocator takes for a byte of activations."""
    if gpu:
        return GPU_FACTOR
    beside = CPU_BF16 if bf16 else 1.0
    if train.gradient_checkpointing:
        return beside  # the rest is in RECOMPUTED
    return beside * (1.9 + 2.4 / shape.layers if train.lora.rank else 1.27 + 1.1 / shape.layers)


def _head(shape: Architecture, train: TrainParams, batch: Batch, gpu: bool) -> float:
    """Bytes of the logits that exist at a time, with their gradient where the whole of them does."""
    labelled = batch.rows * batch.tokens * batch.labelled
    if train.head == "fused" and not gpu:
        return 2 * labelled * shape.vocabulary * FLOAT
    return min(CHUNK, labelled) * shape.vocabulary * FLOAT


def fitting_micro_batch(train: TrainParams, peak: Callable[[int], Peak], room: float) -> int | None:
    """The largest micro-batch up to `train.micro_batch_size` with which a training fits; the batch stays what it is.

    Args:
        train: The block `train`.
        peak: Micro-batch size → the peak of one process.
        room: Bytes for one process.

    Returns:
        A divisor of a process's part of `batch_size`; None where not even 1 fits.
    """
    sizes = [train.micro_batch_size, *smaller_sizes(train, train.micro_batch_size)]
    return next((size for size in sizes if peak(size).total <= USABLE * room), None)


def smaller_sizes(train: TrainParams, size: int) -> list[int]:
    """The smaller micro-batches that make the same batch, the largest first."""
    part = train.batch_size // train.processes
    return [smaller for smaller in range(size - 1, 0, -1) if part % smaller == 0]
