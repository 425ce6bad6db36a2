"""BFCL's possible answers in Python, as calls: the first value that is allowed for each parameter."""

import json
from pathlib import Path
from typing import Any

from funreason.calls import Call
from funreason.core.errors import DataError
from funreason.evaluate.bfcl import ENVIRONMENTS
from funreason.sandbox.scorer import scorer_files


def gold_calls(category: str, version: str) -> dict[str, list[Call]]:
    """{id: calls} of a category whose answers are Python.

    Args:
        category: BFCL's own name of it in this release.
        version: v3 or v4.

    Raises:
        DataError: where the file is missing.
    """
    folder = scorer_files(ENVIRONMENTS[version], "bfcl_eval/data")
    path = Path(folder) / "possible_answer" / f"BFCL_{version}_{category}.json"
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; `make setup` or `make bfcl3` installs BFCL") from None
    return {row["id"]: calls_of(row["ground_truth"]) for row in rows}


def calls_of(truth: list[dict]) -> list[Call]:
    """The calls of a row of possible answers, [{name: {parameter: [allowed values]}}]."""
    return [Call(name, _arguments(possible)) for named in truth for name, possible in named.items()]


def _arguments(possible: dict) -> dict[str, Any]:
    """The first value allowed for each parameter; "" in the list says that it may be left out."""
    arguments = {}
    for name, values in possible.items():
        allowed = [value for value in values if value != ""] if isinstance(values, list) else [values]
        if allowed:
            arguments[name] = _value(allowed[0])
    return arguments


def _value(value: Any) -> Any:
    if isinstance(value, dict):  # possible answers all the way down
        return _arguments(value)
    return [_value(item) for item in value] if isinstance(value, list) else value
