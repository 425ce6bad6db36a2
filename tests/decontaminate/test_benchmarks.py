"""Benchmarks in the files of their publishers."""

import gzip
import json
import re
from pathlib import Path

import pytest

from funreason.core.errors import DataError
from funreason.decontaminate.benchmarks import read_benchmark

SHARED = Path(__file__).parents[3] / "shared/data"
TOOL = {"name": "f", "description": "d", "parameters": {"type": "dict", "properties": {"a": {"type": "integer"}}}}


def user(text: str) -> dict:
    return {"role": "user", "content": text}


def lines(path: Path, *rows: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def said(benchmark) -> list[tuple[str, str, bool]]:
    return [(question.id, question.text, question.follows) for question in benchmark.questions]


def test_bfcl_and_the_functions_of_its_conversations(tmp_path):
    turns = [[{"role": "system", "content": "s"}, user("one")], [user("two")]]
    lines(tmp_path / "BFCL_v4_multi_turn_base.json", {"id": "m_0", "question": turns})
    lines(tmp_path / "BFCL_v4_multiple.json", {"id": "x_0", "question": [[user("three")]], "function": [TOOL]})
    lines(tmp_path / "BFCL_v4_format_sensitivity.json", {"multiple": ["x_0"]})
    lines(tmp_path / "multi_turn_func_doc/fs.json", TOOL | {"name": "ls"})
    lines(tmp_path / "possible_answer/BFCL_v4_multiple.json", {"id": "x_0"})
    benchmark = read_benchmark(str(tmp_path))
    assert said(benchmark) == [("m_0", "one", False), ("m_0", "two", True), ("x_0", "three", False)]
    assert [tool["name"] for tool in benchmark.tools] == ["f", "ls"]


def test_acebench_in_both_languages(tmp_path):
    one = {
        "id": "n_0",
        "question": "user: Hello\nsystem: Which?\nuser: This.\n",
        "function": [{"name": "g", "arguments": {}}],
    }
    lines(tmp_path / "data_en/data_normal.json", one)
    lines(tmp_path / "data_zh/data_normal.json", {"id": "n_0", "question": "我是。"})
    lines(tmp_path / "data_en/possible_answer/data_normal.json", {"id": "n_0"})
    benchmark = read_benchmark(str(tmp_path))
    texts = [(name, text.strip(), follows) for name, text, follows in said(benchmark)]
    assert texts == [("data_en/n_0", "Hello", False), ("data_en/n_0", "This.", True), ("data_zh/n_0", "我是。", False)]
    assert [tool["name"] for tool in benchmark.tools] == ["g"]


@pytest.mark.parametrize("name", ["own.jsonl", "own.jsonl.gz"])
def test_a_file_with_queries(tmp_path, name):
    conversation = [user("q3"), {"role": "assistant", "content": "a"}, user("q4")]
    path = lines(
        tmp_path / name,
        {"id": 7, "query": "q1", "tools": json.dumps([TOOL, {"no": "tool"}])},
        {"task_id": "T/1", "prompt": "q2"},
        {"messages": conversation},
    )
    benchmark = read_benchmark(str(path))
    assert said(benchmark) == [("7", "q1", False), ("T/1", "q2", False), ("3", "q3", False), ("3", "q4", True)]
    assert (len(benchmark.tools), benchmark.unread_tools) == (1, 1)


def test_the_hash_is_that_of_the_content(tmp_path):
    first = read_benchmark(str(lines(tmp_path / "a/x.jsonl", {"query": "q"}))).sha256
    assert read_benchmark(str(lines(tmp_path / "b/x.jsonl", {"query": "q"}))).sha256 == first
    assert read_benchmark(str(lines(tmp_path / "a/x.jsonl", {"query": "r"}))).sha256 != first


def test_humaneval_comes_with_its_scorer():
    assert len(read_benchmark("humaneval").questions) == 164


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "api-bank").is_dir(), reason="no ../shared/data")
def test_the_published_files_are_read():
    bank, ace = read_benchmark(str(SHARED / "api-bank")), read_benchmark(str(SHARED / "acebench"))
    assert (len(bank.questions), len(bank.tools), bank.unread_tools) == (1554, 84, 0)
    assert (len(ace.questions), ace.unread_tools) == (3345, 0)
    assert not any("only make one tool call" in question.text for question in bank.questions)
    assert {len(read_benchmark(str(SHARED / f"{name}.jsonl.gz")).questions) for name in ("MbppPlus",)} == {378}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nonsense", "x.jsonl:1 cannot be read (Expecting value"),
        ('{"query": "q"}\n[1]\n', "x.jsonl:2 cannot be read (a list, expected an object)"),
        ('{"text": 1}\n', "row 1 is not as published (KeyError: 'no query, prompt or messages among the fields text'"),
        ('{"query": 3}\n', "row 1 is not as published (TypeError: a message of the user is [3], expected a text)"),
        ('{"query": "q", "tools": "{}"}\n', "tools is a dict, expected a list"),
        ("", "x.jsonl holds no questions; correct the path, or leave it out"),
    ],
)  # fmt: skip
def test_a_bad_file_is_named_with_its_row(tmp_path, text, why):
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=re.escape(why)):
        read_benchmark(str(path))


def test_what_is_not_a_benchmark_is_refused(tmp_path):
    with pytest.raises(DataError, match="bflc is not here; allowed are bfcl, bfcl3, humaneval, a folder"):
        read_benchmark("bflc")
    with pytest.raises(DataError, match="is a folder without files of BFCL"):
        read_benchmark(str(tmp_path))
