"""vLLM inside this process: requests stream in, and each response comes out as soon as it is finished.

The settings for a CPU were measured. Without them the engine starts five times slower, loses nine tenths of its speed
beside another job, and dies of a per-request seed (which needs chunked prefill off, hence batches that hold a whole
prompt). One process instead of two also makes reruns token-identical. On a GPU vLLM's own defaults hold, those of its
class `LLM`: decoding in a process beside this one, and larger batches than `LLMEngine` takes.
"""

import logging
import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, cast

from funreason.config import LlmParams
from funreason.core.errors import EngineError, ModelError, load_reason
from funreason.llm.cache import batched
from funreason.llm.chat import ChatRenderer
from funreason.llm.dtype import answering_dtype, identity_in
from funreason.llm.engines.tied import tied
from funreason.llm.refs import ModelRef
from funreason.llm.request import TOO_LONG, Job, Request, Response, Sampling

if TYPE_CHECKING:
    from vllm import LLMEngine, RequestOutput

BLOCK = 64  # prompts that are encoded together
_CPU_BATCH = 4096  # tokens of a prefill step, where the context is not longer

# Defaults: a variable that the user has set stays. They must be set before torch is imported.
_ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
}


class VllmEngine:
    """One model, loaded at the first request that needs it. Raises EngineError, ModelError."""

    def __init__(self, ref: ModelRef, params: LlmParams):
        if ref.kind == "server":
            remedy = "set llm.engine: server, or give models.* a path or a hub id"
            name = ref.name_or_path
            raise ModelError(f"model {name!r} belongs to a server, but llm.engine is {params.engine}; {remedy}")
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        self.ref, self._given = ref.quantized(params.quantization), params
        self.chat = ChatRenderer(ref)
        self.running: dict[str, Job] = {}  # by the name that the engine knows them under
        self._numbers = count()

    @cached_property
    def params(self) -> LlmParams:
        """The `llm` block, whose dtype is the one that is computed in, never `auto`."""
        return self._given.model_copy(update={"dtype": answering_dtype(self.ref, self._given)})

    @property
    def dtype(self) -> str:
        """The dtype that the answers are computed in."""
        return self.params.dtype

    @property
    def identity(self) -> str:
        """Of the model in this dtype."""
        return identity_in(self.ref.identity, self.dtype)

    def prompt(self, request: Request) -> str:
        """The rendered prompt."""
        return self.chat.render(request)

    def would_give(self, response: Response, sampling: Sampling) -> bool:
        """False for a response that a smaller `max_model_len` has cut, or that needed a larger one."""
        room = self._room(response.prompt_tokens, sampling)
        cut_short = response.finish_reason == "length" and response.completion_tokens < room
        return response.completion_tokens <= room and not cut_short

    def stream(self, jobs: Iterable[Job], sampling: Sampling) -> Iterator[tuple[Job, Response]]:
        """See `Engine.stream`."""
        with self._alive():
            self.begin()
            encoded = self._encoded(jobs)
            try:
                while True:
                    yield from self._admit(encoded, sampling)
                    if not self.running:
                        return
                    yield from self.step()
            finally:
                self._abort()

    @contextmanager
    def _alive(self) -> Iterator[None]:
        """Raise EngineError where vLLM's process beside this one has ended; any call of the engine may notice it."""
        try:
            yield
        except Exception as error:
            if type(error).__name__ != "EngineDeadError":  # its module is loaded with the first job
                raise
            remedy = "its own error is above; run again to go on, with a lower llm.max_num_seqs where memory was short"
            raise EngineError(f"vLLM's process for {self.ref.name_or_path!r} has ended; {remedy}") from error

    def load(self) -> None:
        """Start the engine now, not with the first job."""
        _ = self._engine

    def begin(self) -> None:
        """Forget earlier streams: what they left in the engine would change the batches, and so the rounding."""
        self._abort()
        if self.started:
            self._engine.reset_prefix_cache()

    def add(self, jobs: list[Job], sampling: Sampling) -> list[tuple[Job, Response]]:
        """Queue jobs; return those whose prompts leave no room, which need no engine, with their responses."""
        return [done for item in self._encoded(jobs) if (done := self._queue(*item, sampling))]

    def step(self) -> list[tuple[Job, Response]]:
        """Decode one token for each running job; return the jobs that this has finished."""
        outputs = cast("list[RequestOutput]", self._engine.step())  # the others are those of pooling models
        return [(self.running.pop(output.request_id), _response(output)) for output in outputs]

    @property
    def capacity(self) -> int:
        """Jobs to keep in the engine: twice as many as it decodes, so that the next is there when one ends."""
        return 2 * self.params.max_num_seqs

    @property
    def started(self) -> bool:
        """Whether the model is loaded."""
        return "_engine" in self.__dict__

    def close(self) -> None:
        """Free the model's memory; the next job loads it again."""
        if self.started:
            self._engine.engine_core.shutdown()
            self.running.clear()
            del self._engine

    def _encoded(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, list[int]]]:
        for block in batched(jobs, BLOCK):
            yield from zip(block, self.chat.encode([job.prompt for job in block]), strict=True)

    def _admit(self, encoded: Iterator[tuple[Job, list[int]]], sampling: Sampling) -> Iterator[tuple[Job, Response]]:
        """Fill the engine's queue; yield the jobs whose prompts leave no room."""
        while len(self.running) < self.capacity:
            if (item := next(encoded, None)) is None:
                return
            if done := self._queue(*item, sampling):
                yield done

    def _queue(self, job: Job, tokens: list[int], sampling: Sampling) -> tuple[Job, Response] | None:
        if room := self._room(len(tokens), sampling):
            self.running[self._add(tokens, job.seed, sampling, room)] = job
            return None
        return job, Response("", TOO_LONG, len(tokens), 0)

    def _abort(self) -> None:
        if self.running:  # interrupted: these must not come out of the next stream
            self._engine.abort_request(list(self.running))
            self.running.clear()

    def _room(self, prompt_tokens: int, sampling: Sampling) -> int:
        return max(0, min(sampling.max_tokens, self.params.max_model_len - prompt_tokens))

    def _add(self, tokens: list[int], seed: int | None, sampling: Sampling, room: int) -> str:
        from vllm import SamplingParams
        from vllm.inputs import tokens_input
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        name = str(next(self._numbers))
        params = SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=room,
            seed=seed,
            structured_outputs=StructuredOutputsParams(regex=sampling.regex) if sampling.regex else None,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
        self._engine.add_request(name, tokens_input(tokens), params)
        return name

    @cached_property
    def _engine(self) -> "LLMEngine":
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # torch's and vLLM's own
                return _start(self.ref, self.params)
        # vLLM has no error class of its own for this: a bad config is a ValueError or pydantic's, no memory a
        # RuntimeError, a missing file an OSError. All of them are the user's model or llm.* parameters.
        except (ValueError, RuntimeError, OSError, KeyError, TypeError, ImportError, MemoryError) as error:
            remedy = "check models.*, llm.max_model_len, kv_cache_gb (CPU), gpu_memory_utilization, quantization (GPU)"
            own_code = "trust_remote_code" in str(error)
            reason = load_reason(error) if own_code else f"{type(error).__name__}: {_one_line(error)}"
            raise EngineError(f"vLLM cannot start {self.ref.name_or_path!r}: {reason}; {remedy}") from error


def _start(ref: ModelRef, params: LlmParams) -> "LLMEngine":
    logging.getLogger("torch._library.triton").setLevel(logging.ERROR)  # "not available", at every start
    from vllm import EngineArgs, LLMEngine
    from vllm.platforms import current_platform
    from vllm.usage.usage_lib import UsageContext

    if current_platform.is_cpu() or params.engine == "ray":  # an actor is a process beside this one already
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    arguments = EngineArgs(**engine_arguments(ref, params), disable_log_stats=True)
    with tied():
        return LLMEngine.from_engine_args(arguments, usage_context=UsageContext.LLM_CLASS)


def engine_arguments(ref: ModelRef, params: LlmParams) -> dict[str, Any]:
    """The arguments of vLLM's `EngineArgs` and `LLM` for a model and the `llm` block of params.yaml.

    What is None is vLLM's own default. Raises EngineError where a value is impossible on this machine.
    """
    from vllm.platforms import current_platform

    if current_platform.is_cpu():
        device: dict[str, Any] = {
            "enforce_eager": True,
            "enable_chunked_prefill": False,
            "max_num_batched_tokens": _cpu_batch(params),
            "kv_cache_memory_bytes": int(params.kv_cache_gb * 2**30),
        }
    else:
        device = {
            "gpu_memory_utilization": params.gpu_memory_utilization,
            "tensor_parallel_size": params.tensor_parallel_size,
            "max_num_batched_tokens": params.max_num_batched_tokens,
        }
        if params.engine == "ray":
            device["pipeline_parallel_size"] = params.ray.pipeline_parallel_size
            several = params.tensor_parallel_size * params.ray.pipeline_parallel_size > 1
            device["distributed_executor_backend"] = "ray" if several else "uni"
    return device | {
        "model": ref.name_or_path,
        "revision": ref.revision,
        "tokenizer_revision": ref.revision,
        "trust_remote_code": False,
        "dtype": params.dtype,
        "max_model_len": params.max_model_len,
        "max_num_seqs": params.max_num_seqs,
        "quantization": ref.quantized(params.quantization).quantization,
        "enable_prefix_caching": params.enable_prefix_caching,
        "use_tqdm_on_load": False,
    }


def _cpu_batch(params: LlmParams) -> int:
    tokens = params.max_num_batched_tokens or max(params.max_model_len, _CPU_BATCH)
    if tokens < params.max_model_len:
        remedy = "on a CPU a prompt is computed in one step: give null, or llm.max_model_len or more"
        raise EngineError(f"llm.max_num_batched_tokens is {tokens}, llm.max_model_len {params.max_model_len}; {remedy}")
    return tokens


def _response(output: "RequestOutput") -> Response:
    completion = output.outputs[0]
    counts = len(output.prompt_token_ids or ()), len(completion.token_ids)
    return Response(completion.text, completion.finish_reason or "", *counts)


def _one_line(error: Exception) -> str:
    """Pydantic wraps vLLM's sentence in a preamble and a dump of the input; keep the sentence."""
    text = " ".join(str(error).split())
    return text.split("Value error, ", 1)[-1].split(" [type=", 1)[0][:400]
