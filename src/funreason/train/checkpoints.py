"""Checkpoints of one training: found again by the same parameters, rows, start model and code, by no other.

They lie outside what DVC tracks, because it deletes a stage's outputs before it runs the stage again.
"""

import hashlib
import json
import os
import shutil
import time
from pathlib import Path

import peft
import torch
import transformers
import trl
from accelerate.utils import broadcast
from transformers import TrainerCallback

from funreason.core.errors import ModelError

COMPLETE = "complete"  # written last: a checkpoint without it is half of one
COST = 20  # a save of c seconds is followed by 20·c without one: checkpoints take at most 5 % of the time


def checkpoint_root() -> Path:
    """`.checkpoints/` of the main repository, also in the temporary workspaces of DVC's experiments."""
    return Path(os.environ.get("DVC_ROOT") or ".") / ".checkpoints"


def run_key(rows: Path, identity: str, *params: dict) -> str:
    """Sixteen hex digits that differ whenever the trained weights could."""
    versions = [module.__version__ for module in (peft, torch, transformers, trl)]
    code = [_digest(path) for path in sorted(Path(__file__).parent.glob("*.py"))]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parts = [_digest(rows), identity, versions, code, device, *params]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def last_complete(folder: Path) -> str | None:
    """The newest complete checkpoint in `folder`; half-written ones are deleted."""
    found = {}
    for path in folder.glob("checkpoint-*"):
        if (path / COMPLETE).exists():
            found[int(path.name.rpartition("-")[2])] = path
        else:
            shutil.rmtree(path)
    return str(found[max(found)]) if found else None


def require_space(folder: Path, parameters: int) -> None:
    """Raise ModelError unless `folder` has room for the checkpoints of a model of this size.

    Checked beforehand: hours later, the libraries' own errors would not say that the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    needed = 2 * 12 * parameters  # two saves of the weights and Adam's two moments in float32, while one replaces one
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelError(
            f"{free / 1e9:.1f} GB free at {folder}, checkpoints need {needed / 1e9:.1f} GB; free some space"
        )


class TimedCheckpoints(TrainerCallback):
    """Saves every `seconds`, more rarely where saving is slow; a save that is complete replaces the one before."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.cost = 0.0

    def on_train_begin(self, args, state, control, **kwargs):
        self.last = time.monotonic()

    def on_step_end(self, args, state, control, **kwargs):
        self.asked = time.monotonic()
        due = self.asked - self.last >= max(self.seconds, COST * self.cost)
        if args.world_size > 1:  # the ranks' clocks differ, and saving waits for all of them
            due = bool(broadcast(torch.tensor(due, device=args.device)))
        if due and state.global_step < state.max_steps:
            control.should_save = True

    def on_save(self, args, state, control, **kwargs):
        self.last = time.monotonic()
        self.cost = self.last - self.asked
        if state.is_world_process_zero:
            new = Path(args.output_dir, f"checkpoint-{state.global_step}")
            (new / COMPLETE).touch()
            for old in set(new.parent.glob("checkpoint-*")) - {new}:
                shutil.rmtree(old)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
