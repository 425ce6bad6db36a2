"""The reason why a row, or a turn of it, cannot be used, and the fields that rows of all formats share."""

from typing import Any

from funreason.core.errors import DataError


class BadRow(DataError):
    """A row that cannot become a task.

    Attributes:
        kind: The short reason that metrics count.
    """

    def __init__(self, kind: str, detail: str = ""):
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


class SkippedRow(BadRow):
    """A row that is in order but holds nothing to learn calls from: it is counted apart, and is not malformed."""


def row_id(row: dict[str, Any]) -> str | None:
    """The id of a row as a text, None where it has none. Raises BadRow."""
    value = row.get("id")
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():  # a table's column of integers with a gap
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise BadRow("bad id", f"{value!r}, expected an integer or a text")
    return str(value)


def required(row: dict[str, Any], name: str) -> Any:
    """The value of a field. Raises BadRow where it is missing or null."""
    if row.get(name) is None:
        raise BadRow(f"no {name}", "the field is missing or null")
    return row[name]


def text_field(row: dict[str, Any], name: str) -> str:
    """The text of a field. Raises BadRow where it is not a text, or an empty one."""
    value = required(row, name)
    if not isinstance(value, str) or not value.strip():
        raise BadRow(f"bad {name}", f"{value!r:.80}, expected a text that is not empty")
    return value


def carries_text(value: Any, depth: int = 4) -> bool:
    """Whether a value is a text that is not empty, or holds one."""
    if isinstance(value, str):
        return bool(value.strip())
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth > 0 and any(carries_text(item, depth - 1) for item in inner)
