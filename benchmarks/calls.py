"""How fast calls are read, written and validated, beside BFCL's own decoder on the same texts.

    python benchmarks/calls.py [REPEATS]

The texts are BFCL's gold answers of the Python categories (`make setup` installs them). Each repeat measures
everything once, so that all figures see the same load of the machine; the best repeat counts.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# Before this script's own folder, where `calls` is this file.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from calls.bfcl_data import LIVE, NON_LIVE, data_folder, decode, gold  # noqa: E402

from funreason.calls import parse, render, validate  # noqa: E402

COPIES = 3


def seconds(work: Callable[[], object]) -> float:
    """The seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(batches: list, tools: list, texts: list[str], folder: Path) -> dict[str, float]:
    """One repeat: seconds of each kind of work over the whole data."""
    return {
        "render": seconds(lambda: [render(calls) for calls in batches]),
        "parse": seconds(lambda: [parse(text) for text in texts]),
        "parse + render": seconds(lambda: [render(parse(text)) for text in texts]),
        "validate": seconds(lambda: [validate(*pair) for pair in zip(batches, tools, strict=True)]),
        "BFCL's decoder": decode(texts, folder)[1],
    }


def main() -> None:
    """Print calls per second and the ratio to BFCL's decoder."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    if data_folder() is None:
        sys.exit("error: no .venv-bfcl here, so nothing to measure on: run make setup")
    rows = [row for category in NON_LIVE + LIVE for row in gold(category)] * COPIES
    batches, tools = [options[0] for _, _, options in rows], [tools for _, tools, _ in rows]
    texts, count = [render(calls) for calls in batches], sum(map(len, batches))
    with tempfile.TemporaryDirectory() as folder:
        results = [measure(batches, tools, texts, Path(folder)) for _ in range(repeats)]
    best = {kind: min(result[kind] for result in results) for kind in results[0]}
    characters = sum(map(len, texts)) / count
    print(f"{count} calls of {characters:.0f} characters on average, best of {repeats} repeats")
    for kind, taken in best.items():
        ratio = best["BFCL's decoder"] / taken
        print(f"{kind:<15}{count / taken:>10,.0f} calls/s{ratio:>8.2f} x BFCL's decoder")


if __name__ == "__main__":
    main()
