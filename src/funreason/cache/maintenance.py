"""Looking after the response cache: what `funreason cache stats | gc | verify` do.

Other processes may go on reading and writing meanwhile. docs/llm.md describes keys and digests.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from funreason.cache.exchange import import_, of_model
from funreason.core.errors import DataError
from funreason.llm.cache import CONTENT, Cache, batched, digest, is_corrupt


def stats(cache: Cache) -> dict:
    """Counts a model and in all: responses, tokens, characters, first and last day; bytes on the disk; files aside."""
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


def gc(cache: Cache, unused_days: int | None, model: str | None, dry_run: bool = False) -> tuple[int, int]:
    """Drop what was not used for so many days, of models whose identity begins so; (responses, bytes given back).

    Raises DataError where neither is given: everything would go.
    """
    if unused_days is None and model is None:
        raise DataError("gc: nothing says what may go; give --unused-days DAYS, --model IDENTITY, or both")
    where, values = of_model(model)
    if unused_days is not None:
        where += " AND ifnull(used, date(created)) < date('now', ?)"
        values.append(f"-{unused_days} days")
    if dry_run:
        count = f"SELECT count(*) FROM responses WHERE {where}"
        return cache.do(lambda database: database.execute(count, values).fetchone()[0]), 0
    before = _bytes(cache)
    gone = cache.do(lambda database: database.execute(f"DELETE FROM responses WHERE {where}", values).rowcount)
    if gone:
        cache.do(_shrink)
    return gone, max(0, before - _bytes(cache))


def verify(cache: Cache, repair: bool = False) -> dict:
    """Counts: responses, `damaged` (digest does not fit), `unchecked` (older than digests); `structure`: SQLite's word.

    `repair` drops the damaged ones, which are then asked again; of a file whose structure is broken it makes a new
    one from what can still be read, and keeps the old one aside.
    """
    structure = _structure(cache)
    found, bad = {"responses": 0, "damaged": 0, "unchecked": 0, "structure": structure}, []
    for *row, stored in cache.do(_all_rows) if structure == "ok" else ():
        found["responses"] += 1
        found["unchecked"] += stored is None
        if stored is not None and stored != digest(tuple(row)):
            bad.append(row[0])
    if repair:
        _repair(cache, bad, structure)
    return found | {"damaged": len(bad)}


def _structure(cache: Cache) -> str:
    """What SQLite says of the file; not by way of `cache`, which would move a broken one aside at once."""
    try:
        with closing(sqlite3.connect(cache.path)) as database:
            return database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if not is_corrupt(error):
            raise
        return str(error)


def _repair(cache: Cache, bad: list[bytes], structure: str) -> None:
    for block in batched(bad, 500):
        marks = ", ".join("?" * len(block))
        statement = f"DELETE FROM responses WHERE key IN ({marks})"
        cache.do(lambda database, statement=statement, block=block: database.execute(statement, block))
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
