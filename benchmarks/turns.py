"""Sides measured in turns, so that all see the same load of the machine, each of them first equally often."""

import resource
import time
from collections.abc import Callable
from statistics import median

Seconds = tuple[float, float]  # by the clock; of the processor, in this process and the children that ended


def timed(work: Callable[[], object]) -> Seconds:
    start = time.perf_counter(), _processor()
    work()
    return time.perf_counter() - start[0], _processor() - start[1]


def in_turns(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[Seconds]]:
    """{name: seconds of each round}, after one round that does not count."""
    names, found = list(works), {name: [] for name in works}
    for number in range(rounds + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            took = timed(works[name])
            found[name] += [took] if number else []
    return found


def report(found: dict[str, list[Seconds]], ours: str, rows: int) -> None:
    """A line for each side: seconds and rows/s of the middle round; how `ours` compares by middles and least times."""
    for n, kind in enumerate(("clock", "processor")):
        mine = [took[n] for took in found[ours]]
        for name, rounds in found.items():
            took = [it[n] for it in rounds]
            line = (
                f"{kind:<11}{name:<24}{median(took):9.3f} s (least {min(took):.3f}) {rows / median(took):10,.1f} rows/s"
            )
            ratios = (median(mine) / median(took), min(mine) / min(took))
            times = "; ours takes {:.3f} times as long, of least times {:.3f}".format(*ratios)
            print(line + ("" if name == ours else times))


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(it.ru_utime + it.ru_stime for it in used)
