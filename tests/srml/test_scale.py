"""Adapters, launchers and heads for larger models, each through the real train stage or trainer."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from accelerate.commands.config.config_args import load_config_from_file
from rows import eight
from steps import COMMON
from train_stage import LOSS, TRAIN, kill_the_stage, train, workspace
from transformers import AutoModelForCausalLM, AutoTokenizer

from funreason.config import LoraParams, TrainParams
from funreason.core.errors import ModelError, ParamsError
from funreason.srml import SRMLConfig, SRMLTrainer
from funreason.train.adapters import quantization
from funreason.train.launch import command, use_one_gpu
from funreason.train.run import size_of
from funreason.train.start import computes_bf16

ROOT = Path(__file__).parents[2]
LORA = {"rank": 4, "alpha": 8, "dropout": 0.0, "quantize": False}


def test_adapters_end_as_a_whole_model(tiny_model, tmp_path):
    """What vLLM and the next round load is a model like any other, with other weights in its linear layers alone."""
    folder = workspace(tmp_path, tiny_model)
    train(folder, tiny_model, LOSS, TRAIN | {"lora": LORA, "learning_rate": 1e-2})
    out = folder / "models/r0"
    assert {path.name for path in out.iterdir()} == {path.name for path in tiny_model.iterdir()}
    assert json.loads((out / "config.json").read_text()) == json.loads((tiny_model / "config.json").read_text())
    before, after = (AutoModelForCausalLM.from_pretrained(f).state_dict() for f in (tiny_model, out))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {n for n in before if "proj" in n and n.endswith("weight")}
    metrics = json.loads((folder / "metrics/r0/train.json").read_text())
    assert metrics["steps"] == 6 and list((folder / ".checkpoints").iterdir()) == []


def stage(folder: Path, **environment: str) -> subprocess.CompletedProcess:
    """The train stage of r0, run as DVC runs it."""
    whole = {key: value for key, value in os.environ.items() if key != "DVC_ROOT"} | environment
    script = [sys.executable, str(ROOT / "stages/train.py"), "r0"]
    return subprocess.run(script, cwd=folder, env=whole, capture_output=True, text=True, check=False)


def test_adapters_killed_and_resumed_equal_unbroken(tiny_model, tmp_path):
    """With dropout, so that the state of the random numbers has to be resumed, too."""
    options = TRAIN | {"lora": LORA | {"dropout": 0.2}, "learning_rate": 1e-2}
    whole, broken = (workspace(tmp_path / name, tiny_model, train=options) for name in ("whole", "broken"))
    train(whole, tiny_model, LOSS, options)
    kill_the_stage(broken, 4)
    done = stage(broken)
    assert done.returncode == 0, done.stderr[-2000:]
    for path in (file for part in ("models/r0", "metrics/r0") for file in (whole / part).iterdir()):
        assert path.read_bytes() == (broken / path.relative_to(whole)).read_bytes(), path.name


def test_as_many_processes_as_the_parameters_say(tiny_model, tmp_path):
    folder = workspace(tmp_path, tiny_model, train=TRAIN | {"launcher": "ddp", "processes": 2, "micro_batch_size": 1})
    done = stage(folder, LOCAL_RANK="0", RANK="0", WORLD_SIZE="4")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "4 processes were started, `train.processes` is 2" in done.stderr


def test_the_stage_starts_itself_on_two_processes(tiny_model, tmp_path):
    """gloo, as nothing else runs here; one step over all rows, and its losses are those of one process."""
    options = TRAIN | {"epochs": 1.0, "heldout_fraction": 0.0, "batch_size": 8, "micro_batch_size": 2}
    for name, launcher, processes in (("one", "none", 1), ("two", "ddp", 2)):
        folder = workspace(tmp_path / name, tiny_model, train=options | {"launcher": launcher, "processes": processes})
        done = stage(folder)
        assert done.returncode == 0, done.stderr[-2000:]
    one, two = (json.loads((tmp_path / n / "metrics/r0/train.json").read_text()) for n in ("one", "two"))
    assert one["steps"] == two["steps"] == 1 and one["rows"] == two["rows"]
    for name in ("think", "result", "total"):
        assert two["loss"][name] == pytest.approx(one["loss"][name], rel=1e-5)


def test_every_launcher_has_a_configuration_that_accelerate_reads():
    files = {path.stem: load_config_from_file(str(path)) for path in (ROOT / "configs/accelerate").glob("*.yaml")}
    found = {name: config.distributed_type.value for name, config in files.items()}
    assert found == {"ddp": "MULTI_GPU", "fsdp2": "FSDP", "zero3": "DEEPSPEED"}
    assert files["fsdp2"].fsdp_config["fsdp_version"] == 2
    assert files["zero3"].deepspeed_config["zero_stage"] == 3


@pytest.mark.skipif(torch.accelerator.is_available(), reason="what a machine without one says")
@pytest.mark.parametrize("launcher", ["fsdp2", "zero3"])
def test_sharding_needs_accelerators(launcher):
    options = TRAIN | {"launcher": launcher, "processes": 2, "batch_size": 4}
    with pytest.raises(ParamsError, match=f"`train.launcher` is '{launcher}', which needs accelerators; .* none, ddp"):
        command(TrainParams(**options))


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is not None, reason="it is installed here")
def test_quantizing_without_bitsandbytes():
    with pytest.raises(ModelError, match="bitsandbytes is not installed; .*uv pip install.* or set it to false"):
        quantization(LoraParams(**LORA | {"quantize": True}))


def test_a_torch_without_the_linear_head(tiny_model, tmp_path, monkeypatch):
    """`auto` takes TRL's head; `linear` says what is missing."""
    monkeypatch.delattr(torch.nn.functional, "linear_cross_entropy")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
    args = SRMLConfig(str(tmp_path), **COMMON, head="linear")
    message = r"^torch \S+ has no `linear_cross_entropy`, .* install torch>=2.13; or use head='fused'$"
    with pytest.raises(ValueError, match=message):
        SRMLTrainer(model, args, train_dataset=eight(), processing_class=tokenizer)
    args = SRMLConfig(str(tmp_path), **COMMON)
    trainer = SRMLTrainer(model, args, train_dataset=eight(), processing_class=tokenizer)
    trainer.train()
    assert "mean_token_accuracy" in trainer.state.log_history[0]


def test_a_head_that_would_ignore_what_a_model_does_with_its_logits(tiny_model, tmp_path):
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
    model.config.logit_scale = 0.5
    args = SRMLConfig(str(tmp_path), **COMMON, head="linear")
    with pytest.raises(ValueError, match="Qwen2ForCausalLM has `logit_scale`, which head='linear' ignores"):
        SRMLTrainer(model, args, train_dataset=eight(), processing_class=tokenizer)
    args = SRMLConfig(str(tmp_path), **COMMON | {"max_steps": 1})
    trainer = SRMLTrainer(model, args, train_dataset=eight(), processing_class=tokenizer)
    trainer.train()
    assert "mean_token_accuracy" in trainer.state.log_history[0]  # TRL's head, of itself


@pytest.mark.parametrize(
    ("visible", "devices", "left"), [(2, None, "0"), (4, "3,1,2,0", "3"), (1, None, None), (0, "", "")]
)
def test_without_a_launcher_one_gpu_is_used(monkeypatch, capsys, visible, devices, left):
    """TRL refuses to train in one process on several GPUs, after everything before was paid for."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if devices is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    use_one_gpu(visible)
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == left
    assert ("only the first GPU" in capsys.readouterr().err) == (visible > 1)


def test_parameters_that_are_on_other_ranks_count():
    """Under ZeRO-3 a rank has empty parameters, with their real size beside them."""
    parameter = torch.nn.Parameter(torch.empty(0))
    parameter.ds_numel = 12
    assert (size_of(parameter), size_of(torch.nn.Parameter(torch.empty(3, 2)))) == (12, 6)


def test_bfloat16_on_a_cpu_is_used_where_there_is_one_and_said_where_not(tiny_model, tmp_path, capsys):
    """Weights and optimizer stay float32; what was computed in is in the metrics."""
    folder = workspace(tmp_path, tiny_model)
    train(folder, tiny_model, LOSS, TRAIN | {"bf16": True})
    metrics = json.loads((folder / "metrics/r0/train.json").read_text())
    assert metrics["autocast"] == ("bfloat16" if computes_bf16() else "float32")
    assert ("computes no bfloat16" in capsys.readouterr().err) == (not computes_bf16())
    weights = AutoModelForCausalLM.from_pretrained(folder / "models/r0", dtype="auto").state_dict()
    assert {value.dtype for value in weights.values()} == {torch.float32}
