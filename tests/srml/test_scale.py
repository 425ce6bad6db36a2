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
from safetensors.torch import load_file
from steps import COMMON
from torch.distributed.checkpoint import FileSystemReader
from train_stage import LOSS, TRAIN, kill_the_ranks, kill_the_stage, train, workspace
from transformers import AutoModelForCausalLM, AutoTokenizer

from funreason.config import LoraParams, TrainParams
from funreason.core.errors import ModelError, ParamsError
from funreason.core.jsonio import read_details
from funreason.llm import load_ref
from funreason.srml import SRMLConfig, SRMLTrainer
from funreason.train.adapters import quantization
from funreason.train.checkpoints import checkpoint_bytes
from funreason.train.launch import command, use_one_gpu
from funreason.train.run import size_of, trained_sizes
from funreason.train.start import computes_bf16, load

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
    metrics = read_details(folder / "metrics/r0/train.json")
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
    one, two = (read_details(tmp_path / n / "metrics/r0/train.json") for n in ("one", "two"))
    assert one["steps"] == two["steps"] == 1 and one["rows"] == two["rows"]
    for name in ("think", "result", "total"):
        assert two["loss"][name] == pytest.approx(one["loss"][name], rel=1e-5)


def test_sharded_killed_and_resumed_equals_unbroken(tiny_model, tmp_path):
    """Two processes under FSDP2: a checkpoint holds the weights once, and what is resumed ends in the same bytes."""
    options = TRAIN | {"launcher": "fsdp2", "processes": 2, "micro_batch_size": 1}
    whole, broken, alone = (tmp_path / name for name in ("whole", "broken", "alone"))
    kill_the_ranks(workspace(broken, tiny_model, train=options), 4, options)
    (last,) = (path.parent for path in broken.glob(".checkpoints/*/*/complete"))
    files = [path for path in last.rglob("*") if path.is_file()]
    assert not [path.name for path in files if "safetensors" in path.name or path.suffix == ".bin"]
    entries = FileSystemReader(last / "pytorch_model_fsdp_0").read_metadata().state_dict_metadata
    saved = sum(entry.size.numel() for entry in entries.values())
    assert sum(trained_sizes(AutoModelForCausalLM.from_pretrained(tiny_model))) == saved
    os.symlink(ROOT / "configs", workspace(whole, tiny_model, train=options) / "configs")
    for folder in (broken, whole):
        done = stage(folder)
        assert done.returncode == 0, done.stderr[-2000:]
    for path in (file for part in ("models/r0", "metrics/r0") for file in (whole / part).iterdir()):
        assert path.read_bytes() == (broken / path.relative_to(whole)).read_bytes(), path.name
    train(workspace(alone, tiny_model), tiny_model, LOSS, TRAIN | {"micro_batch_size": 1})
    one, two = (load_file(f / "models/r0/model.safetensors") for f in (alone, whole))
    assert max((one[name] - two[name]).abs().max() for name in one) < 1e-4  # of steps of 1e-3
    assert (whole / "models/r0/config.json").read_bytes() == (alone / "models/r0/config.json").read_bytes()


SAVING = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from accelerate import PartialState
from funreason.train.callbacks import TimedCheckpoints

rank, folder = PartialState(cpu=True).process_index, Path(sys.argv[1], "checkpoint-1")
folder.mkdir(exist_ok=True)
time.sleep(3 * rank)
(folder / f"part-{rank}").touch()
timed = TimedCheckpoints(0)
timed.asked = time.monotonic()
args = SimpleNamespace(output_dir=sys.argv[1])
timed.on_save(args, SimpleNamespace(global_step=1, is_world_process_zero=not rank), None)
if not rank:
    print(sorted(path.name for path in folder.iterdir()))
"""


def test_a_checkpoint_is_complete_when_the_slowest_rank_has_written_its_part(tmp_path):
    (tmp_path / "saving.py").write_text(SAVING)
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run([*start, "saving.py", str(tmp_path)], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "['complete', 'part-0', 'part-1']\n", done.stderr[-2000:]


def test_every_launcher_has_a_configuration_that_accelerate_reads():
    files = {path.stem: load_config_from_file(str(path)) for path in (ROOT / "configs/accelerate").glob("*.yaml")}
    found = {name: config.distributed_type.value for name, config in files.items()}
    assert found == {"ddp": "MULTI_GPU", "fsdp2": "FSDP", "zero3": "DEEPSPEED"}
    assert files["fsdp2"].fsdp_config["fsdp_version"] == 2
    assert files["zero3"].deepspeed_config["zero_stage"] == 3


@pytest.mark.skipif(torch.accelerator.is_available(), reason="what a machine without one says")
def test_zero_needs_accelerators():
    options = TRAIN | {"launcher": "zero3", "processes": 2, "batch_size": 4}
    with pytest.raises(ParamsError, match="`train.launcher` is 'zero3', which needs accelerators; .* none, ddp, fsdp2"):
        command(TrainParams(**options))


@pytest.mark.skipif(torch.cuda.is_available(), reason="what a machine without a GPU says")
@pytest.mark.parametrize("name", ["flash_attention_2", "flash_attention_3"])
def test_flash_attention_without_a_gpu(tiny_model, name):
    message = f"`train.attn_implementation` is {name}, and there is no CUDA GPU; set it to sdpa"
    with pytest.raises(ModelError, match=message):
        load(load_ref(tiny_model), attention=name)
    with pytest.raises(ValueError, match=f"attn_implementation {name} computes in bfloat16; set bf16 to true"):
        TrainParams(**TRAIN | {"attn_implementation": name})
    assert load(load_ref(tiny_model), attention="eager")[0].config._attn_implementation == "eager"


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_quantized_weights_are_stored_as_fsdp_shards_them():
    config = quantization(LoraParams(**LORA | {"quantize": True}))
    assert (
        config.bnb_4bit_quant_storage == config.bnb_4bit_compute_dtype
        and config.bnb_4bit_quant_storage.is_floating_point
    )


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


def test_the_space_of_two_checkpoints():
    """7.6 billion parameters: weights and moments are 91 GB, and 122 where the weights are written twice."""
    needs = {name: checkpoint_bytes(name, "last", 7_600_000_000) / 2e9 for name in ("none", "ddp", "fsdp2", "zero3")}
    assert needs == pytest.approx({"none": 91.2, "ddp": 91.2, "fsdp2": 91.2, "zero3": 121.6})
    assert checkpoint_bytes("fsdp2", "last", 10, tied=3) == checkpoint_bytes("fsdp2", "last", 10) + 2 * 4 * 3
    assert checkpoint_bytes("none", "best", 10) == checkpoint_bytes("none", "last", 10) + 2 * 4 * 10


def test_bfloat16_on_a_cpu_is_used_where_there_is_one_and_said_where_not(tiny_model, tmp_path, capsys):
    """Weights and optimizer stay float32; what was computed in is in the metrics."""
    folder = workspace(tmp_path, tiny_model)
    train(folder, tiny_model, LOSS, TRAIN | {"bf16": True})
    metrics = read_details(folder / "metrics/r0/train.json")
    assert metrics["autocast"] == ("bfloat16" if computes_bf16() else "float32")
    assert ("computes no bfloat16" in capsys.readouterr().err) == (not computes_bf16())
    weights = AutoModelForCausalLM.from_pretrained(folder / "models/r0", dtype="auto").state_dict()
    assert {value.dtype for value in weights.values()} == {torch.float32}
