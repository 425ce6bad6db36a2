"""The rows that travel between the stages, and their JSONL and JSON files.

One JSON object a line, UTF-8, keys in the order of the fields, written atomically: a reader (or DVC) sees the
old file or the whole new one. Nothing here adds a time or a path: equal rows give equal bytes.
"""

import csv
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path

from funreason.core.errors import DataError

KINDS = ("call", "statement")
VERDICTS = ("pass", "fail", "undecided", "skip")
ACTIONS = ("keep", "drop", "hard", "regenerate", "spare")


class _Row:
    """dict ⇄ dataclass. Unknown, missing and out-of-list values raise: no renamed field slips by."""

    _allowed: dict[str, tuple[str, ...]] = {}
    _left_out: tuple[str, ...] = ()  # fields that are not written where they are empty

    def to_row(self) -> dict:
        """Shallow: a row is written, not changed, and copies of its tools took most of a stage's time."""
        row = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in self._left_out:
            if not row[name]:
                del row[name]
        return row

    @classmethod
    def from_row(cls, row: dict):
        required = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
        known = [f.name for f in fields(cls)]
        missing, unknown = [n for n in required if n not in row], [n for n in row if n not in known]
        if missing or unknown:
            raise DataError(
                f"not a {cls.__name__} row (id {row.get('id')!r}): missing {missing}, unknown {unknown}; "
                f"fields are {known}; rerun the stage that wrote the file"
            )
        return cls(**row)

    def __post_init__(self):
        for name, allowed in self._allowed.items():
            if (value := getattr(self, name)) not in allowed:
                who = f"{type(self).__name__} {self.id!r}"
                raise DataError(f"{who}: {name} is {value!r}, allowed are {list(allowed)}")


@dataclass(frozen=True)
class Task(_Row):
    """A query with its tools (xLAM's form) and the reference calls; `answers` [] means that no call fits.

    `response` is {"cot", "answer"} where the source is already distilled: generate keeps it, asks nobody.
    In a conversation `query` is the user's last message, `history` the messages before it and `steps` those after it
    (calls and their results), each {"role": user | assistant | tool, "content"}.
    """

    id: str
    query: str
    tools: list[dict]
    answers: list[dict]
    response: dict | None = None
    history: list[dict] = field(default_factory=list)
    steps: list[dict] = field(default_factory=list)

    _left_out = ("history", "steps")


@dataclass(frozen=True)
class Sample(_Row):
    """A task with one reasoning and one answer text, on its way through the checks; `history` and `steps` as there."""

    id: str
    query: str
    tools: list[dict]
    cot: str
    answer: str
    kind: str = "call"
    regenerated: bool = False
    history: list[dict] = field(default_factory=list)
    steps: list[dict] = field(default_factory=list)

    _allowed = {"kind": KINDS}
    _left_out = ("history", "steps")


@dataclass(frozen=True)
class Verdict(_Row):
    """What one check decided about one row, and why.

    `votes` are the judges' raw texts in asking order, {"judge", "value" (null: unreadable), "text"}; `rules` is what
    the rules found in the row as it came in, {"value" (null: unclear), "reason", "evidence"}.
    """

    id: str
    check: str
    verdict: str
    action: str
    reason: str
    asks: int = 0
    votes: list[dict] = field(default_factory=list)
    old_answer: str | None = None
    new_answer: str | None = None
    rules: dict | None = None

    _allowed = {"verdict": VERDICTS, "action": ACTIONS}


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
