"""`funreason data inspect` says what would become of a source, and changes nothing."""

import json
import sys
from pathlib import Path

import pytest

from funreason.cli.main import main

from .published import CALL_TEXT, QUERY, WEATHER, WHOLE, chat

ROWS = [
    {"id": 1, **WHOLE["glaive"]},
    WHOLE["openai"] | {"id": 2, "topic": "weather"},
    {"id": 3, **chat(("user", "hi"), ("assistant", "hello"))},
    {"id": 4, "query": "q\x1b[31m", "tools": [WEATHER | {"parameters": {"a": {"type": "wat"}}}], "answers": []},
    {"id": 5, "query": 7, "tools": [WEATHER], "answers": []},
]


def inspect(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["funreason", "data", "inspect", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return str(path)


def test_formats_counts_reasons_and_rows(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    assert inspect(file, monkeypatch=monkeypatch) == 0
    out = capsys.readouterr().out
    first, *rest = out.splitlines()
    assert first == (
        f"{file} reads as OpenAI messages (2 rows), xLAM (2 rows), glaive (1 rows): 5 tasks, 1 quarantined, 1 skipped"
    )
    assert "  1 bad query, as row 5: bad query: 7, expected a text that is not empty" in rest
    assert "  1 without tools, as row 3: without tools: the list of tools is empty or missing" in rest
    assert "  1 topic" in rest and "  1 wat" in rest
    assert out.count("as the model sees it") == 3 and QUERY in rest and CALL_TEXT in rest
    assert "\x1b" not in out and "q\\x1b[31m" in out


def test_names_that_calls_cannot_write_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    calls = [{"name": "get-weather", "arguments": {}}, {"name": "un-declared", "arguments": {}}]
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"id": 1, "query": "q", "tools": [WEATHER | {"name": "get-weather"}], "answers": calls}))
    assert inspect(str(path), monkeypatch=monkeypatch) == 0
    out = capsys.readouterr().out
    assert "  1 tasks with identifiers in the place of names that calls cannot write" in out
    assert "as the model sees it\nget_weather stands for 'get-weather'\n" in out
    assert '{"name": "un-declared", "arguments": {}}' in out


def test_json_for_scripts(file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    assert inspect(file, "--json", "--limit", "2", monkeypatch=monkeypatch) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["tasks"], found["formats"]) == (2, 4, {"glaive": 1, "openai": 1})
    assert [message["role"] for message in found["shown"][0]["messages"]] == ["system", "user", "assistant", "tool"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.jsonl"], "no file or folder 'nowhere.jsonl'; correct the path, or give the id of a data set"),
        (["FILE", "--format", "json"], "--format is 'json', allowed are auto, toolrl"),
    ],
)
def test_what_cannot_be_read(
    file: str, arguments: list, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    assert inspect(*(file if one == "FILE" else one for one in arguments), monkeypatch=monkeypatch) == 1
    assert message in capsys.readouterr().err
