"""The peak of a training: what the estimate says, what real trainings take, and what happens where it does not fit."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from rows import row
from tiny import tiny_tokenizer
from train_stage import LOSS, ROOT, TRAIN, train, workspace
from transformers import AutoConfig, AutoModelForCausalLM

from funreason.config import LossParams, TrainParams
from funreason.core.errors import ModelError
from funreason.core.jsonio import read_details
from funreason.srml import SRMLTrainer
from funreason.train import fallback, start
from funreason.train.adapters import lora_config
from funreason.train.launch import launched
from funreason.train.memory import (
    CPU_LENGTHS,
    Architecture,
    Batch,
    activations,
    fitting_micro_batch,
    training_peak,
)
from funreason.train.start import training_config

TOY = ROOT / "toy/models/toy-base"
SIZES = {
    "hidden_size": 96,
    "intermediate_size": 320,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "vocab_size": 500,
}
FAMILIES = {
    "llama": {"num_key_value_heads": 2, "head_dim": 16},
    "qwen2": {"num_key_value_heads": 3},
    "mistral": {"num_key_value_heads": 6, "head_dim": 32, "sliding_window": None},
}
# Peaks of three optimizer steps, each in a process of its own (docs/LOG.md): model, micro-batch, accumulation, tokens,
# train.*, LoRA's rank, fraction of labelled tokens, bytes.
SMOLLM2 = {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
           "num_key_value_heads": 3, "head_dim": 64, "vocab_size": 49152}  # fmt: skip
TOYS = {"hidden_size": 192, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 6,
        "head_dim": 32, "vocab_size": 3584}  # fmt: skip
WIDE = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 4, "num_attention_heads": 8,
        "num_key_value_heads": 2, "head_dim": 32, "vocab_size": 151936}  # fmt: skip
PEAKS = [
    (SMOLLM2, 134_515_008, 1, 1, 256, {}, 0, 3098), (SMOLLM2, 134_515_008, 2, 1, 512, {}, 0, 4174),
    (SMOLLM2, 134_515_008, 2, 2, 512, {}, 0, 4879), (SMOLLM2, 134_515_008, 2, 1, 512, {"bf16": True}, 0, 3854),
    (SMOLLM2, 134_515_008, 2, 4, 768, {"bf16": True}, 0, 5392),  # rows of 507 to 762 tokens
    (SMOLLM2, 134_515_008, 2, 4, 1024, {"bf16": True}, 0, 5996),  # rows of 882 to 995 tokens
    (SMOLLM2, 134_515_008, 2, 4, 1024, {"bf16": True}, 0, 6400),  # the profile `real`: rows of many lengths
    (SMOLLM2, 134_515_008, 2, 1, 512, {}, 16, 3622), (SMOLLM2, 134_515_008, 4, 1, 512, {}, 0, 5913),
    (SMOLLM2, 134_515_008, 2, 1, 512, {"gradient_checkpointing": True}, 0, 3182),
    (TOYS, 2_462_400, 16, 1, 512, {}, 0, 1392), (TOYS, 2_462_400, 2, 1, 3000, {}, 0, 1204),
    (TOYS, 2_462_400, 2, 1, 1000, {"packing": True}, 0, 866), (TOYS, 2_462_400, 16, 1, 256, {}, 8, 1137),
    (WIDE, 42_700_000, 4, 1, 512, {}, 0, 1774), (WIDE, 42_700_000, 4, 1, 512, {"head": "fused"}, 0, 2857),
]  # fmt: skip


def options(rank: int = 0, **changes) -> TrainParams:
    return TrainParams(**TRAIN | {"lora": TRAIN["lora"] | {"rank": rank}} | changes)


@pytest.mark.parametrize(("config", "parameters", "rows", "accumulation", "tokens", "changes", "rank", "peak"), PEAKS)
def test_the_estimate_is_within_a_tenth_of_measured_peaks(
    config, parameters, rows, accumulation, tokens, changes, rank, peak
):
    train = options(rank, micro_batch_size=rows, batch_size=rows * accumulation, max_length=tokens, **changes)
    batch, bf16 = Batch(rows, tokens, 0.6), changes.get("bf16", False)
    found = training_peak(parameters, Architecture.of(config), train, batch, bf16=bf16, gpu=False)
    assert found.total == pytest.approx(peak * 1e6, rel=0.1)


@pytest.mark.parametrize("rank", [0, 4])
@pytest.mark.parametrize("family", list(FAMILIES))
def test_activations_are_those_that_autograd_keeps(family, rank):
    config = AutoConfig.for_model(family, **SIZES, **FAMILIES[family])
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    train = options(rank)
    if rank:
        from peft import get_peft_model

        model = get_peft_model(model, lora_config(train.lora))
    ids = torch.randint(0, 500, (2, 64))
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)  # the tensor, so that its place is not used again
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model.get_base_model().model(ids) if rank else model.model(ids)
    estimated = activations(Architecture.of(config.to_dict()), train, Batch(2, 64), bf16=False)
    assert sum(size for size, _ in kept.values()) == pytest.approx(estimated, rel=0.05)


def test_experts_and_nested_or_unknown_sizes():
    experts = SMOLLM2 | {"num_experts_per_tok": 8, "moe_intermediate_size": 128, "num_experts": 64}
    assert Architecture.of(experts).mlp == 1024
    assert Architecture.of({"text_config": SMOLLM2}) == Architecture.of(SMOLLM2)
    assert Architecture.of({"n_embd": 768}) is None


def test_the_largest_divisor_that_fits_is_taken():
    train = options(batch_size=24, micro_batch_size=12, processes=2, launcher="ddp")

    def peak(rows):
        return training_peak(10**6, Architecture.of(TOYS), train, Batch(rows, 500), bf16=False, gpu=False)

    for size in (12, 6, 4, 3, 2, 1):
        assert fitting_micro_batch(train, peak, peak(size).total * 1.06) == size
    assert fitting_micro_batch(train, peak, 10**6) is None


def test_what_cannot_fit_is_trained_in_smaller_micro_batches(tiny_model, tmp_path, monkeypatch, capsys):
    """The same losses, and the metrics and the log say what was done."""
    changed = TRAIN | {"micro_batch_size": 4, "heldout_fraction": 0.0}
    train(workspace(tmp_path / "whole", tiny_model), tiny_model, LOSS, changed)
    assert "at most" in (last := capsys.readouterr().err) and "expected" in last
    monkeypatch.setattr(fallback, "memory_room", lambda train: 562e6)  # a micro-batch of one takes 560.8 MB
    train(workspace(tmp_path / "parts", tiny_model), tiny_model, LOSS, changed)
    found = [read_details(tmp_path / name / "metrics/r0/train.json") for name in ("whole", "parts")]
    assert [metrics.pop("micro_batch_size") for metrics in found] in ([4, 1], [4, 2])
    assert found[0]["steps"] == found[1]["steps"]
    assert found[1]["loss"] == pytest.approx(found[0]["loss"], rel=1e-4)
    printed = capsys.readouterr().err
    assert re.search(r"micro_batch_size 4 takes about 0.6 GB, free are 0.6 GB: micro_batch_size [12] takes", printed)


LIMITED = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from train_stage import LOSS, TRAIN, train, workspace
from rows import row
from funreason.core.jsonio import write_jsonl
from funreason.train import run
folder, model, room = Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
workspace(folder, model)
write_jsonl(folder / "data/r0/train.jsonl", [row(f"<think>{'it is so ' * 300}</think>[f(a={n})]") for n in range(8)])
if room:  # for the first attempt, once everything is loaded
    real = run.with_fallback
    def limited(train, peak, attempt):
        def tried(sized):
            size = int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1]) * 1024
            limit = size + room if sized.micro_batch_size == 8 else resource.RLIM_INFINITY
            resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
            return attempt(sized)
        return real(train, peak, tried)
    run.with_fallback = limited
changed = {"batch_size": 8, "micro_batch_size": 8, "epochs": 1.0, "max_length": 8000, "heldout_fraction": 0.0}
train(folder, model, LOSS, TRAIN | changed)
"""


def limited(folder: Path, model: Path, room: int) -> tuple[dict, str]:
    """Train in a process whose first attempt may take `room` bytes more than it has; 0 is no limit."""
    command = [sys.executable, "-c", LIMITED, str(Path(__file__).parent), str(folder), str(model), str(room)]
    done = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert not done.returncode, done.stderr[-2000:]
    return read_details(folder / "metrics/r0/train.json"), done.stderr


def test_a_training_that_runs_out_of_memory_goes_on_with_smaller_micro_batches(tmp_path):
    """The allocator refuses, for real."""
    whole, _ = limited(tmp_path / "whole", TOY, 0)
    parts, printed = limited(tmp_path / "parts", TOY, 400 * 10**6)
    assert whole.pop("micro_batch_size") == 8 and parts.pop("micro_batch_size") == 4
    assert "out of memory with micro-batches of 8 (" in printed and "going on with 4, the same gradient" in printed
    assert parts["loss"] == pytest.approx(whole["loss"], rel=1e-3) and parts["steps"] == whole["steps"]


def test_what_no_micro_batch_fits_says_what_to_change():
    def attempt(train):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried")

    with pytest.raises(ModelError, match=r"with micro-batches of 1 \(.*can't allocate.*lower train.max_length"):
        fallback.with_fallback(options(), None, attempt)

    def broken(train):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        fallback.with_fallback(options(), None, broken)


RANKS = """
import os, sys
from pathlib import Path
if os.environ.get("FUNREASON_MICRO_BATCH") == "2":
    Path(sys.argv[1], os.environ["RANK"]).touch()
    sys.exit()
if os.environ["RANK"] == "1":
    Path(os.environ["FUNREASON_NEXT_MICRO_BATCH"]).write_text("2")
    sys.exit(1)
"""


def test_all_ranks_start_again_where_one_ran_out_of_memory(tmp_path, capsys):
    script = tmp_path / "stage.py"
    script.write_text(RANKS)
    assert launched(options(launcher="ddp", processes=2, batch_size=8, micro_batch_size=4), str(script), str(tmp_path))
    assert (tmp_path / "0").exists() and (tmp_path / "1").exists()
    assert "all processes go on with micro-batches of 2" in capsys.readouterr().err


@pytest.mark.parametrize("form", [{}, {"padding_free": True}, {"packing": True}])
def test_on_a_cpu_bfloat16_meets_few_lengths(tiny_model, tmp_path, monkeypatch, form):
    """Kernels are kept per length. The losses are those of the batches as they are."""
    monkeypatch.setattr(start, "computes_bf16", lambda: True)
    rows = [row(f"<think>{'so ' * 7 * n}</think>[f(a={n})]") for n in range(1, 9)]
    widths, losses = {}, {}
    for bf16 in (False, True):
        args = training_config(tmp_path, LossParams(**LOSS), options(bf16=bf16, epochs=1.0, **form))
        args.bf16 = False  # so that the losses can be compared
        model = AutoModelForCausalLM.from_pretrained(tiny_model)
        trainer = SRMLTrainer(model, args, train_dataset=rows, processing_class=tiny_tokenizer())
        batches = list(trainer.get_train_dataloader())
        widths[bf16] = [batch["input_ids"].shape[1] for batch in batches]
        with torch.no_grad():
            losses[bf16] = sum(trainer.compute_loss(trainer.model.eval(), batch).item() for batch in batches)
    assert all(width % CPU_LENGTHS == 0 for width in widths[True]) and widths[True] != widths[False]
    assert losses[True] == pytest.approx(losses[False], rel=1e-6)
