"""Single queries in xLAM's format.

A row is {"id", "query", "tools", "answers", "response"?}. `tools` and `answers` are JSON text (as xLAM is published) or
decoded. `response` is the {"cot", "answer"} of a data set that is already distilled; a reasoning in a field of its own
(`reasoning_content`, `reasoning`, `thinking`) is that of the reference calls.
"""

from typing import Any

from funreason.calls import CallSyntaxError, render
from funreason.core.errors import DataError
from funreason.data.calltext import Calls, Parse, call_row, split_reasoning
from funreason.data.fields import BadRow, text_field
from funreason.data.jsontext import ABSENT, REPEATED, decoded, either
from funreason.data.messages import REASONING

USED = {"id", "query", "tools", "answers", "response", *REASONING}


def read_answers(row: dict[str, Any], parse: Parse) -> Calls:
    """The reference calls of a row; none where the field is null or empty, or missing beside a response.

    Args:
        row: The row.
        parse: Reads calls in the call language, where the field is in it.

    Raises:
        BadRow: The field is missing, or something else.
    """
    if "answers" not in row and row.get("response") is None:
        raise BadRow("no answers", "the field is missing; write [] where no call fits")
    value = row.get("answers")
    try:
        value = either(value, "answers")
    except BadRow as bad:
        if bad.kind == REPEATED or not isinstance(value, str) or not value.rstrip().endswith((")", ")]")):
            raise
        return _parsed(value, parse)
    if value is None:
        return []
    items = [value] if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise BadRow("answers not a list", f"it is a {type(value).__name__}")
    return [call_row(item) for item in items]


def _parsed(text: str, parse: Parse) -> Calls:
    try:
        return [call.to_row() for call in parse(text)]
    except CallSyntaxError as error:
        raise BadRow("bad answer", str(error)) from None


def read_query(row: dict[str, Any]) -> str:
    """The text of the query. Raises BadRow."""
    return text_field(row, "query")


def read_response(row: dict[str, Any], answers: Calls) -> dict[str, str] | None:
    """The response of a row that is already distilled. Raises BadRow."""
    value = row.get("response")
    if value in ABSENT:
        cot = next((row[name] for name in REASONING if isinstance(row.get(name), str) and row[name].strip()), None)
        try:
            return {"cot": cot, "answer": render(answers)} if cot else None
        except DataError as error:
            raise BadRow("bad answer", str(error)) from None
    if isinstance(value, str) and "</think>" in value and not value.lstrip().startswith("{"):
        cot, answer, problem, _ = split_reasoning(value)
        if problem:
            raise BadRow("bad response", problem)
        value = {"cot": cot or "", "answer": answer}
    value = decoded(value, "response")
    if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in ("cot", "answer")):
        raise BadRow("bad response", f"{value!r:.80}, expected an object with the texts cot and answer")
    return {"cot": value["cot"], "answer": value["answer"]}
