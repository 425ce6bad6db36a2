"""The attack suite: every program is contained, scored as failed, and the run goes on."""

import os
import socket
import textwrap
from pathlib import Path

import pytest

from funreason.core.jsonio import write_jsonl
from funreason.evaluate import code

from .attacks import KILLERS, programs

pytestmark = pytest.mark.slow

DOUBLE = {
    "prompt": 'def double(x):\n    """Twice x."""\n',
    "entry_point": "double",
    "test": "def check(candidate):\n    assert candidate(4) == 8\n",
}
RIGHT = "return 2 * x"


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """What the programs are after, there and open to everybody, and (heard) whether somebody called."""
    monkeypatch.setenv("HF_TOKEN", "secret")
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o777)
    (tmp_path / "secret.txt").write_text("secret")
    (target := tmp_path / "target").mkdir()
    target.chmod(0o777)
    name = f"funreason-{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind("\0" + name)
        unix.listen()
        for server in (tcp, unix):
            server.settimeout(0.1)
        after = str(tmp_path / "secret.txt"), str(target), tcp.getsockname()[1], name, str(Path(code.__file__))
        yield programs(*after), target, (tcp, unix)


def scored(bodies: list[str], mode: str, timeout_s: float = 2) -> list[code.CheckedSolution]:
    problems = [DOUBLE | {"task_id": f"toy/{number}"} for number in range(len(bodies))]
    return code.score(
        "toy", problems, [textwrap.indent(b, "    ") + "\n" for b in bodies], timeout_s=timeout_s, mode=mode
    )


def called(server: socket.socket) -> bool:
    try:
        server.accept()
        return True
    except TimeoutError:
        return False


def test_attacks_are_contained_and_fail(outside, mode, tmp_path):
    attacks, target, servers = outside
    assert len(attacks) + len(KILLERS) >= 20
    rows = scored([RIGHT, *attacks.values(), RIGHT], mode)
    assert rows[0].passed and rows[-1].passed, (rows[0], rows[-1])
    assert [name for name, row in zip(attacks, rows[1:-1], strict=True) if row.passed] == []
    assert list(target.iterdir()) == [] and not any(map(called, servers))
    write_jsonl(tmp_path / "code.jsonl", [{"result": row.result} for row in rows])  # any message can be written


def test_a_program_that_kills_the_driver_fails_alone(mode):
    rows = scored([RIGHT, *KILLERS.values(), RIGHT], mode)
    assert [row.passed for row in rows] == [True, *[False] * len(KILLERS), True], rows


def test_right_and_wrong_programs_are_told_apart(mode):
    """The suite would also be all red where nothing passes, such as with a test that always fails."""
    assert [row.result for row in scored([RIGHT, "return x"], mode)] == ["passed", "failed: "]
