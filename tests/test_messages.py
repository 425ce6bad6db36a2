"""The texts of the package name parameters that exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from funreason.config import Params
from funreason.config.messages import known_keys

SRC = Path(__file__).parents[1] / "src" / "funreason"
KNOWN = {parent for key in known_keys(Params) for parent in (key, key.rpartition(".")[0]) if parent}
BLOCKS = {key for key in KNOWN if "." not in key}
KEY = re.compile(rf"(?<![\w./-])(?:{'|'.join(sorted(BLOCKS))})(?:\.[a-z_*<>][\w*<>]*)+(?![\w/*-]|\.\w)")
FILE_ENDINGS = {"csv", "json", "jsonl", "md", "py", "toml", "txt", "yaml"}
ELSEWHERE = {"migrate.py", "renames.py"}  # names the keys of older files


def named_keys(file: Path) -> Iterator[tuple[int, str]]:
    """(line, key) of all texts in a file, docstrings included; what an f-string fills in is `*`."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            text = node.value
        else:
            continue
        for match in KEY.finditer(text):
            if match.group().rsplit(".", 1)[-1] not in FILE_ENDINGS:
                yield node.lineno, match.group()


def is_known(key: str) -> bool:
    """Whether it names a key or block; `*` and `<round>` stand for any name."""
    pattern = r"\.".join(r"[\w*]+" if set(part) & set("*<>") else re.escape(part) for part in key.split("."))
    if any(re.fullmatch(pattern, known) for known in KNOWN):
        return True
    first, *rest = key.split(".")
    return first == "rounds" and ".".join(["rounds", "*", *rest[1:]]) in KNOWN  # rounds.r1.init


FILES = [path for path in sorted(SRC.rglob("*.py")) if path.name not in ELSEWHERE and "drivers" not in path.parts]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.relative_to(SRC).as_posix())
def test_parameters_in_texts_exist(file):
    assert [f"line {line}: {key}" for line, key in named_keys(file) if not is_known(key)] == []


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("evaluate.api_bank", True),
        ("evaluate.bfcl.api_bank", False),
        ("rounds.r1.init", True),
        ("rounds.r1.start", False),
        ("rounds.<round>.init", True),
        ("recipes.*.panel", True),
        ("llm", True),
    ],
)
def test_a_wrong_key_would_be_noticed(key, known):
    assert is_known(key) is known


def test_texts_are_searched(tmp_path):
    """Plain texts and f-strings; no names of modules or files."""
    (tmp_path / "a.py").write_text('f"{x} (evaluate.bfcl.api_bank)"\nf"rounds.{x}.init"\n"train.json, src.train.run"\n')
    assert [key for _, key in named_keys(tmp_path / "a.py")] == ["evaluate.bfcl.api_bank", "rounds.*.init"]
