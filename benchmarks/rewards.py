"""How many completions each reward scores per second on one core.

    python benchmarks/rewards.py [REPEATS]

The rows are BFCL's gold calls of the Python categories (`make setup` installs them), each with a group of four
completions as a model in training writes them: the row's own answer, twice a wrong value that no other completion has,
and a call too many. Each repeat scores completions that were not scored before, since answers are cached by their text;
the tools are the same in all repeats, as in all epochs of a training. The best repeat counts.
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


def group(answer: str, number: int, repeat: int) -> list[str]:
    """Four completions for one row."""
    wrong = [f"{answer[:-2]}, extra_{number}_{repeat}={at})]" for at in (1, 2)]
    return [THINK + text for text in (answer, *wrong, f"{answer[:-1]}, g_{number}_{repeat}(a=1)]")]


def main() -> None:
    """Print completions per second of each reward."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    if data_folder() is None:
        sys.exit("error: no .venv-bfcl here, so nothing to measure on: run make setup")
    rows = [row for category in NON_LIVE + LIVE for row in gold(category)]
    answers, tools = [render(options[0]) for _, _, options in rows], [json.dumps(tools) for _, tools, _ in rows]
    columns = {
        "reference": [THINK + answer for answer in answers for _ in range(4)],
        "tools": [text for text in tools for _ in range(4)],
    }
    print(f"{len(columns['tools'])} completions, {len(rows)} groups, best of {repeats} repeats after one")
    for number, reward in enumerate((exact, format, correctness, graded, length)):
        best = 0.0
        for repeat in range(repeats + 1):
            at = number * (repeats + 1) + repeat
            completions = [text for place, answer in enumerate(answers) for text in group(answer, place, at)]
            start = time.process_time()
            reward([""] * len(completions), completions, **columns)
            best = max(best, len(completions) / (time.process_time() - start)) if repeat else 0.0
        print(f"{reward.__name__:<12}{best:>12,.0f} completions/s ({best / WANTED:.1f} x {WANTED:,})")


if __name__ == "__main__":
    main()
