"""BFCL's installed data as calls: its environment, the gold answers of the Python categories, the decoder."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from funreason.calls import Call

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-bfcl" / "bin" / "python"
NON_LIVE = ("simple_python", "multiple", "parallel", "parallel_multiple")
LIVE = ("live_simple", "live_multiple", "live_parallel", "live_parallel_multiple")


def data_folder() -> Path | None:
    """The data of the installed bfcl-eval, `None` where its environment is absent."""
    return next(ROOT.glob(".venv-bfcl/lib/python3*/site-packages/bfcl_eval/data"), None)


def rows(path: Path) -> Iterator[dict]:
    """The JSON lines of a file of BFCL."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def gold(category: str) -> Iterator[tuple[str, list[dict], list[list[Call]]]]:
    """(id, tools, every alternative of the possible answer as calls) of each row of a category."""
    folder, name = data_folder(), f"BFCL_v4_{category}.json"
    tools = {row["id"]: row["function"] for row in rows(folder / name)}
    for row in rows(folder / "possible_answer" / name):
        truth = row["ground_truth"]
        options = [len(values) for call in truth for arguments in call.values() for values in arguments.values()]
        alternatives = [
            [Call(name, _arguments(arguments, nth)) for call in truth for name, arguments in call.items()]
            for nth in range(max(options, default=1))
        ]
        yield row["id"], tools[row["id"]], alternatives


def _arguments(allowed: dict, nth: int) -> dict:
    """The nth of the allowed values of each parameter; "" among them says that it may be left out."""
    out = {}
    for key, values in allowed.items():
        values = [value for value in values if value != ""] if isinstance(values, list) else [values]
        if values:
            out[key] = _value(values[nth % len(values)], nth)
    return out


def _value(value: object, nth: int) -> object:
    """A dict among the allowed values lists allowed values in turn."""
    if isinstance(value, dict):
        return _arguments(value, nth)
    return [_value(item, nth) for item in value] if isinstance(value, list) else value


def decode(texts: list[str], folder: Path) -> tuple[list[dict], float]:
    """What the official decoder makes of `texts`, `{"calls"}` or `{"error"}` each, and its seconds."""
    run = subprocess.run(
        [PYTHON, Path(__file__).with_name("bfcl_driver.py")],
        input="".join(json.dumps(text) + "\n" for text in texts),
        env={**os.environ, "BFCL_PROJECT_ROOT": str(folder)},  # else it writes into site-packages
        capture_output=True,
        text=True,
        timeout=300,
    )
    if run.returncode:
        raise RuntimeError(run.stderr)
    return [json.loads(line) for line in run.stdout.splitlines()], float(run.stderr.split()[-1])
