"""Where the rows come from: source and models with the hashes of their content, and every prompt file."""

import hashlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from funreason.core.errors import DataError
from funreason.core.jsonio import read_json
from funreason.core.paths import JUDGES, SOURCE, descriptor, model_folder

PROMPTS = ("calling", "judge_")  # the beginnings of the names of the files whose texts generators and judges read


def provenance(generator: str) -> dict[str, list[tuple[str, str, str]]]:
    """What the rows of a round were made from.

    Args:
        generator: The round whose model wrote the rows, or teacher.

    Returns:
        `inputs` and `prompts`, each a list of (role, name, hash) in Markdown.

    Raises:
        DataError: A descriptor is missing or broken.
    """
    judges, source = read_json(JUDGES), read_json(SOURCE)
    inputs = [_input("source", source)]
    inputs += [_input("second source", source["multi_turn"])] if "multi_turn" in source else []
    inputs.append(_input("teacher", read_json(descriptor("teacher"))))
    inputs += [_input(f"judge `{name}`", descriptor) for name, descriptor in judges.items()]
    inputs.append(_input("student, whose tokenizer counts", read_json(descriptor("base"))))
    if generator != "teacher":
        own = f"`{model_folder(generator)}`"
        inputs.append(("generator of this round's own rows", own, "trained by this pipeline, see its dvc.lock"))
    return {"inputs": inputs, "prompts": list(_prompts())}


def _input(role: str, descriptor: dict[str, Any]) -> tuple[str, str, str]:
    try:
        name, identity = shown_model(descriptor)
    except DataError as error:
        raise DataError(f"{role}: {error}") from None
    revision = f" at `{descriptor['revision']}`" if descriptor.get("revision") else ""
    return role, f"`{name}`{revision}", f"`{identity}`"


def shown_model(descriptor: dict[str, Any]) -> tuple[str, str]:
    """The name and the identity of a model or source for the public.

    Only the last part of a local path is published: where somebody keeps their files is private.

    Raises:
        DataError: The descriptor is broken.
    """
    try:
        local = descriptor["kind"] == "local"
        return Path(descriptor["path"]).name if local else descriptor["hub"], descriptor["identity"]
    except (KeyError, TypeError):
        raise DataError("its descriptor is broken; run `dvc repro --force resolve`") from None


def _prompts() -> Iterator[tuple[str, str, str]]:
    """Templates and worked examples, with the SHA-256 of their files as `sha256sum` prints it."""
    for file in sorted(resources.files("funreason.prompts").iterdir(), key=lambda file: file.name):
        if file.name.startswith(PROMPTS) and file.name.endswith((".txt", ".json")):
            yield "prompt", f"`{file.name}`", f"`sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}`"
