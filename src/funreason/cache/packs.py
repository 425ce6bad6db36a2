"""`funreason cache push | pull`: responses on a remote, in packs that never change.

A pack is an export, `<id>.jsonl.gz`; beside it `<id>.keys` lists its keys, 32 bytes each, and ends in the sha256 of the
responses' digests. The id is the sha256 of that list: equal responses make an equal pack, and a list or a pack that is
cut or changed gives itself away. The list is uploaded last, and a pack without one does not count: a push that was
killed leaves nothing that looks whole. Nothing is changed or deleted, so that two pushes at once lose nothing; at worst
a response is stored in two packs.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from funreason.cache.exchange import exported, of_model, sound, take, write
from funreason.cache.remote import Shelf
from funreason.core.errors import DataError
from funreason.llm.cache import CONTENT, Cache, batched, digest

PACK, LIST = ".jsonl.gz", ".keys"
_ROWS, _CHARACTERS = 5000, 2**24  # a pack ends at either: some megabytes, so that little is sent again
_ASKED = 500  # keys a SELECT
_KEY = 32  # bytes


@dataclass
class Pulled:
    """What a pull brought: counts, and a line for each pack or list that is damaged or gone."""

    new: int = 0
    packs: int = 0  # that were fetched
    listed: int = 0  # that are there
    problems: list[str] = field(default_factory=list)


def push(cache: Cache, shelf: Shelf, model: str | None = None) -> tuple[int, int, int]:
    """Upload the responses (of a model) that no pack holds yet; (sent, packs made, there already).

    Killed on the way, run it again. Raises RemoteError, and DataError where the cache is damaged.
    """
    names = shelf.names()
    there = set().union(*(_keys(_read_list(shelf, pack) or b"") for pack in _listed(names) if pack + PACK in names))
    where, values = of_model(model)
    select = f"SELECT key FROM responses WHERE {where} ORDER BY key"
    mine = [row[0] for row in cache.do(lambda database: database.execute(select, values).fetchall())]
    missing = [key for key in mine if key not in there]
    sent = packs = 0
    with TemporaryDirectory() as folder, _bar(len(missing), "push") as bar:
        for rows in _cut(_rows(cache, missing)):
            _upload(shelf, rows, names, Path(folder))
            bar.update(len(rows))
            sent, packs = sent + len(rows), packs + 1
    return sent, packs, len(mine) - len(missing)


def pull(cache: Cache, shelf: Shelf) -> Pulled:
    """Fetch the packs that hold a response which is not here; one that is here already stays.

    A damaged pack is named in `problems`, nothing of it is taken, and the others are. Raises RemoteError.
    """
    names = shelf.names()
    listed = _listed(names)
    pulled = Pulled(listed=len(listed))
    with TemporaryDirectory() as folder:
        for pack in tqdm(listed, "pull", unit="pack", disable=None):
            try:
                pulled.new += _fetch(cache, shelf, pack, names, Path(folder), pulled)
            except DataError as error:
                pulled.problems.append(str(error))
    return pulled


def _fetch(cache: Cache, shelf: Shelf, pack: str, names: set[str], folder: Path, pulled: Pulled) -> int:
    """The number of new responses."""
    listed = _read_list(shelf, pack)
    if listed is None:
        raise DataError(f"{shelf.shown}/{pack}{LIST} is damaged")
    if not _any_missing(cache, _keys(listed)):
        return 0
    if pack + PACK not in names:
        raise DataError(f"{shelf.shown}/{pack}{PACK} is gone")
    path = folder / (pack + PACK)
    shelf.get(path.name, path)
    pulled.packs += 1
    try:
        whole = _list(exported(path)) == listed
    except DataError:
        whole = False
    if not whole:
        raise DataError(f"{shelf.shown}/{path.name} is damaged")
    new, _ = take(cache, exported(path))
    path.unlink()
    return new


def _upload(shelf: Shelf, rows: list[tuple], names: set[str], folder: Path) -> None:
    listed = _list(rows)
    pack = hashlib.sha256(listed).hexdigest()
    path = folder / (pack + PACK)
    if path.name not in names:  # else a push was killed before the list; what has a name is whole
        write(path, rows, len(rows))
        shelf.put(path, path.name)
        path.unlink()
    path = folder / (pack + LIST)
    path.write_bytes(listed)
    shelf.put(path, path.name)


def _list(rows: Iterable[tuple]) -> bytes:
    """The content of `<id>.keys`."""
    keys, digests = [], hashlib.sha256()
    for row in rows:
        keys.append(row[0])
        digests.update(digest(row))
    return b"".join(keys) + digests.digest()


def _read_list(shelf: Shelf, pack: str) -> bytes | None:
    """None where it is damaged."""
    listed = shelf.read(pack + LIST)
    return listed if hashlib.sha256(listed).hexdigest() == pack else None


def _keys(listed: bytes) -> list[bytes]:
    return [listed[start : start + _KEY] for start in range(0, len(listed) - _KEY, _KEY)]


def _listed(names: set[str]) -> list[str]:
    """The ids of packs that have a list, in order."""
    return sorted(name.removesuffix(LIST) for name in names if name.endswith(LIST) and not name.startswith("."))


def _rows(cache: Cache, keys: list[bytes]) -> Iterator[tuple]:
    """The responses, in the order of the keys. Raises DataError at a damaged one."""
    for block in batched(keys, _ASKED):
        select = f"SELECT {CONTENT}, digest FROM responses WHERE key IN ({_marks(block)}) ORDER BY key"
        rows = cache.do(lambda database, select=select, block=block: database.execute(select, block).fetchall())
        yield from sound(rows, cache.path)


def _any_missing(cache: Cache, keys: list[bytes]) -> bool:
    for block in batched(keys, _ASKED):
        count = f"SELECT count(*) FROM responses WHERE key IN ({_marks(block)})"
        found = cache.do(lambda database, count=count, block=block: database.execute(count, block).fetchone()[0])
        if found < len(block):
            return True
    return False


def _marks(block: list) -> str:
    return ", ".join("?" * len(block))


def _cut(rows: Iterable[tuple]) -> Iterator[list[tuple]]:
    """The rows of one pack after the other."""
    pack, characters = [], 0
    for row in rows:
        pack.append(row)
        characters += len(row[2])
        if len(pack) == _ROWS or characters >= _CHARACTERS:
            yield pack
            pack, characters = [], 0
    if pack:
        yield pack


def _bar(total: int, what: str) -> tqdm:
    return tqdm(total=total, desc=what, unit="response", disable=None)
