"""BFCL's own tables (data_overall.csv and the others) of scored models, byte for byte as its generator writes them."""

from collections.abc import Mapping
from pathlib import Path

from funreason.core.errors import DataError
from funreason.core.jsonio import atomic
from funreason.evaluate import DRIVERS
from funreason.evaluate.bfcl import ENVIRONMENTS
from funreason.evaluate.bfcl_metrics import FORMATS
from funreason.sandbox.scorer import run_scorer, scorer_python


def tables(models: Mapping[str, dict], mode: str) -> dict[str, str]:
    """BFCL's tables.

    Args:
        models: {name: its numbers, as from `bfcl_metrics.official_metrics`}, all of one version.
        mode: of the sandbox.

    Returns:
        {"data_overall.csv", …: its text}, a row per model. As in BFCL, a category that was not asked counts as 0 in
        an Overall; its own column says N/A. Columns of prices and times are N/A.

    Raises:
        DataError: the models have answered different versions, or a name holds a comma or the end of a line.
    """
    versions = {name: numbers["version"] for name, numbers in models.items()}
    if len(set(versions.values())) != 1:
        seen = ", ".join(f"{name} {version}" for name, version in versions.items()) or "no models"
        raise DataError(f"BFCL's tables hold one version, here are {seen}; give models of one version")
    if bad := [name for name in models if "," in name or len(name.splitlines()) != 1]:
        raise DataError(f"BFCL's tables cannot hold the name {bad[0]!r}: no comma or end of line in it; rename it")
    request = {"models": [{"name": name, "scores": _headers(numbers)} for name, numbers in models.items()]}
    python = scorer_python(ENVIRONMENTS[next(iter(versions.values()))])
    return run_scorer(DRIVERS / "bfcl_csv.py", python, request, timeout_s=120, mode=mode)


def write(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write tables, {name: text}, into a folder; their paths."""
    for name, text in texts.items():
        with atomic(folder / name) as file:
            file.write(text)
    return [folder / name for name in texts]


def _headers(numbers: dict) -> dict[str, dict]:
    """{category: the first line of its official score file}."""
    headers = {name: _header(part) for name, part in numbers["categories"].items()}
    if forms := numbers["format_sensitivity"]:
        spread = {"accuracy_max_delta": forms["max_delta"], "accuracy_std": forms["std"]}
        headers[FORMATS] |= spread | {form: _header(part) for form, part in forms["forms"].items()}
    return headers


def _header(part: dict) -> dict:
    exact = part["correct"] / part["n"]  # `accuracy` is rounded
    return {"accuracy": exact, "correct_count": part["correct"], "total_count": part["n"]}
