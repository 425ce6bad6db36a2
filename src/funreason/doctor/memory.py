"""GPUs and memory, without loading torch. Does a model fit: to answer (vLLM), and to be trained?

What does not fit by weights, gradients and the optimizer alone is an error. Activations and logits of a training are
estimated (`funreason.train.memory`): where they do not fit, another micro-batch is suggested.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from funreason.config import Params, TrainParams
from funreason.doctor.diagnosis import Diagnosis, error, gb, ok, warning
from funreason.doctor.rows import trained_rows
from funreason.doctor.weights import DamagedWeights, Size, model_folder, model_size, named_models
from funreason.llm.dtype import cpu_dtype
from funreason.llm.hardware import Gpu, cpu_computes_bf16
from funreason.train.memory import (
    QUANTIZED,
    SHARDING,
    Architecture,
    Batch,
    Peak,
    fitting_micro_batch,
    training_peak,
)

SERVED = {"float32": 4, "bfloat16": 2, "float16": 2}  # bytes per parameter
TRAINED = 16  # bytes per parameter: weights, gradient and AdamW's two moments, all float32 (bf16 is autocast)
FROZEN = 4  # under LoRA adapters; QUANTIZED under quantized ones
TIGHT = 0.8


@dataclass(frozen=True)
class Machine:
    """`gpus` may be none; `memory` is (bytes in all, bytes available)."""

    gpus: list[Gpu]
    memory: tuple[int, int]


def serving(params: Params, machine: Machine) -> Iterator[Diagnosis]:
    """The largest model that vLLM loads here, in llm.dtype or quantized, spread over llm.tensor_parallel_size."""
    if params.llm.engine != "vllm":
        return
    spread, copies, gpus = params.llm.tensor_parallel_size, params.llm.data_parallel_size, machine.gpus
    if gpus and spread * copies > len(gpus):
        what = f"llm.tensor_parallel_size is {spread}, data_parallel_size {copies}"
        yield error(f"{what}, this machine has {len(gpus)} GPUs", "lower one of them")
        return
    if gpus and params.llm.dtype == "bfloat16" and not all(gpu.bf16 for gpu in gpus):
        yield error(f"llm.dtype is bfloat16, which {gpus[0].name} lacks", "set llm.dtype to float16")
    dtype: str = params.llm.dtype
    if dtype == "auto" and not gpus:
        dtype = cpu_dtype(cpu_computes_bf16())
    needs = {where: _served(size, params, where, dtype) for where, size in _sizes(params).items()}
    if not needs:
        return
    where = max(needs, key=lambda name: needs[name])
    need = needs[where]
    if gpus:
        room = min(gpu.bytes for gpu in gpus) * params.llm.gpu_memory_utilization
        what = f"{where} takes {gb(need / spread)} of the {gb(room)} that vLLM may use of a GPU"
        yield _fits(what, need / spread, room, "raise llm.tensor_parallel_size, or choose a smaller model")
    else:
        need = copies * (need + params.llm.kv_cache_gb * 2**30)
        what = f"{where} and llm.kv_cache_gb take {gb(need)} of {gb(machine.memory[1])} free memory"
        yield _in_memory(what, need, machine, "lower llm.kv_cache_gb, choose a smaller model, or use a GPU")


def training(params: Params, machine: Machine) -> Iterator[Diagnosis]:
    """models.base with its gradients and AdamW's moments, sharded where the launcher shards."""
    train, gpus = params.train, machine.gpus
    if gpus and train.processes > len(gpus):
        remedy = "lower it, or start the launcher on the other machines, too"
        yield warning(f"train.processes is {train.processes}, this machine has {len(gpus)} GPUs", remedy)
    if not gpus and train.launcher == "zero3":
        yield error("train.launcher is zero3, which needs GPUs; here are none", "set it to none or ddp")
    if not gpus and train.launcher == "fsdp2":
        yield warning("train.launcher is fsdp2 without GPUs: it rehearses, and saves no memory", "set it to ddp")
    if gpus and train.bf16 and not all(gpu.bf16 for gpu in gpus):
        yield error(f"train.bf16 is true, {gpus[0].name} has no bfloat16", "set it to false")
    yield from _packages(train, machine)
    size = _sizes(params).get("models.base")
    if size is None:
        return
    each = (QUANTIZED if train.lora.quantize else FROZEN) if train.lora.rank else TRAINED
    need = size.parameters * each / (train.processes if train.launcher in SHARDING else 1)
    what = f"training models.base ({each} bytes for each of {size.parameters / 1e6:,.1f} M parameters) takes {gb(need)}"
    if whole := _whole_gradients(train, size.parameters):
        need += whole
        what += f", and {gb(whole)} of gradients that FSDP2 keeps whole between micro-batches: {gb(need)}"
    remedy = "set train.launcher to fsdp2 or zero3 on more GPUs, train.lora.rank, or choose a smaller model"
    if gpus:
        room = min(gpu.bytes for gpu in gpus)
        fixed = _fits(f"{what} of the {gb(room)} of a GPU", need, room, remedy)
    else:
        need *= train.processes
        room = machine.memory[1] // train.processes
        fixed = _in_memory(f"{what} of {gb(machine.memory[1])} free memory", need, machine, remedy)
    yield fixed
    if fixed.level != "error":
        yield from _micro_batch(params, size, room, gpu=bool(gpus))


def _micro_batch(params: Params, size: Size, room: float, *, gpu: bool) -> Iterator[Diagnosis]:
    """Whether the largest micro-batch fits beside the model, and which one would."""
    train, shape = params.train, _shape(params)
    if shape is None:
        return
    rows = trained_rows(params)
    longest = min((rows and rows[1]) or train.max_length, train.max_length)
    tokens = train.max_length if train.packing else longest
    bf16 = train.bf16 and (gpu or cpu_computes_bf16())

    def peak(rows: int) -> Peak:
        return training_peak(size.parameters, shape, train, Batch(rows, tokens), bf16=bf16, gpu=gpu)

    wanted, fits = train.micro_batch_size, fitting_micro_batch(train, peak, room)
    need = peak(wanted)
    what = (
        f"train.micro_batch_size {wanted} with rows of up to {tokens:,} tokens takes about {gb(need.total)} at "
        f"its peak: {gb(need.model)} for weights, gradients and AdamW, {gb(need.batch)} for activations and logits, "
        f"{gb(need.process)} for the process; free for it are {gb(room)}"
    )
    if fits == wanted:
        yield ok(what)
    elif fits:
        less = f"{fits} fits with {gb(peak(fits).total)}, and `train` takes it by itself (same batch and gradient)"
        yield warning(what, f"set it to a value that fits: {less}")
    else:
        remedy = "lower train.max_length, set train.gradient_checkpointing or train.lora.rank, or free memory"
        yield warning(f"{what}, and {gb(peak(1).total)} with micro-batches of 1", remedy)


def _shape(params: Params) -> Architecture | None:
    folder = model_folder(params.models.base)
    try:
        return Architecture.of(json.loads((folder / "config.json").read_text(encoding="utf-8"))) if folder else None
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _packages(train: TrainParams, machine: Machine) -> Iterator[Diagnosis]:
    """What the training needs beside the lock."""
    attention = train.attn_implementation or ""
    if attention.startswith("flash") and not machine.gpus:
        yield error(f"train.attn_implementation is {attention}, which needs a GPU; here is none", "set it to sdpa")
        return
    needed = {
        "flash_attn": ("attn_implementation", "extra flash", attention == "flash_attention_2"),
        "flash_attn_interface": ("attn_implementation", "from its source", attention == "flash_attention_3"),
        "bitsandbytes": ("lora.quantize", "extra quant", train.lora.quantize),
        "deepspeed": ("launcher", "extra deepspeed", train.launcher == "zero3"),
    }
    for package, (name, how, wanted) in needed.items():
        if wanted and find_spec(package) is None:
            yield error(f"train.{name} needs {package}, which is not installed", f"install it ({how}), or change it")


def _whole_gradients(train: TrainParams, parameters: int) -> int:
    """Bytes of the float32 gradients that each GPU keeps under FSDP2 where a step has several micro-batches."""
    accumulates = train.batch_size > train.micro_batch_size * train.processes
    return 4 * parameters if train.launcher == "fsdp2" and accumulates and not train.lora.rank else 0


def gpu_list(machine: Machine) -> Iterator[Diagnosis]:
    """What GPUs there are."""
    if machine.gpus:
        yield ok(f"{len(machine.gpus)} GPUs: {machine.gpus[0].name}, {gb(machine.gpus[0].bytes)} each")
    else:
        yield ok("no NVIDIA GPU: models answer and are trained on the processor")


def _served(size: Size, params: Params, where: str, dtype: str) -> float:
    """Bytes of a model's weights in vLLM. Those that a checkpoint has quantized stay as they are."""
    model = named_models(params)[where]
    if params.llm.quantization.get(model.path or model.hub or ""):
        return size.parameters  # at most: the methods take a byte per parameter or less
    return size.bytes if dtype == "auto" else size.parameters * SERVED[dtype] + size.packed


def _fits(what: str, need: float, room: float, remedy: str) -> Diagnosis:
    if need > room:
        return error(what, remedy)
    return warning(what, remedy) if need > TIGHT * room else ok(what)


def _in_memory(what: str, need: float, machine: Machine, remedy: str) -> Diagnosis:
    total, free = machine.memory
    if need > total:
        return error(f"{what}, {gb(total)} in all", remedy)
    return warning(what, f"end other programs, or {remedy}") if need > TIGHT * free else ok(what)


def _sizes(params: Params) -> dict[str, Size]:
    """Parameter name → size, of the models whose weights are at hand."""
    sizes = {}
    for where, model in named_models(params).items():
        try:
            size = model_size(model)
        except (DamagedWeights, OSError):  # access.models tells
            continue
        if size:
            sizes[where] = size
    return sizes
