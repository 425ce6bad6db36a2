"""The train stage: a folder as it finds one, and the library's part of it in this process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from rows import eight, row
from ruamel.yaml import YAML

from funreason.config import LossParams, TrainParams
from funreason.core.jsonio import write_json, write_jsonl
from funreason.llm import load_ref
from funreason.train.launch import command, environment
from funreason.train.run import train_round

ROOT = Path(__file__).parents[2]
LOSS = {
    "kind": "ssb", "lambda": 0.7, "reduction": "batch",
    "ssb": {"rule": "anchored", "rate": 0.3, "anchor": 0.1, "min": 0.1, "max": 0.95},
}  # fmt: skip
TRAIN = {
    "learning_rate": 1e-3, "epochs": 3.0, "batch_size": 4, "micro_batch_size": 2, "warmup_ratio": 0.1,
    "weight_decay": 0.0, "max_length": 500, "max_dropped_fraction": 0.2, "seed": 3, "bf16": False,
    "gradient_checkpointing": False, "heldout_fraction": 0.2, "heldout_by": "row",
    "eval_rows": 0, "keep": "last", "packing": False, "padding_free": False, "attn_implementation": None,
    "head": "auto", "launcher": "none", "processes": 1, "report_to": "none",
    "lora": {"rank": 0, "alpha": 8, "dropout": 0.0, "quantize": False},
}  # fmt: skip
# Runs the real stage with a save every step, and dies in the save of the given step after writing the one before.
DYING = """
import os, runpy, signal, sys
from funreason.train import callbacks
real = callbacks.TimedCheckpoints
class Dying(real):
    def __init__(self, seconds): super().__init__(0); self.saves = 0
    def on_step_end(self, *a, **k): self.cost = 0; super().on_step_end(*a, **k)
    def on_save(self, args, state, control, **k):
        if state.global_step == STEP: os.kill(os.getpid(), signal.SIGKILL)
        super().on_save(args, state, control, **k)
callbacks.TimedCheckpoints = Dying
sys.path.insert(0, os.path.dirname(sys.argv[1]))
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


def workspace(folder: Path, model: Path, train: dict = TRAIN) -> Path:
    """A folder as the stage finds it: params.yaml, rows and method of r0, the descriptor of its start model."""
    params = YAML(typ="safe").load(ROOT / "profiles" / "toy.yaml")
    write_json(folder / "params.yaml", params | {"loss": LOSS, "train": train})  # JSON is YAML
    write_jsonl(folder / "data/r0/train.jsonl", [*eight(), row("<think>never closed")])
    write_json(folder / "data/r0/method.json", {"method": "sft"})
    descriptor = {"kind": "local", "path": str(model), "revision": None, "identity": load_ref(model).identity}
    write_json(folder / "models/base.json", descriptor)
    return folder


def train(folder: Path, model: Path, loss: dict, options: dict, tokens: Path | None = None) -> None:
    """Train r0 in a workspace."""
    train_round(
        folder / "data/r0/train.jsonl", load_ref(model), folder / "models/r0", folder / "metrics/r0",
        LossParams(**loss), TrainParams(**options), checkpoints=folder / ".checkpoints", tokens=tokens,
    )  # fmt: skip


def kill_the_ranks(folder: Path, step: int, options: dict) -> None:
    """The same under a launcher: the ranks die, and it ends with an error."""
    script = folder / "dying.py"
    script.write_text(DYING.replace("STEP", str(step)))
    params = TrainParams(**options)
    os.symlink(ROOT / "configs", folder / "configs")
    whole = {key: value for key, value in os.environ.items() if key != "DVC_ROOT"} | environment(params)
    ranks = [*command(params), str(script), str(ROOT / "stages" / "train.py"), "r0"]
    assert subprocess.run(ranks, cwd=folder, env=whole, capture_output=True).returncode != 0
    script.unlink()


def kill_the_stage(folder: Path, step: int) -> None:
    command = [sys.executable, "-c", DYING.replace("STEP", str(step)), str(ROOT / "stages" / "train.py"), "r0"]
    killed = subprocess.run(command, cwd=folder, env={**os.environ, "DVC_ROOT": ""}, capture_output=True, text=True)
    # Nothing else: no progress bar, no line per step, where stderr is no terminal.
    assert (killed.returncode, killed.stdout, killed.stderr) == (-signal.SIGKILL, "", "")
