"""A training that does not fit into memory goes on with a smaller micro-batch: same batch, same gradient, less memory.

It is made smaller before the training where the estimate says so (memory.py), and after an error of the allocator, from
the last checkpoint. In several processes no rank can go on alone: the stage starts all of them again (launch.py).
A process that the kernel kills for its memory cannot do either.
"""

import ctypes
import gc
import os
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil
import torch
from accelerate.utils import gather_object
from accelerate.utils.memory import should_reduce_batch_size
from datasets import Dataset
from transformers import PretrainedConfig

from funreason.config import TrainParams
from funreason.core.errors import ModelError
from funreason.llm.hardware import machine_memory
from funreason.srml.segments import MASKED
from funreason.train.memory import Architecture, Batch, Peak, fitting_micro_batch, smaller_sizes, training_peak

# From the stage to the ranks that it starts: the size to begin with, and the file for the size to begin with next.
SIZE, NEXT_FILE = "FUNREASON_MICRO_BATCH", "FUNREASON_NEXT_MICRO_BATCH"

_T = TypeVar("_T")


def with_fallback(train: TrainParams, peak: Callable[[int], Peak] | None, attempt: Callable[[TrainParams], _T]) -> _T:
    """Train with the largest micro-batch that fits.

    Args:
        train: The block `train`.
        peak: Micro-batch size → the estimated peak of one process; None where it cannot be estimated.
        attempt: Trains with the parameters that it is given, from the last checkpoint.

    Returns:
        What `attempt` returned.

    Raises:
        ModelError: There is no smaller micro-batch, or another process has to start it.
    """
    size = _first_size(train, peak)
    while True:
        try:
            return attempt(train.model_copy(update={"micro_batch_size": size}))
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            reason = " ".join(str(error).split())[:120] or type(error).__name__
        # From here on the error is gone, and with it the frames that hold the model.
        _give_back()
        size = _next_size(train, size, reason)


def _give_back() -> None:
    """Return freed memory to the system: a heap in pieces keeps it."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    with suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


def _first_size(train: TrainParams, peak: Callable[[int], Peak] | None) -> int:
    if SIZE in os.environ:
        return int(os.environ[SIZE])
    wanted, room = train.micro_batch_size, memory_room(train)
    size = wanted if peak is None else fitting_micro_batch(train, peak, room)
    if train.processes > 1:  # the ranks' memory differs, their steps must not
        size = min(gather_object([size or 1]))
    if peak and size != wanted:
        need, fits = peak(wanted).total / 1e9, peak(size or 1).total / 1e9
        less = f"micro_batch_size {size or 1} takes {fits:.1f} GB, with more accumulation and the same gradient"
        tight = "" if size else "; this is more, too: lower train.max_length, or set train.gradient_checkpointing"
        _say(f"micro_batch_size {wanted} takes about {need:.1f} GB, free are {room / 1e9:.1f} GB: {less}{tight}")
    return size or 1


def _next_size(train: TrainParams, size: int, reason: str) -> int:
    """The next smaller micro-batch, at most half of `size`. Raises ModelError."""
    smaller = [other for other in smaller_sizes(train, size) if 2 * other <= size]
    if not smaller:
        raise ModelError(
            f"training does not fit into memory with micro-batches of {size} ({reason}); lower train.max_length, set "
            "train.gradient_checkpointing or train.lora.rank, or take a smaller model"
        )
    if train.processes > 1:
        if NEXT_FILE in os.environ:
            Path(os.environ[NEXT_FILE]).write_text(str(smaller[0]))
        raise ModelError(f"a process ran out of memory with micro-batches of {size} ({reason}); next: {smaller[0]}")
    _say(f"out of memory with micro-batches of {size} ({reason}): going on with {smaller[0]}, the same gradient")
    return smaller[0]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error is that of an allocator, of CUDA's or the processor's memory."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return (isinstance(error, Exception) and should_reduce_batch_size(error)) or (
        isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)
    )


def memory_room(train: TrainParams) -> float:
    """Bytes that one process of this training may take: what is free, and what it has already."""
    if torch.cuda.is_available():
        return torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved()
    return machine_memory()[1] / train.processes + psutil.Process().memory_info().rss


def peak_estimate(
    config: PretrainedConfig, parameters: int, rows: Dataset, train: TrainParams, bf16: bool
) -> Callable[[int], Peak] | None:
    """Micro-batch size → the peak of one process.

    Args:
        config: The start model's.
        parameters: Of the start model.
        rows: The labelled rows: the longest decides, since a micro-batch is padded to it.
        train: The block `train`.
        bf16: Whether it computes in bfloat16.

    Returns:
        None for a model whose sizes have unusual names.
    """
    shape = Architecture.of(config.to_dict())
    if shape is None:
        return None
    lengths = [len(row) for row in rows["input_ids"]]
    labelled = sum(sum(number != MASKED for number in row) for row in rows["segment_ids"]) / sum(lengths)
    tokens = train.max_length if train.packing else max(lengths)
    gpu = torch.cuda.is_available()

    def peak(size: int) -> Peak:
        return training_peak(parameters, shape, train, Batch(size, tokens, labelled), bf16=bf16, gpu=gpu)

    return peak


def measured_peak() -> float:
    """The largest number of bytes that this process has taken, on the GPU where there is one."""
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        return total - free - torch.cuda.memory_reserved() + torch.cuda.max_memory_reserved()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _say(text: str) -> None:
    if os.environ.get("LOCAL_RANK", "0") == "0":
        print(f"train: {text}", file=sys.stderr)
