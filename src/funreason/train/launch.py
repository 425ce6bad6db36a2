"""One training on several processes: the train stage starts itself again under a launcher."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from funreason.config import TrainParams
from funreason.core.errors import ModelError, ParamsError
from funreason.train.fallback import NEXT_FILE, SIZE
from funreason.train.sharding import fsdp_environment, shard_on_cpus

CONFIGS = Path("configs", "accelerate")
ON_CPUS = ("ddp", "fsdp2")  # fsdp2 saves no memory there, whose processes share it: it rehearses a run on GPUs


def launched(train: TrainParams, script: str, *arguments: str) -> bool:
    """Train in `train.processes` processes, unless this process is to train itself.

    It is with `launcher: none`, and where a launcher has started it.

    Args:
        train: `launcher` and `processes`.
        script: The stage's script.
        arguments: The script's arguments.

    Returns:
        Whether the processes have trained.

    Raises:
        ModelError: The processes failed.
        ParamsError: They are not as many as `train.processes`, or the launcher does not work here.
    """
    started = int(os.environ.get("WORLD_SIZE", 1))
    if started > 1 and started != train.processes:
        raise ParamsError(
            f"{started} processes were started, `train.processes` is {train.processes}: the batches would differ; "
            "set it to their number, or let the stage start them"
        )
    if "LOCAL_RANK" in os.environ:
        if not torch.accelerator.is_available():
            shard_on_cpus()
        return False
    if train.launcher == "none":
        use_one_gpu(torch.cuda.device_count())
        return False
    with tempfile.TemporaryDirectory() as folder:
        next_size = Path(folder, "micro_batch_size")
        settings = os.environ | environment(train) | {NEXT_FILE: str(next_size)}
        while status := subprocess.run([*command(train), script, *arguments], env=settings).returncode:
            if not next_size.exists():
                raise ModelError(f"`train.launcher` {train.launcher} ended with status {status}; see its error above")
            settings[SIZE] = next_size.read_text()
            next_size.unlink()
            print(f"train: out of memory: all processes go on with micro-batches of {settings[SIZE]}", file=sys.stderr)
    return True


def use_one_gpu(visible: int) -> None:
    """Hide all GPUs but the first from this process: with several, Trainer would take them all, and TRL refuses that.

    It has to be called before anything is put on a GPU.

    Args:
        visible: How many GPUs this process sees.
    """
    if visible < 2:
        return
    first = (os.environ.get("CUDA_VISIBLE_DEVICES") or "0").split(",")[0]
    os.environ["CUDA_VISIBLE_DEVICES"] = first
    more = f"for all {visible}, set it to ddp, fsdp2 or zero3, and train.processes to {visible}"
    print(f"train: `train.launcher` is none, so only the first GPU ({first}) is used; {more}", file=sys.stderr)


def command(train: TrainParams) -> list[str]:
    """accelerate with our configuration on accelerators; torchrun on CPUs, where accelerate would start one process."""
    if torch.accelerator.is_available():
        config = str(_config(train))
        start = ["accelerate.commands.launch", "--config_file", config, "--num_processes", str(train.processes)]
    elif train.launcher in ON_CPUS:
        start = ["torch.distributed.run", "--standalone", f"--nproc_per_node={train.processes}"]
    else:
        allowed = ", ".join(("none", *ON_CPUS))
        raise ParamsError(f"`train.launcher` is {train.launcher!r}, which needs accelerators; allowed here: {allowed}")
    return [*_tied(), sys.executable, "-m", *start]


def environment(train: TrainParams) -> dict[str, str]:
    """What torchrun's processes need beside the command: FSDP's settings, which accelerate hands to its own."""
    sharded = train.launcher == "fsdp2" and not torch.accelerator.is_available()
    return fsdp_environment(_config(train)) if sharded else {}


def _config(train: TrainParams) -> Path:
    config = CONFIGS / f"{train.launcher}.yaml"
    if not config.exists():
        raise ParamsError(f"{config} does not exist; run in the folder that holds dvc.yaml")
    return config


def _tied() -> list[str]:
    """The start of a command that ends with this process, where there is util-linux; ranks end with their launcher."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
