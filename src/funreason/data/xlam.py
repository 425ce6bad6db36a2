"""Single queries in xLAM's format.

A row is {"id", "query", "tools", "answers", "response"?}. `tools` and `answers` are JSON text (as xLAM is published) or
decoded. `response` is the {"cot", "answer"} of a data set that is already distilled. Other fields are ignored.
"""

from typing import Any

from funreason.core.records import Task
from funreason.data.fields import BadRow, call_row, decoded, list_field, required, row_id, row_tools


def single_query(row: dict[str, Any]) -> Task:
    """The task of a row with a single query. Raises BadRow."""
    return Task(
        id=row_id(row),
        query=_query(row),
        tools=row_tools(row),
        answers=[call_row(value) for value in list_field(row, "answers")],
        response=_response(row.get("response")),
    )


def _query(row: dict[str, Any]) -> str:
    value = required(row, "query")
    if not isinstance(value, str) or not value.strip():
        raise BadRow("bad query", f"{value!r}, expected a text that is not empty")
    return value


def _response(value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    value = decoded(value, "response")
    if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in ("cot", "answer")):
        raise BadRow("bad response", f"{value!r:.80}, expected an object with the texts cot and answer")
    return {"cot": value["cot"], "answer": value["answer"]}
