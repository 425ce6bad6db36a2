"""The response cache to a file and back: exports, and what can be saved of a broken cache.

An export is JSON lines in the order of the keys and without times: equal responses make an equal file.
"""

import gzip
import json
import sqlite3
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from funreason.core.errors import DataError
from funreason.core.jsonio import atomic
from funreason.llm.cache import CONTENT, Cache, batched, digest, insert

FORMAT = "funreason responses 1"
_BATCH = 5000  # rows a transaction: few enough that a stage that writes meanwhile hardly waits
_FIELDS = CONTENT.split(", ")


def export(cache: Cache, path: str | Path, model: str | None = None) -> int:
    """Write the responses, gzipped where the name ends in .gz; the number written. Whole or not at all."""
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
    """An export of `total` rows of `CONTENT`, which come in the order of their keys."""
    with atomic(path) as file, _packed(file, path) as out:
        out.write(_line({"format": FORMAT, "responses": total}))
        for row in rows:
            out.write(_line(dict(zip(_FIELDS, (row[0].hex(), *row[1:]), strict=True), digest=digest(row).hex())))


def sound(rows: Iterable[tuple], path: Path) -> Iterator[tuple]:
    """The `CONTENT` of rows that end in their stored digest (None: older than digests). Raises DataError."""
    for *row, stored in rows:
        if stored not in (None, digest(tuple(row))):
            raise DataError(f"{path} holds damaged responses; `funreason cache verify --repair` first")
        yield tuple(row)


def import_(cache: Cache, path: str | Path) -> tuple[int, int]:
    """Take over an export, or what can be read of a cache file that was moved aside; (new responses, known ones).

    A response that is here already stays. An export is checked as a whole first: a damaged one changes nothing.
    Killed on the way, run it again. Raises DataError.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file; give what `funreason cache export` wrote, or a moved-aside .sqlite")
    if path.suffix == ".sqlite":
        return take(cache, _salvaged(path))
    deque(exported(path), maxlen=0)
    return take(cache, exported(path))


def take(cache: Cache, rows: Iterable[tuple]) -> tuple[int, int]:
    """Store rows of `CONTENT` whose key is not there yet; (new responses, known ones)."""
    total = new = 0
    for block in batched(rows, _BATCH):
        new += cache.do(lambda database, block=block: _store(database, block))
        total += len(block)
    return new, total - new


def of_model(model: str | None) -> tuple[str, list]:
    """SQL for the rows of a model, and its values; the start of an identity is enough: a whole sha256 is long."""
    return ("substr(model, 1, ?) = ?", [len(model), model]) if model else ("1", [])


def exported(path: Path) -> Iterator[tuple]:
    """The rows of an export, each held against its digest, their number against the first line's. Raises DataError."""
    opened = gzip.open if path.suffix == ".gz" else open
    number = 1
    try:
        with opened(path, "rb") as file:
            head = json.loads(next(file, b"null"))
            if not isinstance(head, dict) or head.get("format") != FORMAT:
                raise DataError(f"{path} is no export (its first line must name {FORMAT!r}); export it anew")
            for line in file:
                number += 1
                row = json.loads(line)
                values = (bytes.fromhex(row["key"]), *(row[name] for name in _FIELDS[1:]))
                if digest(values).hex() != row["digest"]:
                    raise ValueError("its digest does not fit")
                yield values
    except (ValueError, KeyError, TypeError, EOFError, OSError, zlib.error) as error:
        what = f"{type(error).__name__}: {error}"
        raise DataError(f"{path}:{number} is damaged ({what}); nothing after it was read; copy it anew") from None
    if number - 1 != head.get("responses"):
        raise DataError(f"{path} holds {number - 1} responses of {head.get('responses')}: it was cut; copy it anew")


def _store(database: sqlite3.Connection, rows: list[tuple]) -> int:
    before = database.total_changes
    with database:  # BEGIN … COMMIT, so that a kill leaves whole blocks
        database.execute("BEGIN IMMEDIATE")
        database.executemany(insert("IGNORE"), [(*row, digest(row)) for row in rows])
    return database.total_changes - before


@contextmanager
def _packed(file, path: str | Path):
    """Bytes into `file`; gzip without name and time, so that equal contents are equal files."""
    if not str(path).endswith(".gz"):
        yield file.buffer
        return
    with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file.buffer, mtime=0) as out:
        yield out


def _line(row: dict) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


@contextmanager
def _reading(path: Path):
    """A connection that reads damaged text too: it fails its digest, not the read."""
    with closing(sqlite3.connect(path)) as database:
        database.text_factory = lambda data: data.decode(errors="replace")
        yield database


def _salvaged(path: Path) -> Iterator[tuple]:
    """The rows of a broken cache file that can be read and fit their digests, found by halving what cannot."""
    with _reading(path) as database:
        try:
            last = database.execute("SELECT max(rowid) FROM responses").fetchone()[0] or 0
        except sqlite3.DatabaseError as error:
            raise DataError(f"{path}: nothing in it can be read ({error}); delete it") from None
        yield from _readable(database, last)


def _readable(database: sqlite3.Connection, last: int) -> Iterator[tuple]:
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
