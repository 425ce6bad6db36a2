"""Source rows as `prepare` reads them."""

import json
from pathlib import Path

from funreason.data.files import read_rows
from funreason.data.rows import AcceptedRow, QuarantinedRow, SourceRow, TaskIds, read_tasks


def read(row: dict | bytes, format: str = "auto", table: bool = False) -> AcceptedRow | QuarantinedRow:
    raw = json.dumps(row).encode() if isinstance(row, dict) and not table else row
    (one,) = read_tasks([SourceRow(1, raw, table=table)], "rows", TaskIds(), format)
    return one


def accepted(row: dict | bytes, **more: object) -> AcceptedRow:
    one = read(row, **more)
    assert isinstance(one, AcceptedRow), one
    return one


def refused(row: dict | bytes, **more: object) -> QuarantinedRow:
    one = read(row, **more)
    assert isinstance(one, QuarantinedRow), one
    return one


def from_path(path: Path, format: str = "auto") -> list[AcceptedRow | QuarantinedRow]:
    source = {"kind": "local", "path": str(path)}
    return list(read_tasks(read_rows(source, "train", None), str(path), TaskIds(), format))
