"""Every kind of file gives the same rows, one after the other."""

import gzip
import json
import random
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from funreason.config import MultiTurnParams
from funreason.core.errors import DataError
from funreason.data.files import path_rows, read_rows
from funreason.data.rows import AcceptedRow, QuarantinedRow, TaskIds, read_tasks
from funreason.data.sources import resolve_source

from .published import CALL, WEATHER
from .reading import from_path

ROWS = [
    {"id": str(at), "query": f"é {at}", "tools": json.dumps([WEATHER]), "answers": json.dumps([CALL])}
    for at in range(5)
]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
CONTENTS = {
    "rows.jsonl": LINES.encode(),
    "rows.jsonl.gz": gzip.compress(LINES.encode()),
    "rows.json": json.dumps(ROWS).encode(),
    "bom.json": b"\xef\xbb\xbf" + json.dumps(ROWS, indent=1).encode(),
    "rows.json.gz": gzip.compress(json.dumps(ROWS, ensure_ascii=False).encode()),
    "object.json": json.dumps({"version": 1, "data": ROWS}, indent=2).encode(),
    "one-line-object.json": json.dumps({"version": 1, "data": ROWS}).encode(),
    "lines.json": LINES.encode(),
}


def ids(path: Path) -> list[str]:
    return [task.id for row in from_path(path) for task in row.tasks]


@pytest.mark.parametrize("name", [*CONTENTS, "rows.parquet"])
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith(".parquet"):
        parquet.write_table(pa.Table.from_pylist(ROWS), path)
    else:
        path.write_bytes(CONTENTS[name])
    assert ids(path) == ["0", "1", "2", "3", "4"]
    assert [row.query for one in from_path(path) for row in one.tasks][1] == "é 1"


def test_a_folder_gives_the_rows_of_its_files_in_order(tmp_path: Path) -> None:
    for name in ("b/rows.jsonl.gz", "a.json", ".hidden.jsonl", "notes.txt", "dataset_info.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(CONTENTS.get(f"rows.{name.split('.', 1)[1]}", LINES.encode()))
    assert ids(tmp_path) == [*(f"a.json:{at}" for at in range(5)), *(f"b/rows.jsonl.gz:{at}" for at in range(5))]
    (tmp_path / "b/rows.jsonl.gz").write_bytes(gzip.compress(b"{\n"))
    bad = from_path(tmp_path)[-1]
    assert isinstance(bad, QuarantinedRow) and (bad.source, bad.row) == (f"{tmp_path}/b/rows.jsonl.gz", 1)


def test_the_identity_of_a_folder_changes_with_each_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(LINES)
    source = MultiTurnParams(path=str(tmp_path), hub=None, revision=None, split="train")
    first = resolve_source("data", source)["identity"]
    (tmp_path / "README.md").write_text("Rows.")
    assert resolve_source("data", source)["identity"] == first
    (tmp_path / "b.jsonl").write_text("")
    assert resolve_source("data", source)["identity"] != first


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.json", b'[{"id": 1}, {"id": ', r"rows.json is not JSON \(row 2"),
        ("rows.json", b"[1 2", r"rows.json is not JSON \(row 3"),
        ("rows.json", b'{"a": 1, "b": 2}', "an object with 0 lists"),
        ("rows.json", b'{"a": [1], "b": [2]}', r"an object with 2 lists \(a, b\)"),
        ("rows.json", b"3", "holds int"),
        ("rows.json", b"[\xff]", "not UTF-8"),
        ("rows.jsonl.gz", b"no gzip", "not a whole gzip file"),
        ("rows.json.gz", gzip.compress(b"[1, 2]", mtime=0)[:-9], "not a whole gzip file"),
        (
            "rows.json.gz",
            gzip.compress(random.Random(0).randbytes(9000).hex().join('["]').encode(), mtime=0)[:-99],
            "whole gzip",
        ),
        (
            "rows.jsonl.gz",
            b"\0".join(gzip.compress(bytes(range(9, 256)) * 9, mtime=0).rsplit(b"\x15", 1)),
            "not a whole gzip",
        ),
        ("rows.json", b"[1]\n[2]", r"rows.json goes on after its list \('\[2\]'\); write one list"),
        ("rows.json", b"[]x", "goes on after its list"),
        ("rows.parquet", b"no parquet", "not a Parquet file"),
        ("rows.csv", b"", "ends in '.csv'; files that are read end in .jsonl"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(path_rows(tmp_path / name))


def test_a_damaged_table_is_one_clear_error(tmp_path: Path) -> None:
    parquet.write_table(pa.Table.from_pylist(ROWS), tmp_path / "rows.parquet")
    whole = (tmp_path / "rows.parquet").read_bytes()
    (tmp_path / "rows.parquet").write_bytes(whole[:4] + b"\xff" * 400 + whole[404:])
    with pytest.raises(DataError, match="rows.parquet is not a Parquet file .*; copy it anew"):
        list(path_rows(tmp_path / "rows.parquet"))


def test_maps_of_a_table_are_objects(tmp_path: Path) -> None:
    arguments = pa.array([[("city", "Ghent")]], pa.map_(pa.string(), pa.string()))
    parquet.write_table(pa.table({"arguments": arguments}), tmp_path / "rows.parquet")
    assert [row.raw for row in path_rows(tmp_path / "rows.parquet")] == [{"arguments": {"city": "Ghent"}}]


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no data file"):
        list(path_rows(tmp_path))


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    row = json.dumps({"id": 1, "text": "x" * 1000})
    with open(tmp_path / name, "w") as file:
        lines = (f"{row}\n" for _ in range(20_000))
        file.write(f"[{row}{''.join(f', {line}' for line in lines)}]" if name == "rows.json" else "".join(lines))
    tracemalloc.start()
    count = sum(1 for _ in path_rows(tmp_path / name))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count >= 20_000 and peak < 8e6


def test_a_configuration_of_a_hub_data_set_stands_before_its_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """load_dataset takes a folder where it takes an id: the real loader, without a network."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "set").mkdir()
    (tmp_path / "set/one.jsonl").write_text(LINES)
    (tmp_path / "set/README.md").write_text(
        "---\nconfigs:\n- config_name: single\n  data_files:\n  - {split: test, path: one.jsonl}\n---\n"
    )
    source = {"kind": "hub", "hub": str(tmp_path / "set"), "revision": None}
    rows = list(read_tasks(read_rows(source, "single/test", None), "set", TaskIds()))
    assert len(rows) == 5 and all(isinstance(row, AcceptedRow) for row in rows)
    with pytest.raises(DataError, match="split 'single/none' does not load: .*; correct data.split"):
        read_rows(source, "single/none", None)
