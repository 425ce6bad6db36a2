"""The blocks of params.yaml for models, data, engines, sampling and checks. Their fields are explained there."""

import json
import re
from collections import Counter
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from funreason.core.paths import NOTHING

Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Temperature = Annotated[float, Field(ge=0, le=2)]
TopP = Annotated[float, Field(gt=0, le=1)]
Seconds = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]  # no underscore: BFCL reads it as a slash


class Block(BaseModel):
    """A block of params.yaml."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class ToyParams(Block):
    """toy: the synthetic world."""

    seed: Seed
    pool_rows: Count
    planted_fraction: Fraction
    heldout_rows: Count
    judge_rows: Count
    code_rows: Count
    conversation_rows: Count


class ModelParams(Block):
    """A model: a local folder, or a repository of the hub with a revision."""

    path: str | None
    hub: str | None
    revision: str | None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.path and (self.hub or self.revision):
            raise ValueError("with a local `path`, `hub` and `revision` must be null")
        return self


class ModelsParams(Block):
    """models: teacher, judges and student."""

    teacher: ModelParams
    judges: Annotated[dict[Name, ModelParams], Field(min_length=1)]
    base: ModelParams


class MultiTurnParams(Block):
    """data.multi_turn: the second source."""

    path: str
    hub: str | None
    revision: str | None
    split: str

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.hub and self.path != NOTHING:
            raise ValueError(f"give a local `path` and `hub: null`, or a `hub` id and `path: {NOTHING}`, or neither")
        return self

    @property
    def given(self) -> bool:
        """Whether there is a second source."""
        return bool(self.hub) or self.path != NOTHING


class DataParams(Block):
    """data: the source of the rows."""

    path: str
    hub: str | None
    revision: str | None
    split: str
    license: str | None
    multi_turn: MultiTurnParams

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.hub) == (self.path != NOTHING):
            raise ValueError(f"give a local `path` and `hub: null`, or a `hub` id and `path: {NOTHING}`")
        return self


class PrepareParams(Block):
    """prepare: from the source to tasks."""

    format: Literal[
        "auto", "xlam", "openai", "sharegpt", "hermes", "toolace", "glaive", "anthropic", "when2call", "toolrl"
    ]
    limit: Count | None
    max_bad_fraction: Fraction


class DecontaminateParams(Block):
    """decontaminate: tasks that overlap with benchmarks."""

    mode: Literal["off", "flag", "remove"]
    benchmarks: list[str]
    kinds: list[Literal["query", "ngram", "near", "tools"]]
    ngram: Annotated[int, Field(ge=5)]
    threshold: Annotated[float, Field(gt=0, le=1)]
    max_removed: Fraction

    @model_validator(mode="after")
    def _something_to_find(self) -> Self:
        for name, values in (("benchmarks", self.benchmarks), ("kinds", self.kinds)):
            if self.mode != "off" and not values:
                raise ValueError(f"{name} is empty: nothing would be found; name one, or set mode: off")
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names {Counter(values).most_common(1)[0][0]!r} twice; delete one")
        return self


# The fields of a chat request that not every server knows, or knows under this name.
RequestField = Literal["max_tokens", "temperature", "top_p", "seed", "structured_outputs"]


class ServerParams(Block):
    """llm.server: an OpenAI-compatible server."""

    base_url: str
    model: str | None
    api_key_env: str | None
    concurrency: Count
    timeout_s: Seconds
    max_retries: Annotated[int, Field(ge=0)]
    max_requests: Count | None
    max_tokens: Count | None
    max_refused_fraction: Fraction
    rename_fields: dict[RequestField, str]
    omit_fields: list[RequestField]
    extra_body: dict[str, Any]

    @model_validator(mode="after")
    def _fields(self) -> Self:
        sent = [self.rename_fields.get(name, name) for name in get_args(RequestField) if name not in self.omit_fields]
        counts = Counter(["model", "messages", *sent, *self.extra_body])
        if twice := sorted(name for name, count in counts.items() if count > 1):
            raise ValueError(f"{', '.join(twice)} would be sent twice; correct rename_fields, omit_fields, extra_body")
        if fixed := sorted({"stream", "n"} & counts.keys()):
            raise ValueError(f"{', '.join(fixed)} cannot be set: one whole answer is asked for at a time")
        try:
            json.dumps(self.extra_body, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"extra_body cannot be written as JSON ({error}); give texts, numbers, lists, blocks"
            ) from None
        return self

    @model_validator(mode="after")
    def _no_secrets(self) -> Self:
        """Git and DVC keep params.yaml for ever, so it must hold no key. The messages do not repeat it."""
        if self.api_key_env and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.api_key_env):
            raise ValueError("api_key_env is not the name of an environment variable; put the key there, its name here")
        if re.search(r"//[^/]*@|[?&][^=]*(key|token)[^=]*=", self.base_url, re.IGNORECASE):
            raise ValueError("base_url holds a password or key; export it, and name the variable in api_key_env")
        if any(re.search(r"api.?key|authorization|secret|password", name, re.IGNORECASE) for name in self.extra_body):
            raise ValueError("extra_body holds a password or key; export it, and name the variable in api_key_env")
        return self


class PriceParams(Block):
    """Prices per million tokens."""

    prompt: Annotated[float, Field(ge=0)]
    completion: Annotated[float, Field(ge=0)]


class PricesParams(PriceParams):
    """llm.prices: the prices of all models, and of single ones."""

    models: dict[str, PriceParams]


class RayParams(Block):
    """llm.ray: engines on a Ray cluster."""

    address: str | None
    replicas: Count
    pipeline_parallel_size: Count
    cpus: Annotated[float, Field(ge=0)]
    gpus: Fraction
    start_s: Seconds


# How vLLM can quantize weights while it loads them. Those of a checkpoint that is quantized already are read from it.
Quantization = Literal[
    "fp8", "fp8_per_block", "fp8_per_channel", "int8_per_channel_weight_only", "mxfp8", "nvfp4_per_token"
]


class LlmParams(Block):
    """llm: how models are asked."""

    engine: Literal["vllm", "ray", "server"]
    dtype: Literal["auto", "float32", "bfloat16", "float16"]
    max_model_len: Count
    kv_cache_gb: Annotated[float, Field(gt=0)]
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)]
    tensor_parallel_size: Count
    data_parallel_size: Count
    quantization: dict[str, Quantization]
    enable_prefix_caching: bool | None
    max_num_seqs: Count
    max_num_batched_tokens: Count | None
    keep_alive_s: Annotated[float, Field(ge=0)]
    prices: PricesParams
    server: ServerParams
    ray: RayParams

    @model_validator(mode="after")
    def _spread(self) -> Self:
        """Each part of a model that is spread over GPUs needs one of its own."""
        parts = {"tensor_parallel_size": self.tensor_parallel_size}
        parts["ray.pipeline_parallel_size"] = self.ray.pipeline_parallel_size
        if self.engine == "ray" and max(parts.values()) > 1 and self.ray.gpus != 1:
            raise ValueError(f"ray.gpus is {self.ray.gpus:g}; with {parts} it must be 1, one GPU for each part")
        if self.engine != "vllm" and self.data_parallel_size > 1:
            remedy = "set ray.replicas" if self.engine == "ray" else "the server has replicas of its own"
            raise ValueError(f"data_parallel_size is {self.data_parallel_size}, engine {self.engine}; 1 here: {remedy}")
        return self

    @model_validator(mode="after")
    def _batches(self) -> Self:
        tokens = self.max_num_batched_tokens
        if tokens is not None and tokens < self.max_num_seqs:
            remedy = f"a step decodes one token of each of max_num_seqs {self.max_num_seqs}; raise it, or give null"
            raise ValueError(f"max_num_batched_tokens is {tokens}; {remedy}")
        return self

    @model_validator(mode="after")
    def _quantized_here(self) -> Self:
        if self.quantization and self.engine == "server":
            raise ValueError("quantization cannot be set for a server, which loads the models; give {}")
        return self


class GenerateWatchParams(Block):
    """generate.watch: when a generator is given up."""

    rows: Annotated[int, Field(ge=0)]
    max_unreadable: Fraction


class GenerateParams(Block):
    """generate: sampling of the generator."""

    top_p: TopP
    max_tokens: Count
    seed: Seed
    watch: GenerateWatchParams


class WatchParams(Block):
    """judge.watch: when a judge is given up."""

    rows: Annotated[int, Field(ge=0)]
    probes: Annotated[int, Field(ge=0)]
    max_unreadable: Fraction
    min_informedness: Annotated[float, Field(ge=-1, le=1)]


class JudgeParams(Block):
    """judge: sampling of the judges."""

    temperature: Temperature
    max_tokens: Count
    seed: Seed
    max_attempts: Count
    examples: Annotated[int, Field(ge=0, le=2)]
    structured: bool
    watch: WatchParams


class CheckParams(Block):
    """The panel of a check."""

    judges: Annotated[list[Name], Field(min_length=1)]
    rule: Literal["any", "majority", "unanimous"] | Annotated[float, Field(gt=0, le=1)]


class MendingCheckParams(CheckParams):
    """The panel of a check that can replace a call."""

    max_regen: Annotated[int, Field(ge=0)]


class PerCheckParams(Block):
    """fcdr.verifier.max_error and max_loss, per check that is verified."""

    query_tool: Fraction
    cot: Fraction
    call: Fraction


class VerifierParams(Block):
    """fcdr.verifier: the operating point of the verifier, which scores the rows that no rule decides."""

    max_error: PerCheckParams
    max_false: Fraction
    max_loss: PerCheckParams


class FcdrParams(Block):
    """fcdr: the five checks."""

    mode: Literal["judge", "heuristics", "cascade"]
    undecided: Literal["likely", "drop", "keep", "hard"]
    max_removed: Fraction
    max_undecided: Fraction
    recheck_cot: bool
    verifier: VerifierParams
    response: CheckParams
    query_tool: CheckParams
    cot: CheckParams
    call: MendingCheckParams
    format: MendingCheckParams

    def panels(self) -> dict[str, CheckParams]:
        """The panel of each check, by the check's name."""
        return {name: value for name, value in self if isinstance(value, CheckParams)}


class ValidateParams(Block):
    """validate: the last step of a round."""

    labels: str
