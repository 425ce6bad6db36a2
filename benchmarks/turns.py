"""Measure several sides in turns, so that all see the same load of the machine; each is first equally often."""

import resource
import time
from collections.abc import Callable
from statistics import median

Seconds = tuple[float, float]  # wall clock; CPU, of this process and of its children that have ended


def timed(work: Callable[[], object]) -> Seconds:
    """Seconds that a call takes."""
    start = time.perf_counter(), _cpu()
    work()
    return time.perf_counter() - start[0], _cpu() - start[1]


def in_turns(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[Seconds]]:
    """{name: seconds of each round}, after one round that does not count."""
    names = list(works)
    seconds: dict[str, list[Seconds]] = {name: [] for name in works}
    for number in range(rounds + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            took = timed(works[name])
            seconds[name] += [took] if number else []
    return seconds


def report(seconds: dict[str, list[Seconds]], ours: str, rows: int) -> None:
    """A line per side: seconds and rows/s of the median round; how `ours` compares by medians and by least times."""
    for n, clock in enumerate(("wall clock", "CPU")):
        mine = [took[n] for took in seconds[ours]]
        for name, rounds in seconds.items():
            took = [pair[n] for pair in rounds]
            speed = f"{rows / median(took):10,.1f} rows/s"
            line = f"{clock:<11}{name:<24}{median(took):9.3f} s (least {min(took):.3f}) {speed}"
            ratios = (median(mine) / median(took), min(mine) / min(took))
            times = "; ours takes {:.3f} times as long, of least times {:.3f}".format(*ratios)
            print(line + ("" if name == ours else times))


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)
