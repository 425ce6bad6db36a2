"""The response cache: what a key depends on, several writers, a broken file."""

import sqlite3
import subprocess
import sys

import pytest

from funreason.core.errors import EngineError
from funreason.llm import Cache, Response
from funreason.llm.cache import key
from funreason.llm.request import Sampling

SAMPLING = Sampling(temperature=0.5, top_p=0.9, max_tokens=10, seed=1)
BASE = dict(identity="sha256:a", prompt="hi", sampling=SAMPLING, index=0)


def name(number: int) -> bytes:
    return number.to_bytes(32)


def answer(number: int) -> Response:
    return Response(f"é {number}", "stop", number, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"identity": "sha256:b"},
        {"prompt": "hi "},
        {"index": 1},
        *({"sampling": SAMPLING.model_copy(update=update)} for update in (
            {"temperature": 0.6}, {"top_p": 0.8}, {"max_tokens": 11}, {"seed": 2}, {"seed": None}
        )),
    ],
)  # fmt: skip
def test_key_depends_on(change):
    assert key(**BASE) == key(**BASE)
    assert key(**BASE | change) != key(**BASE)


def test_finds_what_was_put_also_after_reopening(tmp_path):
    with Cache(tmp_path) as cache:
        for number in range(1200):  # more than one SELECT's worth
            cache.put(name(number), answer(number), "m")
    with Cache(tmp_path) as cache:
        stored = cache.get(map(name, range(600, 1300)))
    assert stored == {name(number): answer(number) for number in range(600, 1200)}


WRITER = """
import sys
from funreason.llm import Cache, Response
first = int(sys.argv[2])
with Cache(sys.argv[1]) as cache:
    for number in range(first, first + 100):
        cache.put(number.to_bytes(32), Response(f"é {number}", "stop", number, 2), "m")
        assert cache.get([number.to_bytes(32)])
"""


@pytest.mark.slow
def test_eight_processes_share_a_new_file(tmp_path):
    """Each begins in the middle of the one before: nothing is lost, and nothing is there twice."""
    start = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*start, str(50 * n)], stderr=subprocess.PIPE, text=True) for n in range(8)]
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [("", 0)] * 8
    with Cache(tmp_path) as cache:
        assert cache.get(map(name, range(500))) == {name(number): answer(number) for number in range(450)}
        assert cache.do(lambda database: database.execute("SELECT count(*) FROM responses").fetchone()) == (450,)


def test_a_file_that_is_not_a_database_is_moved_aside(tmp_path, caplog):
    (tmp_path / "responses.sqlite").write_bytes(b"not a database" * 100)
    with Cache(tmp_path) as cache:
        assert cache.get([name(1)]) == {}
        cache.put(name(1), answer(1), "m")
        assert cache.get([name(1)]) == {name(1): answer(1)}
    assert (tmp_path / "responses.corrupt-1.sqlite").read_bytes().startswith(b"not a database")
    assert "moved to" in caplog.text


def test_a_database_damaged_inside_is_moved_aside_once(tmp_path, caplog):
    with Cache(tmp_path) as cache:
        for number in range(500):
            cache.put(name(number), answer(number), "m")
    with open(tmp_path / "responses.sqlite", "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 40000)
    with Cache(tmp_path) as first, Cache(tmp_path) as second:
        first._open(), second._open()
        assert first.get(map(name, range(500))) == {}
        first.put(name(1), answer(1), "m")
        second.replace_corrupt(sqlite3.DatabaseError("found at the same time"))
        assert second.get([name(1)]) == {name(1): answer(1)}
    assert [path.name for path in tmp_path.glob("*corrupt*.sqlite")] == ["responses.corrupt-1.sqlite"]


def test_a_deleted_file_is_made_again(tmp_path):
    with Cache(tmp_path) as cache:
        cache.put(name(1), answer(1), "m")
        for file in tmp_path.glob("responses.sqlite*"):
            file.unlink()
        cache.put(name(2), answer(2), "m")
    with Cache(tmp_path) as cache:
        assert cache.get([name(1), name(2)]) == {name(2): answer(2)}


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="FUNREASON_CACHE"):
        Cache(tmp_path / "file")
    (tmp_path / "responses.sqlite").mkdir()
    with pytest.raises(EngineError, match="unable to open database file"):
        Cache(tmp_path).get([name(1)])
