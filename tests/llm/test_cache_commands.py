"""`funreason cache`: what it counts, drops, writes, takes over and finds damaged."""

import gzip
import sqlite3
import sys

import pytest

from funreason.cache.exchange import export, import_
from funreason.cache.maintenance import gc, stats, verify
from funreason.cli import main as cli
from funreason.core.errors import DataError
from funreason.llm import Cache, Response

from .test_cache import answer, name


@pytest.fixture
def full(cache):
    """Six responses of one model, four of another."""
    for number in range(10):
        cache.put(name(number), answer(number), "sha256:one" if number < 6 else "sha256:two")
    return cache


def alter(cache, statement: str) -> None:
    with sqlite3.connect(cache.path) as database:
        database.execute(statement)


def kept(cache, count=10) -> set[int]:
    return {int.from_bytes(key) for key in cache.get(map(name, range(count)))}


def test_stats_count_by_model(full):
    counts = stats(full)
    assert counts["responses"] == 10
    one, two = counts["models"]
    assert (one["model"], one["responses"], one["prompt_tokens"], one["completion_tokens"]) == ("sha256:one", 6, 15, 12)
    assert (two["model"], two["responses"]) == ("sha256:two", 4)
    assert counts["bytes"] > 0 and counts["aside"] == []


def test_gc_drops_unused_responses(full):
    alter(full, "UPDATE responses SET used = date('now', '-40 days'), created = datetime('now', '-90 days')")
    full.get([name(3)])  # a use, though it was stored long ago
    assert gc(full, 30, None, dry_run=True) == (9, 0)
    assert kept(Cache(full.path.parent)) == set(range(10))  # and these were uses too
    alter(full, "UPDATE responses SET used = date('now', '-40 days') WHERE key <> (SELECT max(key) FROM responses)")
    assert gc(full, 30, None)[0] == 9
    assert kept(full) == {9}


def test_gc_of_one_model_gives_bytes_back(full):
    for number in range(20, 220):
        full.put(name(number), Response("x" * 5000, "stop", 1, 1), "sha256:two")
    count, size = gc(full, None, "sha256:tw")
    assert count == 204 and size > 500_000
    assert kept(full) == set(range(6))
    with pytest.raises(DataError, match="--unused-days"):
        gc(full, None, None)


def test_gc_drops_what_servers_refused(full):
    full.put(name(20), Response("400 no", "refused", 0, 0), "sha256:two")
    full.put(name(21), Response("", "content_filter", 5, 0), "sha256:one")
    full.put(name(22), Response("cut", "length", 5, 1), "sha256:one")
    assert gc(full, None, "sha256:one", refused=True)[0] == 1
    assert gc(full, None, None, refused=True)[0] == 1
    assert kept(full, 23) == {*range(10), 22}


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz"])
def test_an_export_brings_all_to_another_cache(full, tmp_path, ending):
    assert export(full, tmp_path / f"a.{ending}") == 10
    with Cache(tmp_path / "other") as other:
        other.put(name(2), answer(2), "sha256:one")
        assert import_(other, tmp_path / f"a.{ending}") == (9, 1)
        assert other.get(map(name, range(10))) == full.get(map(name, range(10)))
        export(other, tmp_path / f"b.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_an_export_of_one_model(full, tmp_path):
    assert export(full, tmp_path / "two.jsonl", "sha256:two") == 4
    assert (tmp_path / "two.jsonl").read_text().count("\n") == 5


@pytest.mark.parametrize("damage", ["changed", "cut", "cut in a line", "no export", "cut gzip"])
def test_a_damaged_export_changes_nothing(full, tmp_path, damage):
    path = tmp_path / ("a.jsonl.gz" if damage == "cut gzip" else "a.jsonl")
    export(full, path)
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    path.write_bytes({
        "changed": data.replace("é 7".encode(), "é 8".encode()),
        "cut": b"".join(lines[:-1]),
        "cut in a line": data[:-20],
        "no export": b"".join(lines[1:]),
        "cut gzip": data[:-30],
    }[damage])  # fmt: skip
    with Cache(tmp_path / "other") as other:
        with pytest.raises(DataError, match=r"a\.jsonl"):
            import_(other, path)
        assert kept(other) == set()


def test_an_export_that_fails_leaves_the_old_file(full, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("old")
    alter(full, "UPDATE responses SET text = 'other' WHERE rowid = 8")
    with pytest.raises(DataError, match="verify --repair"):
        export(full, path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["a.jsonl"]


def test_a_changed_response_is_not_believed(full, caplog):
    alter(full, "UPDATE responses SET text = 'other' WHERE rowid = 3")
    alter(full, "UPDATE responses SET text = cast(x'ff' AS TEXT) WHERE rowid = 4")
    assert kept(full) == set(range(10)) - {2, 3}
    assert "2 damaged responses" in caplog.text and "funreason cache verify" in caplog.text
    assert verify(full)["damaged"] == 2
    assert verify(full, repair=True)["damaged"] == 2
    assert verify(full) == {"responses": 8, "damaged": 0, "unchecked": 0, "structure": "ok"}


def test_the_readable_rows_of_a_broken_file_are_brought_back(tmp_path):
    with Cache(tmp_path) as cache:
        for number in range(3000):
            cache.put(name(number), answer(number), "m")
    with sqlite3.connect(cache.path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with open(cache.path, "r+b") as file:  # some pages in the middle
        file.seek(4096 * 40)
        file.write(b"\xff" * 4096 * 6)
    with Cache(tmp_path) as cache:
        assert verify(cache)["structure"] != "ok"
        verify(cache, repair=True)
        assert verify(cache)["structure"] == "ok"
        readable = cache.get(map(name, range(3000)))
    assert 2000 < len(readable) < 3000
    assert all(readable[name(number)] == answer(number) for number in range(3000) if name(number) in readable)
    assert stats(cache)["aside"] == [str(tmp_path / "responses.corrupt-1.sqlite")]


OLD = """CREATE TABLE responses (key BLOB PRIMARY KEY, model TEXT NOT NULL, text TEXT NOT NULL, finish_reason TEXT
    NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
    created TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)"""


def test_a_file_from_before_digests_is_taken_over(tmp_path):
    with sqlite3.connect(tmp_path / "responses.sqlite") as database:
        database.execute(OLD)
        row = (name(1), "m", "é 1", "stop", 1, 2)
        database.execute("INSERT INTO responses VALUES (?, ?, ?, ?, ?, ?, '2020-01-01')", row)
    with Cache(tmp_path) as cache:
        assert gc(cache, 30, None, dry_run=True) == (1, 0)
        assert cache.get([name(1)]) == {name(1): answer(1)}
        assert gc(cache, 30, None, dry_run=True) == (0, 0)
        assert verify(cache)["unchecked"] == 1
        assert export(cache, tmp_path / "a.jsonl") == 1


def run(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["funreason", "cache", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_the_command_line(full, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FUNREASON_CACHE", str(full.path.parent))
    assert run(monkeypatch, "stats") == 0
    assert "10 responses" in (out := capsys.readouterr().out) and "sha256:two" in out
    assert run(monkeypatch, "export", str(tmp_path / "a.jsonl.gz")) == 0
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()).startswith(b'{"format": "funreason responses 1"')
    assert run(monkeypatch, "gc", "--model", "sha256:one") == 0
    assert "dropped 6 responses" in capsys.readouterr().out
    assert run(monkeypatch, "import", str(tmp_path / "a.jsonl.gz")) == 0
    assert "6 new responses, 4 were here already" in capsys.readouterr().out
    assert run(monkeypatch, "verify") == 0
    alter(full, "UPDATE responses SET text = 'other' WHERE rowid = 8")
    assert run(monkeypatch, "verify") == 1
    assert "verify --repair" in capsys.readouterr().err
    assert run(monkeypatch, "verify", "--repair") == 0
    assert run(monkeypatch, "verify") == 0
    assert run(monkeypatch, "gc") == 1
    assert run(monkeypatch, "gc", "--unused-days", "-1") == 2
