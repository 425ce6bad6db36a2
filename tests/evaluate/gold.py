"""BFCL's possible answers as the text that a perfect model would write."""

import json
from pathlib import Path

from funreason.audit.bfcl_gold import calls_of
from funreason.calls import Call, render
from funreason.evaluate.bfcl import ENVIRONMENTS
from funreason.sandbox.scorer import scorer_python

from .java import java


def official_data(version: str = "v4") -> Path:
    """The data folder of the installed package."""
    return next(scorer_python(ENVIRONMENTS[version]).parents[1].glob("lib/python3*/site-packages/bfcl_eval/data"))


def gold_texts(folder: Path, category: str) -> dict[str, str]:
    """{id: text} for a category of a folder in BFCL's layout."""
    rows = _rows(next((folder / "possible_answer").glob(f"BFCL_v?_{category}.json")))
    calls = {row["id"]: calls_of(row["ground_truth"]) for row in rows}
    if category in ("simple_java", "java"):
        tools = {row["id"]: row["function"] for row in _rows(next(folder.glob(f"BFCL_v?_{category}.json")))}
        return {name: java(called, tools[name]) for name, called in calls.items()}
    write = _javascript if "javascript" in category else render
    return {name: write(called) for name, called in calls.items()}


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _javascript(calls: list[Call]) -> str:
    """JSON's values are JavaScript's."""
    texts = [f"{call.name}({', '.join(f'{k}={json.dumps(v)}' for k, v in call.arguments.items())})" for call in calls]
    return f"[{', '.join(texts)}]"
