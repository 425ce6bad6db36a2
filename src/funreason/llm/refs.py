"""Which model: a descriptor file or a checkpoint folder → ModelRef, whose identity follows the content.

The identity is part of every cache key: two checkpoints, or two revisions, never share a response.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from funreason.core.errors import ModelError

KINDS = ("local", "hub", "server")  # of a descriptor

# The files that decide which tokens a model writes; a trainer's own (optimizer, training_args.bin, README) do not.
MODEL_FILES = (
    "config.json",
    "generation_config.json",  # vLLM and transformers take end-of-turn tokens from it
    "*.safetensors",
    "*.safetensors.index.json",
    "pytorch_model*.bin*",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template*",
)


@dataclass(frozen=True)
class ModelRef:
    """A model whose content is pinned.

    Attributes:
        name_or_path: A local folder, a hub id, or for kind `server` the name that the server knows the model by.
        revision: A commit of the hub, or None.
        identity: Follows the content, and is part of every cache key.
        kind: local, hub or server.
        quantization: How an engine quantizes the weights while it loads them; None: not at all.
    """

    name_or_path: str
    revision: str | None
    identity: str
    kind: str = "local"
    quantization: str | None = None

    def quantized(self, methods: Mapping[str, str]) -> "ModelRef":
        """This model as it is loaded with the method for its name, if there is one: other weights, so another identity.

        Args:
            methods: llm.quantization.
        """
        method = methods.get(self.name_or_path)
        if method is None or self.quantization:
            return self
        return replace(self, identity=f"{self.identity} quantized by {method}", quantization=method)


def load_ref(path: str | Path) -> ModelRef:
    """Read a checkpoint folder (models/r0) or a descriptor (models/<role>.json). Raises ModelError."""
    path = Path(path)
    if path.is_dir():
        return ModelRef(str(path), None, folder_identity(path))
    return _from_descriptor(_descriptors(path), path)


def load_refs(path: str | Path) -> dict[str, ModelRef]:
    """Read a file of descriptors by name (models/judges.json). Raises ModelError."""
    path = Path(path)
    return {name: _from_descriptor(descriptor, path) for name, descriptor in _descriptors(path).items()}


def folder_identity(folder: str | Path) -> str:
    """sha256 over the names and contents of the model files of a checkpoint folder, in sorted order."""
    folder = Path(folder)
    names = sorted({file.name for pattern in MODEL_FILES for file in folder.glob(pattern) if file.is_file()})
    if "config.json" not in names or not any(name.endswith((".safetensors", ".bin")) for name in names):
        needed = "config.json and *.safetensors"
        raise ModelError(f"{folder} is not a Hugging Face checkpoint: {needed} are needed, it has {names}")
    total = hashlib.sha256()
    for name in names:
        status = (folder / name).stat()
        total.update(f"{name}\0{_digest(folder / name, status.st_size, status.st_mtime_ns)}\0".encode())
    return f"sha256:{total.hexdigest()}"


@lru_cache(maxsize=4096)
def _digest(file: Path, size: int, mtime_ns: int) -> str:
    # Size and time are only the memo's key: a process reads a 60 GB folder once, not once per client.
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _descriptors(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "run `dvc repro` to make it, or correct the path"
        raise ModelError(f"model {path}: no such checkpoint folder or descriptor; {remedy}") from None
    except ValueError as error:
        remedy = "run `dvc repro resolve` to write it anew"
        raise ModelError(f"model {path} is not a JSON descriptor ({error}); {remedy}") from None


def _from_descriptor(descriptor: Any, path: Path) -> ModelRef:
    kind = descriptor.get("kind") if isinstance(descriptor, dict) else None
    if kind not in KINDS or not isinstance(descriptor.get("identity"), str):
        remedy = "run `dvc repro resolve` to write it anew"
        allowed = f"allowed are {', '.join(KINDS)}, with an identity"
        raise ModelError(f"model descriptor {path}: kind is {kind!r}, {allowed}; {remedy}")
    name = descriptor.get("path" if kind == "local" else "hub") or ""
    if kind == "local" and not Path(name).is_dir():
        remedy = f"`dvc pull {name}` brings a trained one, models.* in params.yaml names the others"
        raise ModelError(f"{path} names the local model {name!r}, which is not a folder; {remedy}")
    return ModelRef(name, descriptor.get("revision"), descriptor["identity"], kind)
