"""The response cache to a file and back: exports, and what can be read of a broken cache file.

An export is JSON lines in the order of the keys and without times: equal responses make an equal file.
"""

import errno
import gzip
import json
import os
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
from funreason.llm.cache import CONTENT, Cache, digest, insert

FORMAT = "funreason responses 1"
_BATCH = 5000  # rows per transaction: few enough that a stage that writes meanwhile hardly waits
_FIELDS = CONTENT.split(", ")
_LINE = 1 << 26  # bytes of one line, unpacked: more than any model writes
_TOKENS = 1 << 31
_SALVAGED = 200  # rows per read of a broken file
_BROKEN_READS = 100_000  # of a salvaged file; what is behind so many damaged rows is given up


def export(cache: Cache, path: str | Path, model: str | None = None) -> int:
    """Write responses to a file, whole or not at all.

    Args:
        cache: Where the responses are.
        path: The file; gzipped where its name ends in .gz.
        model: Only those of models whose identity starts with this.

    Returns:
        The number of responses written.

    Raises:
        DataError: The cache is damaged, or `path` is a file of the cache itself.
    """
    _require_other_file(cache, Path(path))
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
    with unnamed(Path(path)) as file, _bytes_into(file, path) as out:
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
        if path.resolve() == cache.path.resolve():
            raise DataError(f"{path} is this cache; give an export, or the cache file of another machine")
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
    for block in blocks(rows, _BATCH, _LINE):
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
            head = json.loads(file.readline(_LINE) or b"null")
            if not isinstance(head, dict) or head.get("format") != FORMAT:
                raise DataError(f"{path} is not an export (its first line must name {FORMAT!r}); export it anew")
            while line := file.readline(_LINE):
                number += 1
                if len(line) == _LINE:
                    raise ValueError(f"a line of more than {_LINE >> 20} MB")
                row = json.loads(line)
                values = (bytes.fromhex(row["key"]), *(row[name] for name in _FIELDS[1:]))
                require_response(values)
                if digest(values).hex() != row["digest"]:
                    raise ValueError("its digest does not fit")
                yield values
    except (ValueError, KeyError, TypeError, EOFError, OSError, zlib.error, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f"{path}:{number} is damaged ({reason}); nothing after it was read; copy it anew") from None
    if number - 1 != head.get("responses"):
        raise DataError(f"{path} holds {number - 1} responses of {head.get('responses')}: it was cut; copy it anew")


def require_response(row: tuple) -> None:
    """Raise ValueError where a row of `CONTENT` has a type or a size that no response has: a digest fits those, too."""
    name, *texts, prompt_tokens, completion_tokens = row
    if type(name) is not bytes or len(name) != 32:
        raise ValueError("key is not 32 bytes")
    for field, text in zip(_FIELDS[1:4], texts, strict=True):
        if type(text) is not str or len(text) > _LINE:
            raise ValueError(f"{field} is {str(text)[:40]!r}, wanted a text")
        text.encode()  # no lone surrogates, which SQLite refuses
    for field, count in zip(_FIELDS[4:], (prompt_tokens, completion_tokens), strict=True):
        if type(count) is not int or not 0 <= count < _TOKENS:
            raise ValueError(f"{field} is {str(count)[:40]!r}, wanted a number of tokens")


def _is_response(row: tuple) -> bool:
    try:
        require_response(row)
        return True
    except ValueError:
        return False


def blocks(rows: Iterable[tuple], size: int, characters: int) -> Iterator[list[tuple]]:
    """Lists of responses that end at `size` rows, or at the row with which their texts have `characters`."""
    block: list[tuple] = []
    length = 0
    for row in rows:
        block.append(row)
        length += len(row[2])
        if len(block) == size or length >= characters:
            yield block
            block, length = [], 0
    if block:
        yield block


def _require_other_file(cache: Cache, path: Path) -> None:
    own = [Path(f"{cache.path}{suffix}") for suffix in ("", "-wal", "-shm")] + [cache.path.with_suffix(".lock")]
    same = any(path.exists() and file.exists() and path.samefile(file) for file in own)
    if same or path.resolve() in [file.resolve() for file in own] or path.suffix == ".sqlite":
        raise DataError(f"{path} is named like a cache file, which an export never replaces; end it in .jsonl.gz")
    if path.exists() and not path.is_file():
        raise DataError(f"{path} is not a file; name a file that ends in .jsonl.gz")


@contextmanager
def unnamed(path: Path) -> Iterator[TextIO]:
    """Open a file without a name, which gets the name `path` once it is whole: a kill leaves nothing of it.

    Where the file system has no such files (NFS), the file has a temporary name, see `jsonio.atomic`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path.parent, os.O_TMPFILE | os.O_RDWR, 0o666)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL):
            raise
        with atomic(path) as file:
            yield file
        return
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        yield file
        file.flush()
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        temporary.unlink(missing_ok=True)
        # A name cannot be given in place of another: the temporary one lives for a moment.
        folder = os.open("/proc/self/fd", os.O_RDONLY)
        try:  # with a folder, since Python follows the link only then
            os.link(str(file.fileno()), temporary, src_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)
        os.replace(temporary, path)


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
        database.execute("PRAGMA trusted_schema=OFF")
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LINE)
        try:
            tables = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'responses' AND type = 'table'")
            if not tables.fetchall():
                raise DataError(f"{path}: it has no table of responses; give a file that was a response cache")
            last = database.execute("SELECT max(rowid) FROM responses").fetchone()[0]
            first = _first(database)
        except sqlite3.DatabaseError as error:
            raise DataError(f"{path}: nothing in it can be read ({error}); delete it") from None
        yield from _readable(database, first, last) if last is not None else ()


def _first(database: sqlite3.Connection) -> int:
    try:
        return database.execute("SELECT min(rowid) FROM responses").fetchone()[0] or 1
    except sqlite3.DatabaseError:  # its page is the broken one; a cache counts from 1
        return 1


def _readable(database: sqlite3.Connection, first: int, last: int) -> Iterator[tuple]:
    """Rows `first` to `last`; a range that cannot be read is halved until single rows are left out.

    Row numbers may have gaps of any size: a block is so many rows, not so many numbers.
    """
    select = f"SELECT rowid, {CONTENT}, digest FROM responses WHERE rowid BETWEEN ? AND ? ORDER BY rowid LIMIT ?"
    todo, broken = [(first, last)], 0
    while todo and broken < _BROKEN_READS:
        first, last = todo.pop()
        try:
            rows = database.execute(select, (first, last, _SALVAGED)).fetchall()
        except (sqlite3.DatabaseError, sqlite3.DataError):
            broken += 1
            middle = (first + last) // 2
            todo += [(middle + 1, last), (first, middle)] if first < last else []
            continue
        if len(rows) == _SALVAGED and rows[-1][0] < last:
            todo.append((rows[-1][0] + 1, last))
        for _, *row, stored in rows:
            if _is_response(tuple(row)) and stored in (None, digest(tuple(row))):
                yield tuple(row)
