"""Rows keep what is put in them, files are whole or absent."""

import errno
import json
import os

import pytest

from funreason.core import runtime as stage
from funreason.core.errors import DataError
from funreason.core.jsonio import atomic, read_details, read_jsonl, write_details, write_json, write_jsonl
from funreason.core.records import Sample, Task
from funreason.ledger.results import CheckResult


def test_rows_survive_a_round_trip(tmp_path):
    tricky = 'line\u2028separator, "quotes", \\ backslash, \n newline, ünïcode 🦊'
    task = Task("1", tricky, [{"name": "f", "parameters": {}}], [{"name": "f", "arguments": {"a": [1, 2.5]}}])
    assert write_jsonl(tmp_path / "new/folder/a.jsonl", [task.to_row(), task.to_row()]) == 2
    assert [Task.from_row(row) for row in read_jsonl(tmp_path / "new/folder/a.jsonl")] == [task, task]


def test_files_are_plain_utf8_lines_in_field_order(tmp_path):
    write_jsonl(tmp_path / "a.jsonl", [Sample("1", "ü", [], "c", "f()").to_row()])
    line = '{"id": "1", "query": "ü", "tools": [], "cot": "c", "answer": "f()", "kind": "call", '
    line += '"regenerated": false}\n'
    assert (tmp_path / "a.jsonl").read_bytes() == line.encode()


def test_rows_with_other_fields_are_refused():
    row = Sample("1", "q", [], "c", "a").to_row()
    with pytest.raises(DataError, match=r"missing \['cot'\], unknown \['thought'\]"):
        Sample.from_row({"thought": row.pop("cot"), **row})


@pytest.mark.parametrize(("field", "value"), [("verdict", "maybe"), ("action", "ignore")])
def test_verdicts_hold_listed_values_only(field, value):
    row = CheckResult("1", "cot", "pass", "keep", "").to_row()
    with pytest.raises(DataError, match=f"{field} is '{value}', allowed are"):
        CheckResult.from_row({**row, field: value})


def test_kinds_hold_listed_values_only():
    with pytest.raises(DataError, match="kind is 'joke', allowed are"):
        Sample("1", "q", [], "c", "a", kind="joke")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud83d", {1, 2}])
def test_a_value_that_is_no_json_leaves_the_old_file(tmp_path, value):
    path = tmp_path / "a.jsonl"
    write_jsonl(path, [{"old": 1}])
    with pytest.raises(DataError, match="cannot be written as JSON"):
        write_jsonl(path, [{"new": 1}, {"new": value}])
    assert list(read_jsonl(path)) == [{"old": 1}]
    assert os.listdir(tmp_path) == ["a.jsonl"]


def test_an_interrupted_write_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), atomic(tmp_path / "a") as file:
        file.write("half")
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


def test_a_full_disk_names_the_file(tmp_path):
    with pytest.raises(OSError) as caught, atomic(tmp_path / "a"):
        raise OSError(errno.ENOSPC, "full")
    assert caught.value.filename == str(tmp_path / "a")


def test_metrics_end_with_a_newline(tmp_path):
    write_json(tmp_path / "m.json", {"b": 1, "a": [2]})
    text = (tmp_path / "m.json").read_text()
    assert text.endswith("}\n") and list(json.loads(text)) == ["b", "a"]


def test_details_are_in_a_list_and_those_of_older_runs_are_not(tmp_path):
    """DVC shows no figure that is in a list."""
    write_details(tmp_path / "new.json", {"b": 1, "a": 2})
    write_json(tmp_path / "old.json", {"b": 1, "a": 2})
    (tmp_path / "two.json").write_text("[{}, {}]")
    assert json.loads((tmp_path / "new.json").read_text()) == [{"b": 1, "a": 2}]
    assert list(read_details(tmp_path / "new.json")) == list(read_details(tmp_path / "old.json")) == ["b", "a"]
    with pytest.raises(DataError, match=r"two\.json holds a list, expected an object; rerun the stage that wrote it"):
        read_details(tmp_path / "two.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\n{"a": \n', "a.jsonl:2 is not JSON"),
        (b"[1]\n", "a.jsonl:1 holds a list"),
        (b"\xff\n", "not UTF-8"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path, content, message):
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(read_jsonl(tmp_path / "a.jsonl"))


def test_a_missing_file_is_named():
    with pytest.raises(DataError, match="nowhere.jsonl does not exist"):
        list(read_jsonl("nowhere.jsonl"))


@pytest.mark.parametrize(
    ("raised", "status", "line"),
    [
        (DataError("two\nlines"), 1, "error: two lines\n"),
        (OSError(errno.ENOSPC, "full", "data/x"), 1, "error: data/x: no space left on the device; free some"),
        (KeyboardInterrupt(), 130, "error: interrupted"),
    ],
)
def test_a_stage_says_one_line(capsys, raised, status, line):
    def main():
        raise raised

    assert stage.outcome(main, []) == status
    assert capsys.readouterr().err.startswith(line)


def test_a_bug_keeps_its_traceback():
    def main():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stage.outcome(main, [])


def test_a_stage_names_its_arguments(capsys):
    assert stage.outcome(lambda key: None, []) == 2
    assert "KEY" in capsys.readouterr().err


def test_telemetry_is_off_in_every_stage():
    assert all(
        os.environ[name] == "1" for name in ("HF_HUB_DISABLE_TELEMETRY", "VLLM_NO_USAGE_STATS", "DVC_NO_ANALYTICS")
    )
