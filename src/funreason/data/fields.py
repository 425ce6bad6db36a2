"""The fields of a source row, each read or refused with a reason: what single queries and conversations share."""

import json

from funreason.core.errors import DataError


class BadRow(DataError):
    """`kind` is the short reason that metrics count, `detail` what was seen."""

    def __init__(self, kind: str, detail: str = ""):
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


def field(row: dict, name: str):
    if row.get(name) is None:
        raise BadRow(f"no {name}", "the field is missing or null")
    return row[name]


def parsed(value, name: str):
    """A value that may be JSON text, decoded."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise BadRow(f"{name} not JSON", f"{error}, in {value!r:.80}") from None


def listed(row: dict, name: str) -> list:
    value = parsed(field(row, name), name)
    if not isinstance(value, list):
        raise BadRow(f"{name} not a list", f"a {type(value).__name__}")
    return value


def call(value) -> dict:
    """A call in xLAM's form; its arguments may be JSON text."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str) or not value["name"]:
        raise BadRow("bad answer", f"{value!r:.80}, expected an object with name and arguments")
    arguments = parsed(value.get("arguments"), "arguments")
    if not isinstance(arguments, dict):
        raise BadRow("bad answer", f"arguments of {value['name']!r} are {arguments!r:.80}, expected an object")
    return {"name": value["name"], "arguments": arguments}
