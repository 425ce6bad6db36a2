"""How fast the response cache is, small and large, and whether processes that write at once lose anything.

    python benchmarks/cache.py [--small 10000] [--large 1000000] [--rounds 5] [--writers 8] [--each 5000]

Look-ups: keys drawn at random, asked in one call as a stage asks them. Writes: one `put` per response, each a
transaction of its own. Small and large take turns, and the median round counts. CPU time is printed beside wall-clock
time, which other processes of the machine slow down. The writers share one new cache: each key is written by two.
"""

import argparse
import hashlib
import multiprocessing
import os
import random
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tqdm import tqdm
from turns import timed

from funreason.cache.exchange import take
from funreason.cache.maintenance import verify
from funreason.llm import Cache, Response

LOOKUPS, WRITES = 20_000, 5_000  # per round
WORDS = 90  # per response, about 500 characters: a toy model's reasoning and calls


def name(number: int) -> bytes:
    """A key: random like those of the pipeline, which are sha256 too."""
    return hashlib.sha256(b"%d" % number).digest()


def answer(number: int) -> Response:
    text = " ".join(f"w{(number * 7919 + place * 104729) % 9973:04d}" for place in range(WORDS))
    return Response(f"{number}: {text}", "stop", 400, WORDS)


def row(number: int) -> tuple:
    return name(number), "model", *vars(answer(number)).values()


class MeasuredCache:
    """A cache of `count` responses, and the seconds of each round."""

    def __init__(self, folder: Path, count: int):
        self.cache, self.count, self.written = Cache(folder), count, count
        take(self.cache, (row(number) for number in tqdm(range(count), f"filling {count:,}", unit="", disable=None)))
        self.took = {"look-ups": [], "writes": []}

    def round(self, seed: int) -> None:
        rng = random.Random(seed)
        keys = [name(rng.randrange(self.count)) for _ in range(LOOKUPS)]
        self.took["look-ups"].append(timed(lambda: self.find(keys)))
        rows = [(name(self.written + place), answer(self.written + place)) for place in range(WRITES)]
        self.took["writes"].append(timed(lambda: [self.cache.put(key, response, "model") for key, response in rows]))
        self.written += WRITES

    def find(self, keys: list[bytes]) -> None:
        responses = self.cache.get(keys)
        assert len(responses) == len(set(keys)), "a response is missing"

    def per_second(self, what: str) -> tuple[float, float]:
        """Of the median round: by the wall clock, by CPU time."""
        number = {"look-ups": LOOKUPS, "writes": WRITES}[what]
        return tuple(number / median(times) for times in zip(*self.took[what], strict=True))


def sizes(arguments: argparse.Namespace, folder: Path) -> None:
    both = [MeasuredCache(folder / str(count), count) for count in (arguments.small, arguments.large)]
    for seed in tqdm(range(arguments.rounds), "rounds", disable=None):
        for measured in both:
            measured.round(seed)
    for what in ("look-ups", "writes"):
        for measured in both:
            clock, cpu = measured.per_second(what)
            print(f"{what:<10}{measured.count:>12,} responses{clock:>12,.0f}/s{cpu:>12,.0f}/s of CPU time")
        slower = [small / large for small, large in zip(*(m.per_second(what) for m in both), strict=True)]
        print(f"{what:<10} slower by {slower[0]:.2f} times, by CPU time {slower[1]:.2f}")


def writer(folder: str, first: int, each: int) -> None:
    with Cache(folder) as cache:
        for number in range(first, first + each):
            cache.put(name(number), answer(number), "model")
            assert cache.get([name(number)]), f"{number} is not there after its put"


def several(arguments: argparse.Namespace, folder: Path) -> None:
    """Each writer starts in the middle of the range of the one before: all but the ends is written twice."""
    half = arguments.each // 2
    context = multiprocessing.get_context("spawn")
    children = [
        context.Process(target=writer, args=(str(folder), place * half, arguments.each))
        for place in range(arguments.writers)
    ]
    start = time.perf_counter()
    for child in children:
        child.start()
    for child in children:
        child.join()
    took = time.perf_counter() - start
    assert not any(child.exitcode for child in children), "a writer failed"
    wanted = half * (arguments.writers - 1) + arguments.each
    with Cache(folder) as cache:
        stored = cache.get(name(number) for number in range(wanted))
        rows = cache.do(lambda database: database.execute("SELECT count(*) FROM responses").fetchone()[0])
        lost = sum(stored.get(name(number)) != answer(number) for number in range(wanted))
        checked = verify(cache)
    puts = arguments.writers * arguments.each
    print(f"{arguments.writers} writers: {puts:,} puts of {wanted:,} responses, {puts / took:,.0f}/s with their starts")
    print(f"{lost} lost, {rows - wanted} doubled, {checked['damaged']} damaged, structure {checked['structure']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--small", type=int, default=10_000, help="responses in the small cache")
    parser.add_argument("--large", type=int, default=1_000_000, help="responses in the large one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--each", type=int, default=5_000, help="responses per writer")
    parser.add_argument("--folder", type=Path, help="where the caches go for the time being, on the disk in question")
    arguments = parser.parse_args()
    with TemporaryDirectory(dir=arguments.folder) as folder:
        sizes(arguments, Path(folder))
        several(arguments, Path(folder, "shared"))
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
