"""Every source row becomes a task or a quarantined row with number and reason."""

import json
import shutil

import pytest

from funreason.core.errors import DataError
from funreason.core.records import Task
from funreason.data.files import read_rows
from funreason.data.prepare import Tally, check_bad_fraction, sort_rows
from funreason.data.rows import TaskIds

TOOL = {"name": "f", "description": "d", "parameters": {"a": {"type": "int", "description": "x"}}}
GOOD = {
    "id": 1,
    "query": "q",
    "tools": json.dumps([TOOL]),
    "answers": '[{"name": "f", "arguments": {"a": 1}}]',
}


def line(**changes) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def prepared(tmp_path, content: bytes, name="rows.jsonl", limit=None):
    (tmp_path / name).write_bytes(content)
    return sorted_rows({"kind": "local", "path": str(tmp_path / name)}, limit)[:2]


def sorted_rows(source: dict, limit: int | None = None) -> tuple[list[Task], list[dict], Tally]:
    """(tasks, quarantined rows, counts) of a source."""
    good, bad = [], []
    tally = sort_rows(read_rows(source, "train", limit), "rows.jsonl", TaskIds(), good.append, bad.append)
    return [Task.from_row(row) for row in good], bad, tally


def counts(tmp_path, content: bytes, limit: int | None = None) -> Tally:
    prepared(tmp_path, content)
    return sorted_rows({"kind": "local", "path": str(tmp_path / "rows.jsonl")}, limit)[2]


def test_published_and_decoded_rows_are_the_same_task(tmp_path):
    decoded = line(id="2", tools=[TOOL], answers=[{"name": "f", "arguments": '{"a": 1}'}])
    (first, second), bad = prepared(tmp_path, line() + b"\n\n" + decoded + b"\n")
    assert bad == []
    assert first == Task("1", "q", [TOOL], [{"name": "f", "arguments": {"a": 1}}])
    assert second == Task("2", "q", [TOOL], [{"name": "f", "arguments": {"a": 1}}])


def test_a_response_is_kept_and_other_columns_are_not(tmp_path):
    (task,), _ = prepared(tmp_path, line(response={"cot": "c", "answer": "[f(a=1)]", "model": "m"}, topic="x"))
    assert task.response == {"cot": "c", "answer": "[f(a=1)]"}


BAD = [
    (line()[:-9], "not JSON"),
    (line(query="\u00fc").decode("unicode_escape").encode("latin-1"), "not UTF-8"),
    (b"[1, 2]", "not an object"),
    (json.dumps({k: v for k, v in GOOD.items() if k != "answers"}).encode(), "no answers"),
    (line(query=None), "no query"),
    (line(query="  "), "bad query"),
    (line(id=True), "bad id"),
    (line(id=2.5), "bad id"),
    (line(id="0"), "duplicate id"),
    (line(tools='[{"name": "f"'), "tools not JSON"),
    (line(tools="3"), "tools not a list"),
    (line(tools="[]"), "no tools"),
    (line(tools='[{"name": "f", "parameters": {"a": 3}}]'), "bad tool"),
    (line(tools='[{"name": 3, "parameters": {}}]'), "bad tool"),
    (line(answers='["f(a=1)"]'), "call not JSON"),
    (line(answers="[1]"), "bad answer"),
    (line(answers='[{"name": "f", "arguments": [1]}]'), "bad answer"),
    (line(answers='[{"name": "f", "arguments": {"a": NaN}}]'), "unwritable value"),
    (line(answers='[{"name": "f", "arguments": {"a": "\\ud83d"}}]'), "unwritable value"),
    (line(query="\ud83d"), "unwritable value"),
    (line(tools="[" * 100_000), "tools not JSON"),
    (line(response={"cot": "c"}), "bad response"),
]


@pytest.mark.parametrize(("bad", "kind"), BAD, ids=[f"{i}-{kind}" for i, (_, kind) in enumerate(BAD)])
def test_a_malformed_row_is_quarantined_with_number_and_reason(tmp_path, bad, kind):
    good, (quarantined,) = prepared(tmp_path, b"\n".join([line(id="0"), b"", bad, line(id="z")]))
    assert [task.id for task in good] == ["0", "z"]
    assert (quarantined["source"], quarantined["row"]) == ("rows.jsonl", 3)
    assert quarantined["reason"].startswith(kind) and quarantined["raw"]
    json.dumps(quarantined, ensure_ascii=False).encode()


@pytest.mark.parametrize("ids", [("1", "1#0"), ("1#0", "1"), ("1#7", "x", "1")])
def test_an_id_that_a_completion_of_another_row_would_have_is_refused(tmp_path, ids):
    """Where several completions are drawn, the first one of row `1` is `1#0`."""
    good, (quarantined,) = prepared(tmp_path, b"\n".join(line(id=name) for name in ids))
    assert [task.id for task in good] == list(ids[:-1])
    assert quarantined["reason"].startswith("duplicate id") and "completion" in quarantined["reason"]


def test_a_mark_in_an_id_alone_is_no_collision(tmp_path):
    good, bad = prepared(tmp_path, b"\n".join(line(id=name) for name in ("1#0", "1#1", "2#a", "2", "#0", "3#")))
    assert len(good) == 6 and bad == []


def test_counts_add_up_and_the_limit_counts_all_rows(tmp_path):
    content = b"\n".join([line(id="a"), b"{", line(id="b", answers="[]"), line(id="c")])
    metrics = counts(tmp_path, content, limit=3).metrics()
    assert (metrics["rows"], metrics["tasks"], metrics["quarantined"]) == (3, 2, 1)
    assert metrics["without_call"] == 1 and metrics["reasons"] == {"not JSON": 1}


def test_too_large_a_fraction_fails_and_names_the_parameter(tmp_path):
    tally = counts(tmp_path, line() + b"\n{")
    check_bad_fraction(tally, 0.5, "x")
    message = r"x: 1 of 2 rows are malformed \(1 not JSON, as row 2: not JSON: Expecting .*\), prepare.max_bad_fraction"
    with pytest.raises(DataError, match=message):
        check_bad_fraction(tally, 0.49, "x")


def test_a_source_without_tasks_fails(tmp_path):
    with pytest.raises(DataError, match="holds no rows"):
        check_bad_fraction(counts(tmp_path, b""), 1.0, "x")
    with pytest.raises(DataError, match="1 of 1 rows"):
        check_bad_fraction(counts(tmp_path, b"{"), 1.0, "x")


def test_a_json_list_is_read_and_a_broken_one_refused(tmp_path):
    good, bad = prepared(tmp_path, json.dumps([GOOD, 3]).encode(), "rows.json")
    assert len(good) == 1 and (bad[0]["row"], bad[0]["reason"][:13]) == (2, "not an object")
    for content, message in ((b"[{", "is not JSON"), (b"{}", "expected a list of rows")):
        with pytest.raises(DataError, match=message):
            prepared(tmp_path, content, "rows.json")
    with pytest.raises(DataError, match=r"ends in '.csv'; files that are read end in .jsonl"):
        prepared(tmp_path, b"", "rows.csv")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    good, bad = prepared(tmp_path, b"\xef\xbb\xbf" + line() + b"\r\n")
    assert len(good) == 1 and not bad


def test_a_hub_data_set_is_read_by_split(tmp_path, monkeypatch):
    # load_dataset takes a folder where it takes an id: the real loader, without a network.
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset/train.jsonl").write_bytes(line() + b"\n" + line(id=2, query="") + b"\n")
    source = {"kind": "hub", "hub": str(tmp_path / "dataset"), "revision": None}
    good, bad, _ = sorted_rows(source)
    assert [task.id for task in good] == ["1"] and bad[0]["reason"].startswith("bad query")
    with pytest.raises(DataError, match="split 'test' does not load"):
        read_rows(source, "test", None)
    shutil.rmtree(tmp_path / "dataset")
    with pytest.raises(DataError, match="does not load"):
        read_rows(source, "train", None)


def test_equal_rows_without_id_are_read_once_and_the_others_skipped(tmp_path):
    row = json.dumps({key: value for key, value in GOOD.items() if key != "id"}).encode()
    metrics = counts(tmp_path, b"\n".join([row, row, row])).metrics()
    assert (metrics["tasks"], metrics["skipped"], metrics["quarantined"], metrics["made_ids"]) == (1, 2, 0, 1)
    assert metrics["skipped_reasons"] == {"repeated row": 2} and metrics["bad_fraction"] == 0


def test_a_source_of_nothing_but_chats_fails_and_says_so(tmp_path):
    chat = json.dumps({"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]})
    with pytest.raises(
        DataError, match=r"x: all 1 rows are skipped \(1 without tools, as row 1: .*\); give rows with tools"
    ):
        check_bad_fraction(counts(tmp_path, chat.encode()), 1.0, "x")


@pytest.mark.parametrize(
    "mark", ["<|im_end|>", "<\uff5cUser\uff5c>", "</s>", "[INST]", "[/TOOL_RESULTS]", "[gMASK]", "[EOS]", "<think>"]
)
@pytest.mark.parametrize("escaped", [False, True])
def test_rows_that_spell_a_control_token_are_counted(tmp_path, mark, escaped):
    row = line(query=f"a{mark}b")
    if escaped:
        row = row.replace(b"<", b"\\u003c").replace(b"a[", b"a\\u005b")
    metrics = counts(tmp_path, b"\n".join([row, line(id=2)])).metrics()
    assert (metrics["tasks"], metrics["with_control_tokens"]) == (2, 1)
