"""JSONL, JSON and CSV files, read with errors that name file and line, and written atomically.

One JSON object per line, UTF-8, keys in the order of the fields. A reader (or DVC) sees the old file or the whole new
one. Nothing here adds a time or a path: equal rows give equal bytes.
"""

import csv
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from funreason.core.errors import DataError


def read_jsonl(path: str | Path) -> Iterator[dict]:
    """Yield the objects of a file this project wrote. Raises DataError naming file and line."""
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _object(line, f"{path}:{number}")
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; run `dvc repro` to make it, or correct the path") from None
    except UnicodeDecodeError as error:
        where = f"{error.reason} at byte {error.start}"
        raise DataError(f"{path} is not UTF-8 ({where}); convert it to UTF-8") from None


def read_json(path: str | Path) -> dict:
    """Read metrics or a descriptor that this project wrote. Raises DataError."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; run `dvc repro` to make it") from None
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error}); rerun the stage that wrote it") from None
    if not isinstance(value, dict):
        raise DataError(f"{path} holds a {type(value).__name__}, expected an object; rerun the stage that wrote it")
    return value


class JsonlWriter:
    """Writes one object a line; the file appears whole at the end of the block, or not at all. `count` is of rows."""

    def __init__(self, path: str | Path):
        self.path, self.count = path, 0
        self._atomic = atomic(path)

    def __enter__(self) -> "JsonlWriter":
        self._file = self._atomic.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._atomic.__exit__(*error)

    def write(self, row: dict) -> None:
        self._file.write(_dumps(row, self.path) + "\n")
        self.count += 1


def write_jsonl(path: str | Path, rows: Iterable[dict]) -> int:
    """Write one object a line, atomically, making parent folders. Returns the number of rows."""
    with JsonlWriter(path) as writer:
        for row in rows:
            writer.write(row)
    return writer.count


def write_json(path: str | Path, value) -> None:
    """Write metrics or a descriptor: indented, a newline at the end, key order as given, atomically."""
    with atomic(path) as file:
        file.write(_dumps(value, path, indent=2) + "\n")


def write_csv(path: str | Path, columns: tuple[str, ...], rows: Iterable[dict]) -> None:
    """Write a table for a plot, its columns named even where there is no row, atomically."""
    with atomic(path) as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def atomic(path: str | Path):
    """Open `path` for writing text; it appears whole at the end of the block, or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        if error.filename in (None, str(temporary)):  # a full disk does not say where it was met
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _object(line: str, where: str) -> dict:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        what = f"{error.msg} at character {error.pos}"
        raise DataError(f"{where} is not JSON ({what}); rerun the stage that wrote it") from None
    if not isinstance(value, dict):
        what = type(value).__name__
        raise DataError(f"{where} holds a {what}, expected an object; rerun the stage that wrote it")
    return value


def _dumps(value, path, indent: int | None = None) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
        text.encode()  # a lone surrogate passes json, and would stop the write halfway
        return text
    except (TypeError, ValueError) as error:  # NaN would make a file that other JSON readers refuse
        shown = ascii(value)[:80]
        raise DataError(f"{path}: cannot be written as JSON ({error}); the value starts {shown}") from None
