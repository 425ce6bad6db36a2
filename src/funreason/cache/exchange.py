"""The response cache to a file and back: exports, and what can be read of a broken cache file.

An export is JSON lines in the order of the keys and without times: equal responses make an equal file.
"""

import gzip
import json
import sqlite3
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, TextIO

from funreason.core.errors import DataError
from funreason.core.jsonio import atomic
from funreason.llm.cache import CONTENT, Cache, batched, digest, insert

FORMAT = "funreason responses 1"
_BATCH = 5000  # rows per transaction: few enough that a stage that writes meanwhile hardly waits
_FIELDS = CONTENT.split(", ")


def export(cache: Cache, path: str | Path, model: str | None = None) -> int:
    """Write responses to a file, whole or not at all.

    Args:
        cache: Where the responses are.
        path: The file; gzipped where its name ends in .gz.
        model: Only those of models whose identity starts with this.

    Returns:
        The number of responses written.

    Raises:
        DataError: The cache is damaged.
    """
    cache.do(lambda _: None)  # makes the file, where there is none
    where, values = of_model(model)
    with _reading(cache.path) as database:
        database.isolation_level = None
        database.execute("BEGIN")  # one state of the cache, whatever is stored meanwhile
        total = database.execute(f"SELECT count(*) FROM responses WHERE {where}", values).fetchone()[0]
        rows = database.execute(f"SELECT {CONTENT}, digest FROM responses WHERE {where} ORDER BY key", values)
        write(path, sound(rows, cache.path), total)
    return total


def write(path: str | Path, rows: Iterable[tuple], total: int) -> None:
    """Write an export.

    Args:
        path: The file; gzipped where its name ends in .gz.
        rows: Rows of `CONTENT`, in the order of their keys.
        total: Their number.
    """
    with atomic(path) as file, _bytes_into(file, path) as out:
        out.write(_line({"format": FORMAT, "responses": total}))
        for row in rows:
            out.write(_line(dict(zip(_FIELDS, (row[0].hex(), *row[1:]), strict=True), digest=digest(row).hex())))


def sound(rows: Iterable[tuple], path: Path) -> Iterator[tuple]:
    """The `CONTENT` of rows.

    Args:
        rows: Rows of `CONTENT` and the stored digest (None: stored before there were digests).
        path: Of the cache, for the error message.

    Yields:
        Rows of `CONTENT`.

    Raises:
        DataError: A row does not fit its digest.
    """
    for *row, stored in rows:
        if stored not in (None, digest(tuple(row))):
            raise DataError(f"{path} holds damaged responses; `funreason cache verify --repair` first")
        yield tuple(row)


def import_(cache: Cache, path: str | Path) -> tuple[int, int]:
    """Take over an export, or what can be read of a cache file that was moved aside. Killed on the way, run it again.

    A response that is in the cache already stays. An export is checked as a whole first: a damaged one changes nothing.

    Args:
        cache: Where the responses go.
        path: The export, or a file that ends in .sqlite.

    Returns:
        The number of new responses and of those that were there already.

    Raises:
        DataError: There is no such file, or it is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file; give what `funreason cache export` wrote, or a moved-aside .sqlite")
    if path.suffix == ".sqlite":
        return take(cache, _salvaged(path))
    deque(exported(path), maxlen=0)
    return take(cache, exported(path))


def take(cache: Cache, rows: Iterable[tuple]) -> tuple[int, int]:
    """Store rows of `CONTENT` whose key is not there yet.

    Args:
        cache: Where they go.
        rows: Any number.

    Returns:
        The number of new responses and of those that were there already.
    """
    total = new = 0
    for block in batched(rows, _BATCH):
        new += cache.do(partial(_store, rows=block))
        total += len(block)
    return new, total - new


def of_model(model: str | None) -> tuple[str, list]:
    """SQL for the rows of a model, and its values. The start of an identity is enough: a whole sha256 is long."""
    return ("substr(model, 1, ?) = ?", [len(model), model]) if model else ("1", [])


def exported(path: Path) -> Iterator[tuple]:
    """The rows of an export, each checked against its digest, their number against the first line. Raises DataError."""
    open_file = gzip.open if path.suffix == ".gz" else open
    number = 1
    try:
        with open_file(path, "rb") as file:
            head = json.loads(next(file, b"null"))
            if not isinstance(head, dict) or head.get("format") != FORMAT:
                raise DataError(f"{path} is not an export (its first line must name {FORMAT!r}); export it anew")
            for line in file:
                number += 1
                row = json.loads(line)
                values = (bytes.fromhex(row["key"]), *(row[name] for name in _FIELDS[1:]))
                if digest(values).hex() != row["digest"]:
                    raise ValueError("its digest does not fit")
                yield values
    except (ValueError, KeyError, TypeError, EOFError, OSError, zlib.error) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f"{path}:{number} is damaged ({reason}); nothing after it was read; copy it anew") from None
    if number - 1 != head.get("responses"):
        raise DataError(f"{path} holds {number - 1} responses of {head.get('responses')}: it was cut; copy it anew")


def _store(database: sqlite3.Connection, rows: list[tuple]) -> int:
    before = database.total_changes
    with database:  # BEGIN … COMMIT, so that a kill leaves whole blocks
        database.execute("BEGIN IMMEDIATE")
        database.executemany(insert("IGNORE"), [(*row, digest(row)) for row in rows])
    return database.total_changes - before


@contextmanager
def _bytes_into(file: TextIO, path: str | Path) -> Iterator[BinaryIO | gzip.GzipFile]:
    """Bytes into `file`; gzip without name and time, so that equal contents are equal files."""
    if not str(path).endswith(".gz"):
        yield file.buffer
        return
    with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file.buffer, mtime=0) as out:
        yield out


def _line(row: dict) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads damaged text too, which then fails its digest."""
    with closing(sqlite3.connect(path)) as database:
        database.text_factory = lambda data: data.decode(errors="replace")
        yield database


def _salvaged(path: Path) -> Iterator[tuple]:
    """The rows of a broken cache file that can be read and fit their digests."""
    with _reading(path) as database:
        try:
            last = database.execute("SELECT max(rowid) FROM responses").fetchone()[0] or 0
        except sqlite3.DatabaseError as error:
            raise DataError(f"{path}: nothing in it can be read ({error}); delete it") from None
        yield from _readable(database, last)


def _readable(database: sqlite3.Connection, last: int) -> Iterator[tuple]:
    """Rows 1 to `last`; a range that cannot be read is halved until single rows are left out."""
    todo = [(1, last)] if last else []
    while todo:
        first, last = todo.pop()
        select = f"SELECT {CONTENT}, digest FROM responses WHERE rowid BETWEEN ? AND ?"
        try:
            rows = database.execute(select, (first, min(last, first + _BATCH - 1))).fetchall()
        except sqlite3.DatabaseError:
            middle = (first + last) // 2
            todo += [(middle + 1, last), (first, middle)] if first < last else []
            continue
        if first + _BATCH <= last:
            todo.append((first + _BATCH, last))
        yield from (row[:6] for row in rows if row[6] is None or row[6] == digest(row[:6]))
