"""A small folder in BFCL's layout."""

import json
from pathlib import Path

WEATHER = {
    "name": "get_weather",
    "description": "Weather of a city.",
    "parameters": {
        "type": "dict",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "at": {"type": "dict"}},
        "required": ["city", "days"],
    },
}
QUESTION = "Weather in Ghent for 3 days?"


def write_folder(folder: Path, rows: int = 3) -> Path:
    """`rows` equal questions of each of simple_python and irrelevance."""
    for category in ("simple_python", "irrelevance"):
        _write(folder / f"BFCL_v4_{category}.json", [_entry(category, n) for n in range(rows)])
    truth = [{"get_weather": {"city": ["Ghent"], "days": [3], "at": [""]}}]
    answers = [{"id": f"simple_python_{n}", "ground_truth": truth} for n in range(rows)]
    _write(folder / "possible_answer" / "BFCL_v4_simple_python.json", answers)
    return folder


def _entry(category: str, number: int) -> dict:
    question = [[{"role": "user", "content": QUESTION}]]
    return {"id": f"{category}_{number}", "question": question, "function": [WEATHER]}


def _write(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
