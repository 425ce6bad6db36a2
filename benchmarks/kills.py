"""Kill -9 a small toy run with real vLLM engines, stage by stage, and compare its results with an unbroken run.

    python benchmarks/kills.py [--times 3] [--seed 1]

Runs beside an unbroken run; minutes of both cores. tests/survival does the same with a server that counts requests.
"""

import argparse
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

from project import copy_project  # noqa: E402

from tests.survival.killing import Repro, kill_every_stage, same_bytes  # noqa: E402
from tests.survival.test_kills import SMALL  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=3, help="kills per stage")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        broken, whole = (
            copy_project(Path(folder, name, "project"), SMALL, rounds=("r0",)) for name in ("broken", "whole")
        )
        unbroken = Repro(whole)
        kills, _ = kill_every_stage(broken, [], unbroken, arguments.times, arguments.seed)
        status, output = unbroken.finished()
        assert status == 0, output[-3000:]
        print(f"{kills.total()} kills: {dict(kills)}")
        print("the same bytes" if same_bytes(broken, whole) else "OTHER BYTES")


if __name__ == "__main__":
    main()
