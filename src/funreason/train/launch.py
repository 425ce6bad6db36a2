"""One training on several processes: the train stage starts itself anew under a launcher."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import torch

from funreason.config.params import TrainParams
from funreason.core.errors import ModelError, ParamsError

CONFIGS = Path("configs", "accelerate")


def launched(train: TrainParams, script: str, *arguments: str) -> bool:
    """Run `script` on `train.processes` processes and return True; False where this process is to train itself.

    That is so with `launcher: none`, and in the processes that a launcher has started. Raises ModelError if they fail,
    ParamsError if they are not as many as `train.processes`.
    """
    started = int(os.environ.get("WORLD_SIZE", 1))
    if started > 1 and started != train.processes:
        raise ParamsError(
            f"{started} processes were started, `train.processes` is {train.processes}: the batches would be others; "
            "set it to their number, or let the stage start them"
        )
    if train.launcher == "none" or "LOCAL_RANK" in os.environ:
        return False
    status = subprocess.run([*command(train), script, *arguments]).returncode
    if status:
        raise ModelError(f"`train.launcher` {train.launcher} ended with status {status}; what failed stands above")
    return True


def command(train: TrainParams) -> list[str]:
    """accelerate with our configuration on accelerators; torchrun on CPUs, where accelerate would start one process."""
    if torch.accelerator.is_available():
        config = CONFIGS / f"{train.launcher}.yaml"
        if not config.exists():
            raise ParamsError(f"{config} does not exist; run in the folder that holds dvc.yaml")
        start = ["accelerate.commands.launch", "--config_file", str(config), "--num_processes", str(train.processes)]
    elif train.launcher == "ddp":
        start = ["torch.distributed.run", "--standalone", f"--nproc_per_node={train.processes}"]
    else:
        raise ParamsError(f"`train.launcher` is {train.launcher!r}, which needs accelerators; allowed here: none, ddp")
    return [*_tied(), sys.executable, "-m", *start]


def _tied() -> list[str]:
    """What lets a command end with this process, where there is util-linux; the ranks end with the launcher."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
