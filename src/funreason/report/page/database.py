"""All rows and answers of a state as an SQLite file, for rounds too large for a page: `datasette FILE` browses it."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from funreason.core.jsonio import JsonObject

_TABLES = {
    "rows": ("round", "id", "task", "outcome", "step", "reason", "defect", "query", "tools", "reasoning", "answer",
             "final_answer"),
    "steps": ("round", "id", "place", "step", "verdict", "action", "reason", "heuristics", "heuristics_reason",
              "evidence", "disagree", "old_answer", "new_answer"),
    "votes": ("round", "id", "step", "place", "judge", "value", "text"),
    "answers": ("model", "suite", "category", "key", "correct", "error", "text", "question", "gold"),
}  # fmt: skip


def write_database(path: str | Path, run: JsonObject) -> None:
    """Write the rows, their steps and votes, and the answers of all models; an older file is replaced.

    Args:
        path: the SQLite file.
        run: what `collect_run` gave, of all rows.
    """
    temporary = Path(f"{path}.tmp")
    temporary.unlink(missing_ok=True)
    connection = sqlite3.connect(temporary)
    with connection:
        for name, columns in _TABLES.items():
            connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", _READERS[name](run))
        connection.execute("CREATE INDEX row_ids ON rows (round, id)")
        connection.execute("CREATE INDEX step_ids ON steps (round, id)")
    connection.close()
    temporary.replace(path)


def _rows(run: JsonObject) -> Iterator[tuple]:
    for part in run["rounds"]:
        for row in part["rows"]:
            query = part["tasks"].get(row["task"], {}).get("query")
            fields = (row[key] for key in ("id", "task", "outcome", "check", "reason"))
            texts = (row["cot"], row["answer"], row.get("final", row["answer"]))
            yield (part["name"], *fields, row.get("defect"), query, " ".join(row["tools"]), *texts)


def _steps(run: JsonObject) -> Iterator[tuple]:
    for part, row, place, step in _all_steps(run):
        heuristic = step.get("heuristics") or {}
        evidence = json.dumps(heuristic["evidence"]) if heuristic.get("evidence") else None
        seen = (heuristic.get("value"), heuristic.get("reason"), evidence, step.get("disagree", False))
        decided = (step.get(key) for key in ("check", "verdict", "action", "reason"))
        yield (part, row, place, *decided, *seen, step.get("old_answer"), step.get("new_answer"))


def _votes(run: JsonObject) -> Iterator[tuple]:
    for part, row, _, step in _all_steps(run):
        for place, (judge, value, text) in enumerate(step.get("votes", [])):
            yield part, row, step["check"], place, judge, value, text


def _all_steps(run: JsonObject) -> Iterator[tuple[str, str, int, Any]]:
    for part in run["rounds"]:
        for row in part["rows"]:
            for place, step in enumerate(row["steps"]):
                yield part["name"], row["id"], place, step


def _answers(run: JsonObject) -> Iterator[tuple]:
    for model, rows in run["answers"].items():
        for row in rows:
            yield (model, *(row.get(column) for column in _TABLES["answers"][1:]))


_READERS = {"rows": _rows, "steps": _steps, "votes": _votes, "answers": _answers}
