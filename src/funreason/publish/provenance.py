"""Where the rows come from, by content: source and models with their hashes, and every prompt file."""

import hashlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from funreason.core.errors import DataError
from funreason.core.jsonio import read_json
from funreason.core.paths import JUDGES, SOURCE, descriptor, model_folder

PROMPTS = ("calling", "judge_")  # what the files begin with whose texts samplers and judges were given


def provenance(sampler: str) -> dict[str, list[tuple[str, str, str]]]:
    """{"inputs": (role, name, hash) …, "prompts": …}. Raises DataError where a descriptor is missing or broken."""
    judges, source = read_json(JUDGES), read_json(SOURCE)
    inputs = [_input("source", source)]
    inputs += [_input("second source", source["multi_turn"])] if "multi_turn" in source else []
    inputs.append(_input("teacher", read_json(descriptor("teacher"))))
    inputs += [_input(f"judge `{name}`", descriptor) for name, descriptor in judges.items()]
    inputs.append(_input("student, whose tokenizer counted", read_json(descriptor("base"))))
    if sampler != "teacher":
        own = f"`{model_folder(sampler)}`"
        inputs.append(("sampler of this set's own rows", own, "trained by this pipeline, see its dvc.lock"))
    return {"inputs": inputs, "prompts": list(_prompts())}


def _input(role: str, descriptor: dict) -> tuple[str, str, str]:
    """Of a local path only the last part is told: where somebody keeps their files is nobody's business."""
    try:
        local = descriptor["kind"] == "local"
        name = Path(descriptor["path"]).name if local else descriptor["hub"]
        identity = descriptor["identity"]
    except (KeyError, TypeError):
        raise DataError(f"the descriptor of the {role} is broken; run `dvc repro --force resolve`") from None
    revision = f" at `{descriptor['revision']}`" if descriptor.get("revision") else ""
    return role, f"`{name}`{revision}", f"`{identity}`"


def _prompts() -> Iterator[tuple[str, str, str]]:
    """Templates and worked examples, by the sha256 of their files as `sha256sum` prints it."""
    for file in sorted(resources.files("funreason.prompts").iterdir(), key=lambda file: file.name):
        if file.name.startswith(PROMPTS) and file.name.endswith((".txt", ".json")):
            yield "prompt", f"`{file.name}`", f"`sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}`"
