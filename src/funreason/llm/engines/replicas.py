"""Several copies of one model on this machine (`llm.data_parallel_size`), each in a process with GPUs of its own.

vLLM's own data parallelism needs its asynchronous server: its `LLM` refuses it. So each copy is a shared engine
(shared.py). The requests come in the order of their prompts, and each copy gets a part of them that hangs together: so
which copy answers which request does not depend on time, and prompts that begin alike meet in one prefix cache.
"""

import os
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from threading import Thread

from funreason.config import LlmParams
from funreason.core.errors import EngineError
from funreason.llm.engines import sockets
from funreason.llm.engines.shared import SharedEngine
from funreason.llm.engines.vllm import VllmEngine
from funreason.llm.refs import ModelRef
from funreason.llm.request import Job, Response, Sampling


class ReplicasEngine(VllmEngine):
    """One model, several times. Raises EngineError, ModelError."""

    def __init__(self, ref: ModelRef, params: LlmParams):
        super().__init__(ref, params)
        single = params.model_copy(update={"data_parallel_size": 1})
        self._copies: list[SharedEngine] = []
        for devices in _devices(params):
            self._copies.append(SharedEngine(ref, single, devices, beside=self._copies))

    @property
    def started(self) -> bool:
        """Whether this stage has asked a copy for something."""
        return any(copy.started for copy in self._copies)

    def close(self) -> None:
        """End the copies, unless they wait for the next stage."""
        if not self.params.keep_alive_s:
            for copy in self._copies:
                if copy.started:
                    sockets.leave(copy.socket())

    def stream(self, jobs: Iterable[Job], sampling: Sampling) -> Iterator[tuple[Job, Response]]:
        """See `Engine.stream`. When a copy fails, what the others have answered until then is stored."""
        parts = _parts(list(jobs), len(self._copies))
        stream = _Stream(sampling)
        try:
            for copy, part in zip(self._copies, parts, strict=True):
                stream.start(copy, part)
            for _ in range(sum(map(bool, parts))):
                yield from stream.until_one_has_ended()
        finally:
            stream.stopped = True


class _Stream:
    """The copies' responses, in the order in which they come."""

    def __init__(self, sampling: Sampling):
        self.stopped = False
        self._sampling = sampling
        self._results: SimpleQueue[tuple[Job, Response] | Exception | None] = SimpleQueue()

    def start(self, engine: SharedEngine, jobs: list[Job]) -> None:
        """Have a copy answer its part."""
        if jobs:  # daemon: an interrupted stage ends at once, and the copy drops its requests
            Thread(target=self._ask, args=[engine, jobs], daemon=True).start()

    def until_one_has_ended(self) -> Iterator[tuple[Job, Response]]:
        """Yield responses until a copy has answered its part. Raises what the copy has raised."""
        while (result := self._results.get()) is not None:
            if isinstance(result, Exception):
                raise result
            yield result

    def _ask(self, engine: SharedEngine, jobs: list[Job]) -> None:
        try:
            for result in engine.stream(jobs, self._sampling):
                if self.stopped:
                    return
                self._results.put(result)
            self._results.put(None)
        except Exception as error:  # for the thread that waits
            self._results.put(error)


def _parts(jobs: list[Job], count: int) -> list[list[Job]]:
    """The jobs in `count` parts of the same length, or one less."""
    bounds = [len(jobs) * number // count for number in range(count + 1)]
    return [jobs[start:end] for start, end in zip(bounds, bounds[1:], strict=False)]


def _devices(params: LlmParams) -> list[str]:
    """CUDA_VISIBLE_DEVICES of each copy: the next tensor_parallel_size of those that this process may use."""
    each, count = params.tensor_parallel_size, params.data_parallel_size
    visible = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(each * count)))
    names = [name.strip() for name in visible.split(",")]
    if len(names) < each * count:
        raise EngineError(
            f"CUDA_VISIBLE_DEVICES names {len(names)} GPUs, llm.data_parallel_size {count} times "
            f"tensor_parallel_size {each} needs {each * count}; lower one of them, or name more GPUs"
        )
    return [",".join(names[each * number : each * (number + 1)]) for number in range(count)]
