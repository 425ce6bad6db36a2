"""BFCL's own tables of several runs, from the numbers that they have written."""

from collections.abc import Sequence
from pathlib import Path

from funreason.core.errors import DataError
from funreason.core.jsonio import read_details
from funreason.core.paths import accuracy
from funreason.evaluate import bfcl_csv


def tables(runs: Sequence[str], mode: str) -> dict[str, str]:
    """{"data_overall.csv", …: its text}, a row per run.

    Args:
        runs: rounds, or folders of `funreason score`.
        mode: of the sandbox.

    Raises:
        DataError: a run has no numbers of BFCL, two runs have one name, or the runs have different versions.
    """
    numbers: dict[str, dict] = {}
    for run in runs:
        name = Path(run).resolve().name
        if name in numbers:
            raise DataError(f"two runs are named {name!r} in BFCL's tables; rename one of the folders")
        numbers[name] = _numbers(run)
    return bfcl_csv.tables(numbers, mode)


def _numbers(run: str) -> dict:
    scored = Path(run, "bfcl.json")
    path = scored if scored.is_file() else Path(accuracy(run, "bfcl"))
    if not path.is_file():
        raise DataError(f"{run}: neither {scored} nor {path} is there; give rounds, or folders of `funreason score`")
    written = read_details(path)
    numbers = written if path == scored else written.get("bfcl")
    if not isinstance(numbers, dict) or not numbers.get("categories"):
        raise DataError(f"{path} holds no figures of BFCL; ask it some categories (evaluate.bfcl.categories)")
    return numbers
