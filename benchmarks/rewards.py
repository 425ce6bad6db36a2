"""How many completions each reward scores per second on one core.

    python benchmarks/rewards.py [REPEATS]

The rows are BFCL's gold calls of the Python categories (`make setup` installs them), each with a group of eight
completions. `group`: half of them are right, the others a wrong value, a call too many, and either of them again, as a
model in training writes them. `all different`: each has a value that no other completion has, so that no answer is read
from the cache. Each repeat scores completions that were not scored before; the tools are the same in all repeats, as in
all epochs of a training. The best repeat counts.
"""

import json
import sys
import time
from pathlib import Path

# Before this script's own folder, where `calls` is another file.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from calls.bfcl_data import LIVE, NON_LIVE, data_folder, gold  # noqa: E402

from funreason.calls import render  # noqa: E402
from funreason.rewards import correctness, exact, format, graded, length  # noqa: E402

THINK = "<think>The user wants this, so I call it.</think>\n\n"
WANTED = 50_000


def group(answer: str, mark: str, alike: bool) -> list[str]:
    """Eight completions for one row; `mark` is in no other group."""
    if not alike:
        return [f"{THINK}{answer[:-2]}, extra_{mark}_{number}=1)]" for number in range(8)]
    wrong = [f"{answer[:-2]}, extra_{mark}=1)]", f"{answer[:-1]}, g_{mark}(a=1)]"]
    return [THINK + text for text in (*[answer] * 4, *wrong, *wrong)]


def main() -> None:
    """Print completions per second of each reward."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    if data_folder() is None:
        sys.exit("error: no .venv-bfcl here, so nothing to measure on: run make setup")
    rows = [row for category in NON_LIVE + LIVE for row in gold(category)]
    answers, tools = [render(options[0]) for _, _, options in rows], [json.dumps(tools) for _, tools, _ in rows]
    columns = {
        "reference": [THINK + answer for answer in answers for _ in range(8)],
        "tools": [text for text in tools for _ in range(8)],
    }
    print(f"{len(columns['tools'])} completions, {len(rows)} groups, best of {repeats} repeats after one")
    for alike in (True, False):
        for reward in (exact, format, correctness, graded, length):
            best = 0.0
            for repeat in range(repeats + 1):
                marks = [f"{reward.__name__}_{repeat}_{place}" for place in range(len(answers))]
                groups = [group(answer, mark, alike) for answer, mark in zip(answers, marks, strict=True)]
                completions = [text for texts in groups for text in texts]
                start = time.process_time()
                reward([""] * len(completions), completions, **columns)
                best = max(best, len(completions) / (time.process_time() - start)) if repeat else 0.0
            kind = "group" if alike else "all different"
            print(f"{kind:<15}{reward.__name__:<12}{best:>12,.0f} completions/s ({best / WANTED:.1f} x {WANTED:,})")


if __name__ == "__main__":
    main()
