"""Wrong programs are scored wrong, and change no row after them: gold runs between all of them."""

import textwrap
import time
from pathlib import Path

import pytest

from funreason.evaluate import code

from .attacks import KILLERS, programs
from .forgers import EQUAL, EXITS, FILES, FORGERS, FRAMES, MEDDLERS, PATCHES

pytestmark = pytest.mark.slow

GOLD = "return 2 * x"
DOUBLE = {
    "prompt": 'def double(x):\n    """Twice x."""\n',
    "entry_point": "double",
    "test": "def check(candidate):\n    assert candidate(4) == 8\n",
}
# One of each kind, for each run of the suite; the others are long.
SAMPLE = ["an object equal to all", "a float equal to all", "the value from the source of the test",
          "another AssertionError", "__del__ that guts the test", "exit 0", "a reply that runs code",
          "gold from HumanEval's file", "a file from an earlier run"]  # fmt: skip


def scored(bodies: list[str], mode: str, timeout_s: float = 2) -> list[code.CheckedSolution]:
    problems = [DOUBLE | {"task_id": f"toy/{number}"} for number in range(len(bodies))]
    texts = [textwrap.indent(body, "    ") + "\n" for body in bodies]
    return code.score("toy", problems, texts, timeout_s=timeout_s, mode=mode)


def between_gold(attacks: dict[str, str], mode: str) -> list[code.CheckedSolution]:
    """The verdicts on the attacks, none of which is right; a gold row before and after each passes."""
    # Every worker takes each fourth row or so: five gold rows after an attack reach all of them.
    bodies = [GOLD] + [body for attack in attacks.values() for body in (attack, GOLD, GOLD, GOLD)]
    rows = scored(bodies, mode)
    attacked = rows[1::4]
    assert [name for name, row in zip(attacks, attacked, strict=True) if row.passed] == []
    gold = [row.result for number, row in enumerate(rows) if number % 4 != 1]
    assert gold == ["passed"] * len(gold)
    return attacked


def test_one_of_each_kind_is_scored_wrong(mode):
    rows = between_gold({name: FORGERS[name] for name in SAMPLE}, mode)
    deceived = {name for name, row in zip(SAMPLE, rows, strict=True) if row.official}
    assert {"an object equal to all", "a float equal to all", "the value from the source of the test"} <= deceived
    assert rows[0].result.startswith("failed: official passed; in a process of its own")


@pytest.mark.parametrize("names", [["kill what comes", "use up processes", "no time for the driver", "fill the disk"]])
def test_rows_after_a_meddler_are_scored_alike(names, mode):
    between_gold({name: MEDDLERS[name] for name in names}, mode)


@pytest.mark.long
@pytest.mark.parametrize(
    "kind", [EQUAL, FRAMES, PATCHES, EXITS, FILES, MEDDLERS], ids="equal frames patches exits files meddlers".split()
)
def test_all_forgers_are_scored_wrong_and_leave_nothing(kind, mode):
    between_gold(kind, mode)
    left, end = _programs(), time.monotonic() + 30
    while left & _programs():  # those of other runs on this machine end, too
        assert time.monotonic() < end, left
        time.sleep(0.5)
    assert not list(Path("/tmp").glob("planted*")) and not list(Path("/dev/shm").glob("*kept*"))


def _programs() -> set[Path]:
    return {path for path in Path("/proc").glob("[0-9]*/cmdline") if b"drivers/program.py" in _bytes(path)}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_there_are_eighty_attacks():
    attacks = programs("", "", 0, "", "") | KILLERS | FORGERS | MEDDLERS
    assert len(attacks) >= 80


def test_honest_results_of_other_types_still_pass(mode):
    """Whatever equals the plain value by its own class: the class goes, the value stays."""
    honest = [
        "import collections\nreturn collections.namedtuple('P', 'a')(2 * x)[0]",
        "import enum\nreturn enum.IntEnum('E', {'A': 2 * x}).A",
        "from fractions import Fraction\nreturn Fraction(4 * x, 2)",
        "from decimal import Decimal\nreturn Decimal(2 * x)",
        "return float(2 * x)",
        "return complex(2 * x)",
        "print('some output')\nreturn 2 * x",
        "import sys\nsys.setrecursionlimit(3000)\nreturn 2 * x",
    ]
    assert [row.result for row in scored(honest, mode, 5)] == ["passed"] * len(honest)
