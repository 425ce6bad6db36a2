"""Maintenance of the response cache: `funreason cache stats | gc | verify`.

Other processes may read and write meanwhile. docs/llm.md describes keys and digests.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from funreason.cache.exchange import import_, of_model
from funreason.core.errors import DataError, EngineError
from funreason.llm.cache import CONTENT, Cache, digest, is_corrupt
from funreason.llm.request import FILTERED, REFUSED


def stats(cache: Cache) -> dict[str, Any]:
    """Responses, tokens, characters and days of use per model; responses in all, bytes on the disk, files aside."""
    select = """SELECT model, count(*) responses, sum(prompt_tokens) prompt_tokens,
        sum(completion_tokens) completion_tokens, sum(length(text)) characters,
        min(date(created)) first, max(ifnull(used, date(created))) last_used
        FROM responses GROUP BY model ORDER BY model"""
    names = "model responses prompt_tokens completion_tokens characters first last_used".split()
    rows = cache.do(lambda database: database.execute(select).fetchall())
    aside = sorted(str(path) for path in cache.path.parent.glob(f"{cache.path.stem}.corrupt-*{cache.path.suffix}"))
    return {
        "path": str(cache.path),
        "bytes": _bytes(cache),
        "responses": sum(row[1] for row in rows),
        "models": [dict(zip(names, row, strict=True)) for row in rows],
        "aside": aside,
    }


def gc(
    cache: Cache, unused_days: int | None, model: str | None, dry_run: bool = False, refused: bool = False
) -> tuple[int, int]:
    """Drop responses.

    Args:
        cache: Where they are.
        unused_days: Those that no run has asked for in so many days.
        model: Those of models whose identity starts with this.
        dry_run: Only count them.
        refused: Those that stand for a request which a server refused.

    Returns:
        The number of responses, and the bytes given back to the disk.

    Raises:
        DataError: None of them is given, so that every response would go.
    """
    if unused_days is None and model is None and not refused:
        remedy = "give --unused-days DAYS, --model IDENTITY or --refused"
        raise DataError(f"gc: nothing says which responses to drop; {remedy}")
    where, values = of_model(model)
    if refused:
        where += " AND finish_reason IN (?, ?)"
        values += [REFUSED, FILTERED]
    if unused_days is not None:
        where += " AND ifnull(used, date(created)) < date('now', ?)"
        values.append(f"-{unused_days} days")
    if dry_run:
        count = f"SELECT count(*) FROM responses WHERE {where}"
        return cache.do(lambda database: database.execute(count, values).fetchone()[0]), 0
    before = _bytes(cache)
    delete = f"DELETE FROM responses WHERE {where}"
    dropped = 0
    try:
        dropped = cache.do(lambda database: database.execute(delete, values).rowcount)
        if dropped:
            cache.do(_shrink)
    except EngineError as problem:
        if not _is_full(problem.__context__):
            raise
        dropped += _drop_on_full_disk(cache, delete, values)
    return dropped, max(0, before - _bytes(cache))


def _is_full(error: BaseException | None) -> bool:
    codes = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_CANTOPEN)
    return getattr(error, "sqlite_errorcode", None) in codes


def _drop_on_full_disk(cache: Cache, delete: str, values: list) -> int:
    """Drop responses in place, with the journal in memory: the usual log takes space before it gives any back.

    A power cut meanwhile may damage the file, so only where there is no space left.
    """
    cache.close()
    with closing(sqlite3.connect(cache.path, timeout=5, isolation_level=None)) as database:
        try:
            for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=MEMORY", "temp_store=MEMORY"):
                database.execute(f"PRAGMA {pragma}")
            count = delete.replace("DELETE", "SELECT count(*)", 1)
            dropped = database.execute(count, values).fetchone()[0]
            database.execute(delete, values)
            database.execute("VACUUM")
            database.execute("PRAGMA locking_mode=NORMAL")
            database.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            remedy = "end the runs that use the cache, or delete another file of that disk first"
            raise EngineError(f"response cache {cache.path}: the disk is full, and {error}; {remedy}") from None
        return dropped


def verify(cache: Cache, repair: bool = False) -> dict[str, Any]:
    """Check every response against its digest, and the structure of the file.

    Args:
        cache: What to check.
        repair: Drop damaged responses, which are then asked again. Where the structure is broken, make a new file of
            all responses that can still be read, and keep the old file aside.

    Returns:
        Counts of `responses`, `damaged` (the digest does not fit) and `unchecked` ones (stored before there were
        digests); `structure`: ok, or SQLite's message.
    """
    structure = _structure(cache)
    responses, unchecked = 0, 0
    damaged: list[bytes] = []
    for *row, stored in cache.do(_all_rows) if structure == "ok" else ():
        responses += 1
        unchecked += stored is None
        if stored is not None and stored != digest(tuple(row)):
            damaged.append(row[0])
    if repair:
        _repair(cache, damaged, structure)
    return {"responses": responses, "damaged": len(damaged), "unchecked": unchecked, "structure": structure}


def _structure(cache: Cache) -> str:
    """SQLite's message about the file, or ok. Not through `cache`, which would move a broken file aside at once."""
    try:
        with closing(sqlite3.connect(cache.path)) as database:
            return database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if not is_corrupt(error):
            raise
        return str(error)


def _repair(cache: Cache, damaged: list[bytes], structure: str) -> None:
    cache.drop(damaged)
    if structure != "ok":
        if aside := cache.replace_corrupt(sqlite3.DatabaseError(structure)):
            import_(cache, aside)
        else:  # the rows are sound, their index is not
            cache.do(lambda database: database.execute("REINDEX"))


def _all_rows(database: sqlite3.Connection) -> Iterator[tuple]:
    return database.execute(f"SELECT {CONTENT}, digest FROM responses")


def _shrink(database: sqlite3.Connection) -> None:
    database.execute("VACUUM")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _bytes(cache: Cache) -> int:
    files = (Path(f"{cache.path}{suffix}") for suffix in ("", "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
