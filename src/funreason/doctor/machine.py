"""GPUs and memory, as far as they are known without loading torch."""

from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Gpu:
    """`bytes` of memory; `capability` is CUDA's, (9, 0) for a Hopper."""

    name: str
    bytes: int
    capability: tuple[int, int]

    @property
    def bf16(self) -> bool:
        return self.capability >= (8, 0)


def gpus() -> list[Gpu]:
    """NVIDIA's, as its driver tells; none where there is no driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    found = []
    with suppress(pynvml.NVMLError):
        for number in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(number)
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle).total
            capability = tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle))
            found.append(Gpu(pynvml.nvmlDeviceGetName(handle), memory, capability))
    return found


def memory() -> tuple[int, int]:
    """(bytes of this machine, those available now)."""
    import psutil

    found = psutil.virtual_memory()
    return found.total, found.available
