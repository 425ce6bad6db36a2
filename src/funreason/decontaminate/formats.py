"""The files of benchmarks: each function reads one file of one layout as entries."""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from funreason.core.errors import DataError
from funreason.evaluate.api_bank_tools import tools as api_bank_tools

_NOT_ENTRIES = "format_sensitivity"  # of BFCL's files the one that only names entries of the others
_USER = re.compile(r"<user>(.*?)</user>", re.DOTALL)
_API_BANK_ENDS = "Based on our conversation above, please only make one tool call"  # in every item of ToolRL's files
_SPEAKER = re.compile(r"^(user|system)\s*[:：]", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """An entry of a benchmark: what its user says, in order, and its tools as published."""

    id: str
    texts: list[str]
    tools: list[Any]


def bfcl(path: Path) -> Iterator[Entry]:
    """BFCL's entries, one per line; or the functions that its conversations may use."""
    if path.parent.name == "multi_turn_func_doc":
        yield Entry("", [], [row for _, row in _rows(path)])
    elif _NOT_ENTRIES not in path.name:
        for number, row in _rows(path):
            try:
                messages = [message for turn in row["question"] for message in turn]
                texts = [message["content"] for message in messages if message["role"] == "user"]
                yield Entry(row["id"], _texts(texts), row.get("function") or [])
            except (KeyError, TypeError, AttributeError) as error:
                raise _unread(path, number, error) from None


def api_bank(path: Path) -> Iterator[Entry]:
    """ToolRL's items of API-Bank: a JSON list."""
    level = path.name.removesuffix("-api_processed.json")
    try:
        items = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error}); take it anew from its publisher") from None
    for number, item in enumerate(items):
        try:
            said = [text.strip() for text in _USER.findall(item["user"]) if _API_BANK_ENDS not in text]
            yield Entry(f"{level}_{number}", _texts(said), api_bank_tools(item["system"]))
        except (KeyError, TypeError, ValueError, SyntaxError) as error:
            raise _unread(path, number, error) from None


def acebench(path: Path) -> Iterator[Entry]:
    """ACEBench's entries, one per line; the files of its languages have the same names."""
    for number, row in _rows(path):
        try:
            parts = _SPEAKER.split(row["question"])
            said = [text for who, text in zip(parts[1::2], parts[2::2], strict=True) if who == "user"]
            texts = said if parts[1:] else [row["question"]]
            yield Entry(f"{path.parent.name}/{row['id']}", _texts(texts), row.get("function") or [])
        except (KeyError, TypeError) as error:
            raise _unread(path, number, error) from None


def plain(path: Path) -> Iterator[Entry]:
    """Rows with a `query` (or `messages`, or a `prompt` as code benchmarks say) and perhaps `tools`, maybe as JSON."""
    for number, row in _rows(path):
        try:
            tools = row.get("tools") or []
            tools = json.loads(tools) if isinstance(tools, str) else tools
            if not isinstance(tools, list):
                raise TypeError(f"tools is a {type(tools).__name__}, expected a list")
            yield Entry(str(row.get("id", row.get("task_id", number))), _texts(_said(row)), tools)
        except (KeyError, TypeError, ValueError) as error:
            raise _unread(path, number, error) from None


def _said(row: dict[str, Any]) -> list[Any]:
    if "messages" in row:
        return [message["content"] for message in row["messages"] if message["role"] == "user"]
    for name in ("query", "prompt"):
        if name in row:
            return [row[name]]
    raise KeyError(f"no query, prompt or messages among the fields {', '.join(list(row)[:8])}")


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSONL file with their line numbers, also of a gzipped file."""
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise ValueError(f"a {type(row).__name__}, expected an object")
                    yield number, row
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path}:{number} cannot be read ({error}); take the file anew from its publisher") from None


def _texts(texts: list[Any]) -> list[str]:
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"a message of the user is {texts!r:.80}, expected a text")
    return texts


def _unread(path: Path, number: int, error: Exception) -> DataError:
    why = f"{type(error).__name__}: {error}"
    return DataError(f"{path}, row {number} is not as published ({why:.200}); take the file anew from its publisher")
