"""The durable response cache: one SQLite file that clones, experiments and parallel stages share.

A response is found by everything that it depends on (see `key`): a changed prompt, model or sampling parameter asks
anew, and everything else is kept. `put` commits each response by itself, so a kill -9 loses none that was put.
(synchronous=NORMAL: after a power cut the last few may be missing; the file stays sound.) Several processes of one
machine may read and write; SQLite's write-ahead log fails over network file systems. Each row has a digest: a row
that does not fit its digest is asked again. `used` is the day of the last use, by which `funreason cache gc` drops
responses. docs/llm.md describes keys and digests.
"""

import fcntl
import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from funreason.core.errors import EngineError
from funreason.llm.request import Response, Sampling

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
_VERSION = "funreason response 1"  # part of every key: a new meaning of a key gets a new number
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_VARIABLES = 500  # keys per SELECT; SQLite allows 999 in old builds
_SCHEMA = """CREATE TABLE IF NOT EXISTS responses (
    key BLOB PRIMARY KEY, model TEXT NOT NULL, text TEXT NOT NULL, finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
    created TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)"""
_LATER = {"digest": "BLOB", "used": "TEXT"}  # columns of files made before them are NULL: taken as sound, and as new
CONTENT = "key, model, text, finish_reason, prompt_tokens, completion_tokens"


def key(identity: str, prompt: str, sampling: Sampling, index: int) -> bytes:
    """sha256 of everything that a response depends on.

    Args:
        identity: Of the model (`ModelRef.identity`).
        prompt: The text that the model sees.
        sampling: How tokens are drawn.
        index: Tells samples of one prompt apart.

    Returns:
        32 bytes.
    """
    parts = [_VERSION, identity, prompt, sampling.model_dump(exclude_none=True), index]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).digest()


def digest(row: tuple) -> bytes:
    """sha256 over the `CONTENT` of a row, which tells whether it still is what was stored."""
    name, *rest = row
    return hashlib.sha256(json.dumps([name.hex(), *rest]).encode()).digest()


def batched(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Lists of `size` items, the last one shorter; itertools has this from Python 3.12 on."""
    rest = iter(items)
    while block := list(islice(rest, size)):
        yield block


def cache_folder() -> Path:
    """$FUNREASON_CACHE, or ~/.cache/funreason: outside the clone, so that clones and experiments share it."""
    return Path(os.environ.get("FUNREASON_CACHE") or Path.home() / ".cache" / "funreason")


class Cache:
    """Responses by key, in `folder`/responses.sqlite (default: `cache_folder()`).

    Raises EngineError where the file cannot be read or written.
    """

    def __init__(self, folder: str | Path | None = None):
        folder = Path(folder or cache_folder())
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            remedy = "set FUNREASON_CACHE to a folder you can write"
            raise EngineError(f"response cache {folder}: {error.strerror}; {remedy}") from None
        self.path = folder / "responses.sqlite"
        self._database: sqlite3.Connection | None = None
        self._inode: int | None = None

    def get(self, keys: Iterable[bytes]) -> dict[bytes, Response]:
        """The stored responses among `keys`; a damaged one is left out, with a warning."""
        responses: dict[bytes, Response] = {}
        damaged = 0
        for block in batched(keys, _VARIABLES):
            sound, bad = self.do(partial(_select, keys=block))
            responses.update(sound)
            damaged += bad
        if damaged:
            remedy = "they are asked again; `funreason cache verify` checks all responses"
            logger.warning("response cache %s: %d damaged responses; %s", self.path, damaged, remedy)
        return responses

    def put(self, key: bytes, response: Response, model: str) -> None:
        """Store durably; a second response for a key replaces the first.

        Args:
            key: From `key`.
            response: What the model wrote.
            model: Its identity, by which `funreason cache` counts and drops responses.
        """
        counts = response.prompt_tokens, response.completion_tokens
        row = (key, model, response.text, response.finish_reason, *counts)
        self.do(lambda database: database.execute(insert("REPLACE"), (*row, digest(row))))

    def drop(self, keys: Iterable[bytes]) -> None:
        """Forget the responses of `keys`."""
        for block in batched(keys, _VARIABLES):
            self.do(partial(delete, keys=block))

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def __enter__(self) -> "Cache":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def do(self, action: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run `action` on the open database; a corrupt file is moved aside, and `action` runs on a new one."""
        try:
            try:
                return action(self._open())
            except sqlite3.DatabaseError as error:
                if not is_corrupt(error):
                    raise
                self.replace_corrupt(error)
                return action(self._open())
        except sqlite3.OperationalError as error:
            remedy = "check the disk's space and the file's owner, or set FUNREASON_CACHE to another folder"
            raise EngineError(f"response cache {self.path}: {error}; {remedy}") from None

    def _open(self) -> sqlite3.Connection:
        # Another process may have moved a corrupt file aside, or a user deleted it: follow the name.
        if self._database is None or self._inode != _inode(self.path):
            self.close()
            with self._lock():  # two processes may not switch a new file to WAL at once
                self._database = _connect(self.path)
                self._inode = _inode(self.path)
        return self._database

    def replace_corrupt(self, error: sqlite3.Error) -> Path | None:
        """Move the file aside, if it is still corrupt, and return its new path; the next use makes a new file."""
        self.close()
        with self._lock():
            if _is_sound(self.path):  # another process has replaced it already
                return None
            aside = _free_name(self.path)
            for suffix in ("-wal", "-shm", ""):  # the log first: it must never meet a new file
                file = Path(f"{self.path}{suffix}")
                if file.exists():
                    os.replace(file, f"{aside}{suffix}")
        remedy = f"`funreason cache import {aside}` brings back what can be read of it"
        logger.warning("response cache %s: %s; moved to %s, starting anew; %s", self.path, error, aside, remedy)
        return aside

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with open(self.path.with_suffix(".lock"), "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=60, isolation_level=None)  # None: each statement is a commit
    database.text_factory = lambda data: data.decode(errors="replace")  # a damaged text fails its digest, not the read
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute(_SCHEMA)
        _upgrade(database)
    except BaseException:
        database.close()
        raise
    return database


def _inode(path: Path) -> int | None:
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return None


def insert(otherwise: str) -> str:
    """The statement that stores `CONTENT` and digest; `otherwise` is REPLACE or IGNORE, for a key already there."""
    return f"INSERT OR {otherwise} INTO responses ({CONTENT}, digest, used) VALUES (?, ?, ?, ?, ?, ?, ?, date('now'))"


def delete(database: sqlite3.Connection, keys: list[bytes]) -> None:
    """Delete the rows of `keys`."""
    database.execute(f"DELETE FROM responses WHERE key IN ({', '.join('?' * len(keys))})", keys)


def _upgrade(database: sqlite3.Connection) -> None:
    known = {row[1] for row in database.execute("PRAGMA table_info(responses)")}
    for column, sql_type in _LATER.items():
        if column not in known:
            database.execute(f"ALTER TABLE responses ADD COLUMN {column} {sql_type}")


def _select(database: sqlite3.Connection, keys: list[bytes]) -> tuple[dict[bytes, Response], int]:
    """The sound responses, and the number of damaged ones."""
    marks = ", ".join("?" * len(keys))
    columns = f"{CONTENT}, digest, ifnull(used, '') < date('now')"
    rows = database.execute(f"SELECT {columns} FROM responses WHERE key IN ({marks})", keys).fetchall()
    sound = [row for row in rows if row[6] is None or row[6] == digest(row[:6])]
    if unmarked := [row[0] for row in sound if row[7]]:  # once a day, so that reading stays reading
        marks = ", ".join("?" * len(unmarked))
        # A full disk, or another process that writes: the day of use is not worth a failed read.
        with suppress(sqlite3.OperationalError):
            database.execute(f"UPDATE responses SET used = date('now') WHERE key IN ({marks})", unmarked)
    return {row[0]: Response(*row[2:6]) for row in sound}, len(rows) - len(sound)


def is_corrupt(error: sqlite3.DatabaseError) -> bool:
    """Whether SQLite says that the file itself is damaged."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT  # the low byte is the primary code


def _is_sound(path: Path) -> bool:
    try:
        with closing(_connect(path)) as database:
            return database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.DatabaseError as error:
        if is_corrupt(error):
            return False
        raise


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.stem}.corrupt-{number}{path.suffix}")).exists():
        number += 1
    return aside
