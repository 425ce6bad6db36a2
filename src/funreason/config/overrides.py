"""`-S key=value`, in the grammar of `dvc exp run` (Hydra's), put into a copy of params.yaml."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dvc.exceptions import InvalidArgumentError
from dvc.utils.hydra import apply_overrides, to_hydra_overrides

from funreason.config.messages import nearest
from funreason.config.params import Params, check_params, read_yaml
from funreason.core.errors import ParamsError


def overridden(path: Path, overrides: list[str]) -> tuple[str, Params]:
    """(text, checked values) of the file with the overrides put in; the file stays. Raises ParamsError."""
    values = read_yaml(path)
    for override in overrides:
        _refuse(override, list(_keys(values)))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(path, folder))
        try:
            apply_overrides(copy, overrides)
        except InvalidArgumentError as error:
            raise ParamsError(f"-S {' '.join(overrides)}: {_first_line(error.__cause__ or error)}") from None
        return copy.read_text(encoding="utf-8"), check_params(read_yaml(copy), path)


def _refuse(override: str, known: list[str]) -> None:
    """What `apply_overrides` would take or refuse without saying what to do."""
    key = override.partition("=")[0]
    if not key.startswith(("+", "~")) and key not in known:
        raise ParamsError(f"-S {override}: unknown key `{key}`, the nearest known key is `{nearest(key, known)}`")
    try:
        sweep = any(one.is_sweep_override() for one in to_hydra_overrides([override]))
    except Exception as error:  # Hydra's parser raises classes of its own
        raise ParamsError(f"-S {override}: {_first_line(error)}; wanted is key=value") from None
    if sweep:
        raise ParamsError(f"-S {override}: several values; give one, or a list in brackets")


def _keys(values: dict, prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0]
