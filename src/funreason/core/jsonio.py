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
from types import TracebackType
from typing import Any, TextIO

from funreason.core.errors import DataError

JsonObject = dict[str, Any]


def read_jsonl(path: str | Path) -> Iterator[JsonObject]:
    """Yield the objects of a file that this project wrote; blank lines are skipped.

    Raises:
        DataError: the file is missing, not UTF-8, or a line (named in the message) is not a JSON object.
    """
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _object(line, f"{path}:{number}")
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; run `dvc repro` to make it, or correct the path") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, expected a file of JSON lines; correct the path") from None
    except UnicodeDecodeError as error:
        where = f"{error.reason} at byte {error.start}"
        raise DataError(f"{path} is not UTF-8 ({where}); convert it to UTF-8") from None


def read_json(path: str | Path) -> JsonObject:
    """Read a summary or a descriptor that this project wrote. Raises DataError where it is missing or not an object."""
    return _as_object(_value_in(path), path)


def read_details(path: str | Path) -> JsonObject:
    """Read what `write_details` wrote. Raises DataError where it is missing or something else."""
    return _as_object(unwrapped(_value_in(path)), path)


def unwrapped(value: Any) -> Any:
    """The object in `[{…}]`, the form of `write_details`; any other value as it is, so that older runs can be read."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


class JsonlWriter:
    """Writes one object per line; the file appears whole at the end of the `with` block, or not at all.

    `count` is the number of rows written so far.
    """

    def __init__(self, path: str | Path):
        self.path, self.count = path, 0
        self._atomic = atomic(path)

    def __enter__(self) -> "JsonlWriter":
        self._file = self._atomic.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._atomic.__exit__(kind, error, traceback)

    def write(self, row: JsonObject) -> None:
        """Append a row. Raises DataError for a value that JSON cannot hold."""
        self._file.write(_dumps(row, self.path) + "\n")
        self.count += 1


def write_jsonl(path: str | Path, rows: Iterable[JsonObject]) -> int:
    """Write one object per line, atomically, making parent folders.

    Args:
        path: the file.
        rows: JSON objects, written in order with their keys in order.

    Returns:
        The number of rows.

    Raises:
        DataError: a row holds a value that JSON cannot hold.
    """
    with JsonlWriter(path) as writer:
        for row in rows:
            writer.write(row)
    return writer.count


def write_json(path: str | Path, value: Any) -> None:
    """Write a summary or a descriptor: indented, a newline at the end, keys in the order given, atomically."""
    with atomic(path) as file:
        file.write(_dumps(value, path, indent=2) + "\n")


def write_details(path: str | Path, value: JsonObject) -> None:
    """Write the counts and accuracies of a stage, as `[{…}]`, else as `write_json`.

    They are DVC metrics, so that DVC finds an earlier run of the stage again. DVC shows no figure that is in a list,
    so that `dvc metrics` has only those of the summaries.
    """
    write_json(path, [value])


def write_csv(path: str | Path, columns: tuple[str, ...], rows: Iterable[JsonObject]) -> None:
    """Write a table for a plot, atomically; its columns are named even where there are no rows."""
    with atomic(path) as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def atomic(path: str | Path) -> Iterator[TextIO]:
    """Open `path` for writing text; it appears whole at the end of the `with` block, or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        if error.filename in (None, str(temporary)):  # the error of a full disk names no file
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _value_in(path: str | Path) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; run `dvc repro` to make it") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON ({error}); rerun the stage that wrote it") from None


def _as_object(value: Any, path: str | Path) -> JsonObject:
    if not isinstance(value, dict):
        raise DataError(f"{path} holds a {type(value).__name__}, expected an object; rerun the stage that wrote it")
    return value


def _object(line: str, where: str) -> JsonObject:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        what = f"{error.msg} at character {error.pos}"
        raise DataError(f"{where} is not JSON ({what}); rerun the stage that wrote it") from None
    except (ValueError, RecursionError):  # Python's limits; of 4,300 digits and a thousand levels
        raise DataError(f"{where} holds a longer number or more levels than can be read; correct it") from None
    if not isinstance(value, dict):
        what = type(value).__name__
        raise DataError(f"{where} holds a {what}, expected an object; rerun the stage that wrote it")
    return value


def _dumps(value: Any, path: str | Path, indent: int | None = None) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
        text.encode()  # json accepts a lone surrogate, which would stop the write halfway
        return text
    except (TypeError, ValueError) as error:  # other JSON readers refuse NaN
        shown = ascii(value)[:80]
        raise DataError(f"{path}: cannot be written as JSON ({error}); the value starts {shown}") from None
