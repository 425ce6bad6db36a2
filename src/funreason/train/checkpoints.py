"""Checkpoints of one training: where they lie, which training they belong to, and the space they take.

They lie outside what DVC tracks, because DVC deletes a stage's outputs before it runs the stage again. This module
loads no torch: `funreason doctor` asks it for the space.
"""

import hashlib
import json
import os
import shutil
from importlib.metadata import version
from pathlib import Path

from funreason import srml
from funreason.core.errors import ModelError

COMPLETE = "complete"  # written last: a checkpoint without this file is half-written
FLOAT32 = 4  # bytes


def checkpoint_root() -> Path:
    """`.checkpoints/` of the main repository, also in the temporary workspaces of DVC's experiments."""
    return Path(os.environ.get("DVC_ROOT") or ".") / ".checkpoints"


def run_key(rows: Path, identity: str, *params: dict) -> str:
    """A name that is the same only for a training that would give the same weights.

    Args:
        rows: The file of the rows.
        identity: The start model's.
        params: All parameters of the training.

    Returns:
        Sixteen hex digits.
    """
    import torch

    versions = [version(package) for package in ("peft", "torch", "transformers", "trl")]
    folders = [Path(__file__).parent, *map(Path, srml.__path__)]
    code = [_digest(path) for folder in folders for path in sorted(folder.glob("*.py"))]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parts = [_digest(rows), identity, versions, code, device, *params]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def last_complete(folder: Path, delete: bool = True) -> str | None:
    """The newest complete checkpoint in a folder.

    Args:
        folder: The folder of the checkpoints.
        delete: Whether to delete half-written ones. Of several processes one may.

    Returns:
        The path, or None where no checkpoint is complete.
    """
    complete = {}
    for path in folder.glob("checkpoint-*"):
        if (path / COMPLETE).exists():
            complete[int(path.name.rpartition("-")[2])] = path
        elif delete:
            shutil.rmtree(path)
    return str(complete[max(complete)]) if complete else None


def checkpoint_bytes(launcher: str, keep: str, trained: int, tied: int = 0) -> int:
    """Bytes of two checkpoints, of which one replaces the other, and so of the best weights, where those are kept.

    Each holds the weight and Adam's two moments of every trained parameter, in float32. Under `fsdp2`, weights that are
    tied are written under each of their names; under `zero3`, DeepSpeed's own files come beside the gathered weights.

    Args:
        launcher: `train.launcher`.
        keep: `train.keep`.
        trained: Number of trained parameters.
        tied: Those of them that have a second name, such as an LM head that is the embedding.
    """
    again = {"fsdp2": tied, "zero3": trained}.get(launcher, 0)
    best = trained if keep == "best" else 0
    return 2 * FLOAT32 * (3 * trained + again + best)


def require_space(folder: Path, needed: int) -> None:
    """Check that there is room for the checkpoints.

    It is checked before training: hours later, the libraries' own errors would not say that the disk is full.

    Args:
        folder: Where the checkpoints go; it is made.
        needed: Their bytes.

    Raises:
        ModelError: There is less space.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelError(
            f"{free / 1e9:.1f} GB free at {folder}, checkpoints need {needed / 1e9:.1f} GB; free some space"
        )


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
