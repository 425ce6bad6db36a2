"""What this machine computes with: its NVIDIA GPUs, and whether the processor has instructions for bfloat16."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Gpu:
    """`bytes` of memory; `capability` is CUDA's, (9, 0) for a Hopper."""

    name: str
    bytes: int
    capability: tuple[int, int]

    @property
    def bf16(self) -> bool:
        """Whether it computes in bfloat16."""
        return self.capability >= (8, 0)


def gpus() -> list[Gpu]:
    """The NVIDIA GPUs that the driver names; none without a driver. Loads no torch, starts no CUDA."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    cards = []
    with suppress(pynvml.NVMLError):
        for number in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(number)
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle).total
            capability = tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle))
            cards.append(Gpu(pynvml.nvmlDeviceGetName(handle), memory, capability))
    return cards


@cache
def cpu_computes_bf16() -> bool:
    """Whether the CPU has instructions for products of bfloat16 (AVX512-BF16 or AMX).

    Others compute in float32 and convert: slower than float32. Loads torch.
    """
    import torch

    # torch has no public name for these.
    known = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(is_supported() for is_supported in known if is_supported)


def machine_memory() -> tuple[int, int]:
    """(bytes of this machine, bytes available now), of a container's limit where there is one."""
    import psutil

    memory = psutil.virtual_memory()
    total, free = memory.total, memory.available
    with suppress(OSError, ValueError, KeyError):  # cgroup v2; "max" is no limit
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        total, free = min(total, limit), min(free, limit - used + int(stat["inactive_file"]))
    return total, free
