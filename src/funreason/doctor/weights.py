"""How large a checkpoint is, from the headers of its safetensors files: nothing is loaded."""

import json
import math
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from funreason.config import ModelParams, Params

_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}  # all others: 1
_PACKED = ("I", "U", "F8", "F4")  # quantized, often several in one number


class DamagedWeights(ValueError):
    """A file that ends before its header says, or has no header."""


@dataclass(frozen=True)
class Size:
    """Of the weights: `parameters` that are not quantized, `packed` bytes of those that are, and all `bytes`."""

    parameters: int
    bytes: int
    packed: int = 0


def model_size(model: ModelParams) -> Size | None:
    """Of a local folder, or of the hub's cache; None where that is not known without asking the hub.

    Raises DamagedWeights, OSError.
    """
    folder = model_folder(model)
    return folder_size(folder) if folder else None


def model_folder(model: ModelParams) -> Path | None:
    """The folder of a model: a local one, or that of the hub's cache; None where it is not here."""
    folder = Path(model.path) if model.path else _cached(model.hub, model.revision) if model.hub else None
    return folder if folder and folder.is_dir() else None


def folder_size(folder: Path) -> Size | None:
    """None for a folder without safetensors. Raises DamagedWeights, OSError."""
    headers = [_header(file) for file in sorted(folder.glob("*.safetensors"))]
    tensors = [tensor for header in headers for tensor in header]
    if not tensors:
        return None
    counts = [math.prod(tensor["shape"]) for tensor in tensors]
    sizes = [count * _BYTES.get(tensor["dtype"], 1) for count, tensor in zip(counts, tensors, strict=True)]
    whole = [not tensor["dtype"].startswith(_PACKED) for tensor in tensors]
    return Size(sum(compress(counts, whole)), sum(sizes), sum(sizes) - sum(compress(sizes, whole)))


def named_models(params: Params) -> dict[str, ModelParams]:
    """Parameter name → model."""
    judges = {f"models.judges.{name}": model for name, model in params.models.judges.items()}
    return {"models.teacher": params.models.teacher, **judges, "models.base": params.models.base}


def _header(file: Path) -> list[dict]:
    with open(file, "rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        try:
            header = json.loads(stream.read(min(length, 100_000_000)))
            tensors = [value for name, value in header.items() if name != "__metadata__"]
            end = 8 + length + max((tensor["data_offsets"][1] for tensor in tensors), default=0)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise DamagedWeights(f"{file} is not a safetensors file") from None
    if (size := file.stat().st_size) < end:
        raise DamagedWeights(f"{file} ends at byte {size:,} of {end:,}")
    return tensors


def _cached(hub: str, revision: str | None) -> Path | None:
    from huggingface_hub import errors, snapshot_download

    try:
        return Path(snapshot_download(hub, revision=revision, local_files_only=True))
    except (errors.HFValidationError, OSError):
        return None
