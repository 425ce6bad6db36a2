"""Typed parameters: the one reader of params.yaml, and the one list of what may stand in it.

No field has a default: params.yaml is complete, so that DVC sees every knob and `-S` can set it. Types are
strict ("3" is not 3), unknown keys are refused with the nearest known one. Units, ranges and the papers'
values are comments in params.yaml.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from funreason.errors import ParamsError
from funreason.params_errors import describe

NOTHING = "data/empty.jsonl"  # stands where DVC wants a file and there is none: its templates know no null

Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Temperature = Annotated[float, Field(ge=0, le=2)]
TopP = Annotated[float, Field(gt=0, le=1)]
Seconds = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]  # no underscore: BFCL reads it back as a slash
BfclCategory = Literal[
    "simple_python", "simple_java", "simple_javascript", "multiple", "parallel", "parallel_multiple",
    "irrelevance", "live_simple", "live_multiple", "live_parallel", "live_parallel_multiple",
    "live_irrelevance", "live_relevance", "non_live", "live", "single_turn",
]  # fmt: skip


class Block(BaseModel):
    """A block of params.yaml."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class DeskParams(Block):
    seed: Seed
    pool_rows: Count
    planted_share: Share
    heldout_rows: Count
    judge_rows: Count
    code_rows: Count


class ModelParams(Block):
    path: str | None
    hub: str | None
    revision: str | None

    @model_validator(mode="after")
    def _one_source(self):
        if self.path and (self.hub or self.revision):
            raise ValueError("with a local `path`, `hub` and `revision` must be null")
        return self


class ModelsParams(Block):
    teacher: ModelParams
    judges: Annotated[dict[Name, ModelParams], Field(min_length=1)]
    base: ModelParams


class DataParams(Block):
    path: str
    hub: str | None
    revision: str | None
    split: str
    license: str | None

    @model_validator(mode="after")
    def _one_source(self):
        if bool(self.hub) == (self.path != NOTHING):
            raise ValueError(f"give a local `path` and `hub: null`, or a `hub` id and `path: {NOTHING}`")
        return self


class PrepareParams(Block):
    limit: Count | None
    max_bad_share: Share


class ServerParams(Block):
    base_url: str
    model: str | None
    api_key_env: str | None
    concurrency: Count
    timeout_s: Seconds
    max_retries: Annotated[int, Field(ge=0)]
    max_requests: Count | None
    max_tokens: Count | None

    @model_validator(mode="after")
    def _no_secrets(self):
        """DVC keeps params.yaml and its values for ever: a key has no place here. The messages do not repeat it."""
        if self.api_key_env and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.api_key_env):
            raise ValueError("api_key_env is no name of an environment variable; put the key there, its name here")
        if re.search(r"//[^/]*@|[?&][^=]*(key|token)[^=]*=", self.base_url, re.IGNORECASE):
            raise ValueError("base_url holds a password or key; export it, and name the variable in api_key_env")
        return self


class PriceParams(Block):
    prompt: Annotated[float, Field(ge=0)]
    completion: Annotated[float, Field(ge=0)]


class LlmParams(Block):
    engine: Literal["vllm", "server"]
    dtype: Literal["auto", "float32", "bfloat16", "float16"]
    max_model_len: Count
    kv_cache_gb: Annotated[float, Field(gt=0)]
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)]
    tensor_parallel_size: Count
    max_num_seqs: Count
    keep_s: Annotated[float, Field(ge=0)]
    prices: PriceParams
    server: ServerParams


class GenerateParams(Block):
    temperature: Temperature
    top_p: TopP
    max_tokens: Count
    seed: Seed
    samples: Count


class JudgeParams(Block):
    temperature: Temperature
    max_tokens: Count
    seed: Seed
    max_asks: Count
    examples: Annotated[int, Field(ge=0, le=2)]
    structured: bool


class CheckParams(Block):
    judges: Annotated[list[Name], Field(min_length=1)]
    rule: Literal["any", "majority", "unanimous"] | Annotated[float, Field(gt=0, le=1)]


class MendingCheckParams(CheckParams):
    max_regen: Annotated[int, Field(ge=0)]


class FcdrParams(Block):
    mode: Literal["judge", "rules", "cascade"]
    undecided: Literal["drop", "keep", "hard"]
    recheck_cot: bool
    response: CheckParams
    query_tool: CheckParams
    cot: CheckParams
    call: MendingCheckParams
    format: MendingCheckParams

    def panels(self) -> dict[str, CheckParams]:
        return {name: value for name, value in self if isinstance(value, CheckParams)}


class ValidateParams(Block):
    labels: str


class SetParams(Block):
    sampler: str
    init: str
    earlier: str


class SsbParams(Block):
    rate: Annotated[float, Field(gt=0)]
    anchor: Annotated[float, Field(ge=0)]
    min: Annotated[float, Field(gt=0, lt=1)]
    max: Annotated[float, Field(gt=0, lt=1)]

    @model_validator(mode="after")
    def _at_rest(self):
        if self.rate * self.anchor > 1:
            raise ValueError(f"rate {self.rate} times anchor {self.anchor} is over 1: lambda would swing; lower one")
        return self


class LossParams(Block):
    kind: Literal["msl", "ssb", "sft"]
    lambda_: Annotated[float, Field(alias="lambda", gt=0, lt=1)]
    reduction: Literal["batch", "sample"]
    ssb: SsbParams

    @model_validator(mode="after")
    def _inside(self):
        if self.kind == "ssb" and not self.ssb.min <= self.lambda_ <= self.ssb.max:
            raise ValueError(
                f"ssb starts at lambda {self.lambda_}, allowed are {self.ssb.min} (ssb.min) to {self.ssb.max}"
            )
        return self


class LoraParams(Block):
    rank: Annotated[int, Field(ge=0)]
    alpha: Count
    dropout: Annotated[float, Field(ge=0, lt=1)]
    quantize: bool

    @model_validator(mode="after")
    def _adapters(self):
        if self.quantize and not self.rank:
            raise ValueError("quantized weights cannot be trained themselves; set rank above 0, or quantize to false")
        return self


class TrainParams(Block):
    learning_rate: Annotated[float, Field(gt=0, lt=1)]
    epochs: Annotated[float, Field(gt=0)]
    batch_size: Count
    micro_batch_size: Count
    warmup_ratio: Share
    weight_decay: Annotated[float, Field(ge=0, lt=1)]
    max_length: Count
    max_dropped_share: Share
    heldout_share: Annotated[float, Field(ge=0, lt=1)]
    packing: bool
    padding_free: bool
    head: Literal["auto", "fused", "linear"]
    lora: LoraParams
    launcher: Literal["none", "ddp", "fsdp2", "zero3"]
    processes: Count
    seed: Seed
    bf16: bool
    gradient_checkpointing: bool

    @model_validator(mode="after")
    def _whole_steps(self):
        if self.batch_size % (self.micro_batch_size * self.processes):
            raise ValueError(
                f"batch_size {self.batch_size} is no multiple of micro_batch_size {self.micro_batch_size} times "
                f"{self.processes} processes"
            )
        return self

    @model_validator(mode="after")
    def _started(self):
        if self.launcher == "none" and self.processes > 1:
            raise ValueError(f"{self.processes} processes need a launcher: ddp, fsdp2 or zero3")
        return self


class BfclParams(Block):
    version: Literal["v3", "v4"]
    categories: Annotated[list[BfclCategory], Field(min_length=1)]
    limit: Count | None
    max_tokens: Count


class DeskEvalParams(Block):
    max_tokens: Count


class CodeParams(Block):
    benchmarks: list[Literal["desk", "humaneval", "humaneval+", "mbpp+"]]
    evalplus_data: str | None
    samples: Annotated[int, Field(ge=0)]
    temperature: Annotated[float, Field(gt=0, le=2)]
    max_tokens: Count
    timeout_s: Seconds


class EvaluateParams(Block):
    bfcl: BfclParams
    api_bank: str | None
    desk: DeskEvalParams
    code: CodeParams
    sandbox: Literal["auto", "bwrap", "unshare", "none"]


class Params(Block):
    desk: DeskParams
    models: ModelsParams
    data: DataParams
    prepare: PrepareParams
    llm: LlmParams
    generate: GenerateParams
    judge: JudgeParams
    fcdr: FcdrParams
    validate_: Annotated[ValidateParams, Field(alias="validate")]  # pydantic has a `validate` of its own
    sets: Annotated[dict[Name, SetParams], Field(min_length=1)]
    loss: LossParams
    train: TrainParams
    evaluate: EvaluateParams

    @model_validator(mode="after")
    def _panels(self):
        """Every seat has a model, and two seats of one model have something to differ by."""
        for check, panel in self.fcdr.panels().items():
            where, known = f"fcdr.{check}.judges", list(self.models.judges)
            if strange := [name for name in panel.judges if name not in known]:
                raise ValueError(f"{where} names {strange[0]!r}, models.judges has {known}")
            if len(set(panel.judges)) < len(panel.judges) and not self.judge.temperature:
                raise ValueError(
                    f"{where} is {panel.judges}: a greedy judge votes alike; set judge.temperature above 0"
                )
        return self

    @model_validator(mode="after")
    def _chain(self):
        """A set builds on what stands before it; DVC would only report a cycle or a missing file."""
        if reserved := {"base", "desk", "sweep"} & set(self.sets):
            raise ValueError(f"sets.{min(reserved)}: a folder of the project has this name; choose another")
        models, rows = {"models/teacher.json", "models/base.json"}, {NOTHING}
        for name, chosen in self.sets.items():
            for key, known in (("sampler", models), ("init", models), ("earlier", rows)):
                if (value := getattr(chosen, key)) not in known:
                    raise ValueError(f"sets.{name}.{key} is {value!r}, allowed here are {sorted(known)}")
            models, rows = models | {f"models/{name}"}, rows | {f"data/{name}/train.jsonl"}
        return self


def load_params(path: str | Path = "params.yaml") -> Params:
    """Read and check the whole of params.yaml. Raises ParamsError naming every bad key on one line."""
    return check_params(read_yaml(path), path)


def check_params(values: Any, where: str | Path) -> Params:
    """Check values already read; `where` is the file named in the message."""
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise ParamsError(f"{where}: {describe(error, Params)}") from None


def read_yaml(path: str | Path, typ: str = "safe"):
    """Read YAML 1.2, in which the 2e-05 that `dvc exp run -S` writes is a number (a text for PyYAML, 1.1)."""
    try:
        with open(path, encoding="utf-8") as file:
            return yaml(typ).load(file)
    except FileNotFoundError:
        raise ParamsError(f"{path} does not exist; run in the folder that holds dvc.yaml") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None


def _null(representer, _):
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def yaml(typ: str = "rt") -> YAML:
    """The project's one YAML dialect; "rt" keeps comments and the layout of params.yaml."""
    dialect = YAML(typ=typ)
    dialect.width, dialect.preserve_quotes = 4096, True
    # ruamel leaves null values blank, which reads as an accident
    dialect.representer.add_representer(type(None), _null)
    return dialect
