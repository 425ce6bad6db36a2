"""`-S key=value` in the grammar of `dvc exp run` (Hydra's), applied to a copy of params.yaml."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dvc.exceptions import InvalidArgumentError
from dvc.utils.hydra import apply_overrides, to_hydra_overrides

from funreason.config.messages import nearest
from funreason.config.params import Params, check_params
from funreason.config.renames import renamed_key
from funreason.config.yamlio import read_yaml
from funreason.core.errors import ParamsError


def overridden(path: Path, overrides: list[str]) -> tuple[str, Params]:
    """Apply overrides to a copy of a file; the file itself stays.

    Args:
        path: params.yaml.
        overrides: texts of the form key=value.

    Returns:
        The text of the changed copy, and its checked values.

    Raises:
        ParamsError: an override is not key=value, holds several values, or names an unknown or renamed key.
    """
    values = read_yaml(path)
    for override in overrides:
        _check(override, list(_keys(values)))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(path, folder))
        try:
            apply_overrides(copy, overrides)
        except InvalidArgumentError as error:
            raise ParamsError(f"-S {' '.join(overrides)}: {_first_line(error.__cause__ or error)}") from None
        return copy.read_text(encoding="utf-8"), check_params(read_yaml(copy), path)


def _check(override: str, known: list[str]) -> None:
    """Refuse what `apply_overrides` would accept, or refuse without a remedy."""
    key = override.partition("=")[0]
    if not key.startswith(("+", "~")) and key not in known:
        if new := renamed_key(key):
            raise ParamsError(f"-S {override}: `{key}` was renamed to `{new}`")
        raise ParamsError(f"-S {override}: unknown key `{key}`, the nearest known key is `{nearest(key, known)}`")
    try:
        sweep = any(parsed.is_sweep_override() for parsed in to_hydra_overrides([override]))
    except Exception as error:  # Hydra's parser raises classes of its own
        raise ParamsError(f"-S {override}: {_first_line(error)}; expected key=value") from None
    if sweep:
        raise ParamsError(f"-S {override}: several values; give one value, or a list in brackets")


def _keys(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0]
