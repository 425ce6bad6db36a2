"""Responses from elsewhere: what has a digest that fits may still be no response, too large, or no file."""

import gzip
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from funreason.cache.exchange import export, import_
from funreason.cache.remote import FOLDER, open_store
from funreason.cache.shards import pull, push
from funreason.core.errors import DataError
from funreason.llm import Cache, Response
from funreason.llm.cache import digest
from funreason.sandbox.isolation import bwrap_program

pytestmark = pytest.mark.slow

SOUND = ("0" * 64, "sha256:one", "text", "stop", 1, 2)
HOSTILE = {
    "a text as a count": (*SOUND[:4], "12", 2),
    "true as a count": (*SOUND[:4], True, 2),
    "half a token": (*SOUND[:4], 1, 2.5),
    "a count below 0": (*SOUND[:4], -1, 2),
    "a huge count": (*SOUND[:4], 1, 2**62),
    "no text": (*SOUND[:2], None, *SOUND[3:]),
    "a list as text": (*SOUND[:2], ["x"], *SOUND[3:]),
    "a lone surrogate": (*SOUND[:2], "\ud800", *SOUND[3:]),
    "a short key": ("00", *SOUND[1:]),
    "no model": (SOUND[0], None, *SOUND[2:]),
}


def exported_file(path: Path, rows: list[tuple]) -> Path:
    names = ("key", "model", "text", "finish_reason", "prompt_tokens", "completion_tokens")
    lines = [{"format": "funreason responses 1", "responses": len(rows)}]
    for row in rows:
        fits = digest((bytes.fromhex(row[0]), *row[1:])).hex()
        lines.append(dict(zip(names, row, strict=True), digest=fits))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_sound_row_is_taken(tmp_path):
    assert import_(Cache(tmp_path / "cache"), exported_file(tmp_path / "e.jsonl", [SOUND])) == (1, 0)


@pytest.mark.parametrize("row", HOSTILE.values(), ids=HOSTILE)
def test_a_row_of_other_types_is_refused_whole(tmp_path, row):
    cache = Cache(tmp_path / "cache")
    with pytest.raises(
        DataError, match=r"e.jsonl:3 is damaged \((ValueError|UnicodeEncodeError): .*copy it anew"
    ) as caught:
        import_(cache, exported_file(tmp_path / "e.jsonl", [SOUND, row]))
    assert "\n" not in str(caught.value) and export(cache, tmp_path / "out.jsonl") == 0


def test_a_gzip_bomb_takes_little_memory(tmp_path):
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b'{"format": "funreason responses 1", "responses": 1}\n{"key": "')
        for _ in range(400):
            file.write(bytes(1 << 20))
    source = f"""
import resource
from funreason.cache.exchange import import_
from funreason.core.errors import DataError
from funreason.llm import Cache
resource.setrlimit(resource.RLIMIT_AS, ({800 << 20}, {800 << 20}))
try:
    import_(Cache({str(tmp_path / "cache")!r}), {str(path)!r})
except DataError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert "a line of more than 64 MB" in done.stdout, done.stderr[-500:]


def sqlite_file(path: Path, rows: dict[int, tuple]) -> Path:
    with Cache(path.parent / "made") as cache:
        cache.do(lambda database: None)
    shutil.copy(path.parent / "made" / "responses.sqlite", path)
    with sqlite3.connect(path) as database:
        for number, row in rows.items():
            values = (number, bytes.fromhex(row[0]), *row[1:], digest((bytes.fromhex(row[0]), *row[1:])))
            columns = "rowid, key, model, text, finish_reason, prompt_tokens, completion_tokens, digest"
            database.execute(f"INSERT INTO responses ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    return path


def test_a_row_number_of_any_size_ends(tmp_path):
    other = ("1" * 64, *SOUND[1:])
    odd = ("2" * 64, *SOUND[1:4], "many", 2)
    path = sqlite_file(tmp_path / "old.sqlite", {-5: SOUND, 2**62: other, 2**62 + 7: odd})
    started = time.monotonic()
    assert import_(Cache(tmp_path / "cache"), path) == (2, 0)
    assert time.monotonic() - started < 5


def test_a_view_in_place_of_the_table_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "old.sqlite") as database:
        database.execute("CREATE VIEW responses AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) "
                         "SELECT x AS key FROM n")  # fmt: skip
    with pytest.raises(DataError, match="has no table of responses"):
        import_(Cache(tmp_path / "cache"), tmp_path / "old.sqlite")


@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
def test_an_export_never_replaces_the_cache(tmp_path, ending):
    cache = filled(tmp_path / "cache")
    for path in (Path(f"{cache.path}{ending}"), tmp_path / "link", tmp_path / "hard"):
        if path.name == "link":
            path.symlink_to(f"{cache.path}{ending}")
        elif path.name == "hard" and Path(f"{cache.path}{ending}").exists():
            os.link(f"{cache.path}{ending}", path)
        elif path.name == "hard":
            continue
        with pytest.raises(DataError, match="an export never replaces"):
            export(cache, path)
    assert export(cache, tmp_path / "out.jsonl") == 20


def filled(folder: Path, count: int = 20, size: int = 10) -> Cache:
    cache = Cache(folder)
    for number in range(count):
        cache.put(hashlib.sha256(b"%d" % number).digest(), Response("x" * size, "stop", 1, 1), f"model-{number % 2}")
    return cache


def test_a_killed_export_leaves_nothing(tmp_path):
    filled(tmp_path / "cache", 5)
    (tmp_path / "out").mkdir()
    source = f"""
import os, signal
from funreason.cache import exchange
from funreason.llm import Cache
def sound(rows, path):
    yield (bytes(32), "m", "x" * (1 << 20), "stop", 1, 1)
    os.kill(os.getpid(), signal.SIGKILL)
exchange.sound = sound
exchange.export(Cache({str(tmp_path / "cache")!r}), {str(tmp_path / "out" / "e.jsonl")!r})
"""
    done = subprocess.run([sys.executable, "-c", source])
    assert done.returncode == -signal.SIGKILL and list((tmp_path / "out").iterdir()) == []


def test_gc_works_on_a_full_disk(tmp_path):
    """The file system is full to the last byte; dropping half of the responses frees space."""
    source = """
import os, sys
sys.path.insert(0, sys.argv[1])
from share.test_hostile_responses import filled
from funreason.cache.maintenance import gc, verify
from funreason.llm import Cache
filled("/mnt/cache", 200, 10_000).close()
with open("/mnt/filler", "wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(4096))
    except OSError:
        pass
dropped, freed = gc(Cache("/mnt/cache"), None, "model-1")
print(dropped, freed > 500_000, verify(Cache("/mnt/cache"))["responses"])
"""
    command = [bwrap_program(), "--dev-bind", "/", "/", "--size", str(6 << 20), "--tmpfs", "/mnt"]
    tests = str(Path(__file__).parents[1])
    done = subprocess.run([*command, sys.executable, "-c", source, tests], capture_output=True, text=True)
    assert done.stdout.split() == ["100", "True", "100"], done.stderr[-800:]


def test_what_is_not_a_file_in_the_store_is_left_out(tmp_path):
    """A fifo would hang a pull for ever, and a key list of any size fill the memory."""
    store = open_store(f"{tmp_path}/remote")
    push(filled(tmp_path / "cache"), store)
    folder = tmp_path / "remote" / FOLDER
    os.mkfifo(folder / ("a" * 64 + ".keys"))
    (folder / ("b" * 64 + ".keys")).mkdir()
    (folder / "not-an-id.keys").write_bytes(b"x")
    with open(folder / ("c" * 64 + ".keys"), "wb") as file:
        file.truncate(1 << 33)
    result = pull(Cache(tmp_path / "other"), store)
    assert result.new == 20 and len(result.problems) == 1 and "c" * 64 in result.problems[0]


def test_a_shard_with_more_rows_than_keys_is_damaged(tmp_path):
    store = open_store(f"{tmp_path}/remote")
    push(filled(tmp_path / "cache"), store)
    (shard,) = (tmp_path / "remote" / FOLDER).glob("*.jsonl.gz")
    more = [json.loads(line) for line in gzip.decompress(shard.read_bytes()).splitlines()]
    lines = [more[0] | {"responses": 40}, *more[1:], *more[1:]]
    shard.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    result = pull(Cache(tmp_path / "other"), store)
    assert result.new == 0 and "is damaged" in result.problems[0]
