"""`funreason cache push | pull`: responses in a remote store, in shards that never change.

A shard is an export, `<id>.jsonl.gz`. Beside it, `<id>.keys` lists its keys, 32 bytes each, and ends in the sha256 of
the digests of its responses. The id is the sha256 of that key list: equal responses make an equal shard, and a list or
a shard that is cut or changed does not fit its name. The key list is uploaded last, and a shard without one does not
count, so a killed push leaves nothing that looks whole. No push changes or deletes a file, so two at once lose nothing;
at worst a response is stored in two shards.
"""

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from funreason.cache.exchange import blocks, exported, of_model, sound, take, write
from funreason.cache.remote import RemoteStore
from funreason.core.errors import DataError
from funreason.llm.cache import CONTENT, Cache, batched, digest

SHARD, KEY_LIST = ".jsonl.gz", ".keys"  # file name endings
_ROWS, _CHARACTERS = 5000, 2**24  # a shard ends at either: some megabytes, so that little is sent again
_KEYS_PER_SELECT = 500
_KEY = 32  # bytes
_ID = re.compile("[0-9a-f]{64}")
_LARGEST = {SHARD: 1 << 27, KEY_LIST: _KEY * (_ROWS + 1)}  # bytes, more than any push makes


@dataclass
class PullResult:
    """Counts, and a line per shard or key list that is damaged or missing."""

    new: int = 0  # responses
    shards: int = 0  # that were fetched
    listed: int = 0  # shards in the store
    problems: list[str] = field(default_factory=list)


def push(cache: Cache, store: RemoteStore, model: str | None = None) -> tuple[int, int, int]:
    """Upload the responses that no shard of the store holds yet. Killed on the way, run it again.

    Args:
        cache: Where the responses are.
        store: Where they go.
        model: Only those of models whose identity starts with this.

    Returns:
        The number of responses sent, of shards made, and of responses that were there already.

    Raises:
        RemoteError: The store cannot be reached or refuses.
        DataError: The cache is damaged.
    """
    names = store.names()
    there: set[bytes] = set()
    for shard in _listed(names):
        if shard + SHARD in names:
            there.update(_keys(_read_key_list(store, shard) or b""))
    where, values = of_model(model)
    select = f"SELECT key FROM responses WHERE {where} ORDER BY key"
    ours = [row[0] for row in cache.do(lambda database: database.execute(select, values).fetchall())]
    missing = [key for key in ours if key not in there]
    sent = shards = 0
    with TemporaryDirectory() as folder, tqdm(total=len(missing), desc="push", unit="response", disable=None) as bar:
        for rows in blocks(_rows(cache, missing), _ROWS, _CHARACTERS):
            _upload(store, rows, names, Path(folder))
            bar.update(len(rows))
            sent, shards = sent + len(rows), shards + 1
    return sent, shards, len(ours) - len(missing)


def pull(cache: Cache, store: RemoteStore) -> PullResult:
    """Fetch the shards with a response that is not in the cache; a response that is there already stays.

    Nothing is taken of a damaged shard, the others are taken.

    Args:
        cache: Where the responses go.
        store: Where they are.

    Returns:
        Counts, with the damaged shards as `problems`.

    Raises:
        RemoteError: The store cannot be reached or refuses.
    """
    names = store.names()
    listed = _listed(names)
    result = PullResult(listed=len(listed))
    with TemporaryDirectory() as folder:
        for shard in tqdm(listed, "pull", unit="shard", disable=None):
            try:
                result.new += _fetch(cache, store, shard, names, Path(folder), result)
            except DataError as error:
                result.problems.append(str(error))
    return result


def _fetch(
    cache: Cache, store: RemoteStore, shard: str, names: dict[str, int | None], folder: Path, result: PullResult
) -> int:
    """The number of new responses."""
    key_list = _read_key_list(store, shard)
    if key_list is None:
        raise DataError(f"{store.shown}/{shard}{KEY_LIST} is damaged")
    if not _any_missing(cache, _keys(key_list)):
        return 0
    if shard + SHARD not in names:
        raise DataError(f"{store.shown}/{shard}{SHARD} is gone")
    if (names[shard + SHARD] or 0) > _LARGEST[SHARD]:
        raise DataError(f"{store.shown}/{shard}{SHARD} is larger than any shard")
    path = folder / (shard + SHARD)
    store.get(path.name, path)
    result.shards += 1
    try:
        # Not more rows than keys: a small file can unpack to any number.
        whole = _key_list(islice(exported(path), len(key_list) // _KEY)) == key_list
    except DataError:
        whole = False
    if not whole:
        raise DataError(f"{store.shown}/{path.name} is damaged")
    new, _ = take(cache, exported(path))
    path.unlink()
    return new


def _upload(store: RemoteStore, rows: list[tuple], names: dict[str, int | None], folder: Path) -> None:
    key_list = _key_list(rows)
    shard = hashlib.sha256(key_list).hexdigest()
    path = folder / (shard + SHARD)
    if path.name not in names:  # else a push was killed before the key list; a file that has its name is whole
        write(path, rows, len(rows))
        store.put(path, path.name)
        path.unlink()
    path = folder / (shard + KEY_LIST)
    path.write_bytes(key_list)
    store.put(path, path.name)


def _key_list(rows: Iterable[tuple]) -> bytes:
    """The content of `<id>.keys`."""
    keys, digests = [], hashlib.sha256()
    for row in rows:
        keys.append(row[0])
        digests.update(digest(row))
    return b"".join(keys) + digests.digest()


def _read_key_list(store: RemoteStore, shard: str) -> bytes | None:
    """None where it is damaged."""
    key_list = store.read(shard + KEY_LIST, _LARGEST[KEY_LIST])
    if len(key_list) > _LARGEST[KEY_LIST]:
        return None
    return key_list if hashlib.sha256(key_list).hexdigest() == shard else None


def _keys(key_list: bytes) -> list[bytes]:
    return [key_list[start : start + _KEY] for start in range(0, len(key_list) - _KEY, _KEY)]


def _listed(names: dict[str, int | None]) -> list[str]:
    """The ids of the shards that have a key list, in order."""
    ids = (name.removesuffix(KEY_LIST) for name in names if name.endswith(KEY_LIST))
    return sorted(name for name in ids if _ID.fullmatch(name))


def _rows(cache: Cache, keys: list[bytes]) -> Iterator[tuple]:
    """The responses, in the order of the keys. Raises DataError at a damaged one."""
    for block in batched(keys, _KEYS_PER_SELECT):
        yield from sound(cache.do(partial(_select, columns=f"{CONTENT}, digest", keys=block)), cache.path)


def _any_missing(cache: Cache, keys: list[bytes]) -> bool:
    blocks = batched(keys, _KEYS_PER_SELECT)
    return any(len(cache.do(partial(_select, columns="key", keys=block))) < len(block) for block in blocks)


def _select(database: sqlite3.Connection, columns: str, keys: list[bytes]) -> list[tuple]:
    marks = ", ".join("?" * len(keys))
    return database.execute(f"SELECT {columns} FROM responses WHERE key IN ({marks}) ORDER BY key", keys).fetchall()
