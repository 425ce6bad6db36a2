"""Several processes: what is refused, in which precision gradients are summed, and how sharded weights are saved."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType


def check_processes(accelerator: Accelerator, expected: int | None) -> None:
    """Check how a training is spread over processes.

    Args:
        accelerator: The trainer's.
        expected: Number of processes that must take part; None for any.

    Raises:
        ValueError: There are fewer or more, or tokens are sharded.
    """
    parallelism: Any = accelerator.parallelism_config
    if parallelism is not None and (parallelism.cp_enabled or parallelism.sp_enabled or parallelism.tp_enabled):
        raise ValueError(
            "context, sequence and tensor parallelism do not shard the segments beside the tokens; "
            "use data parallelism (DDP, FSDP, DeepSpeed ZeRO)"
        )
    started = accelerator.num_processes
    if expected not in (None, started):
        raise ValueError(
            f"{started} processes take part, expected are {expected}: the launcher started fewer or more; "
            "on a CPU use torchrun (`accelerate launch --cpu` starts one)"
        )


def reduce_in_float32(accelerator: Accelerator) -> None:
    """Have FSDP sum gradients in float32, over micro-batches and over ranks; under bf16 accelerate would in bf16.

    It has to be called before the model is prepared.
    """
    plugin = fsdp_plugin(accelerator)
    if plugin is not None and plugin.mixed_precision_policy is not None:
        plugin.mixed_precision_policy = replace(plugin.mixed_precision_policy, reduce_dtype=torch.float32)


@contextmanager
def whole_weights(accelerator: Accelerator) -> Iterator[None]:
    """While active, Trainer saves the whole model, also where FSDP shards its checkpoints: there it saves nothing."""
    plugin = fsdp_plugin(accelerator)
    if plugin is None:
        yield
        return
    kind = plugin.state_dict_type
    plugin.set_state_dict_type("FULL_STATE_DICT")
    try:
        yield
    finally:
        plugin.set_state_dict_type(kind)


def fsdp_plugin(accelerator: Accelerator) -> Any:
    """FSDP's settings; None under another kind of parallelism."""
    return accelerator.state.fsdp_plugin if accelerator.distributed_type == DistributedType.FSDP else None
