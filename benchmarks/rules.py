"""How fast the rules beside the judge are, and how much memory they take while rows stream by.

    python benchmarks/rules.py [--rows 60000] [--base 3000]

Every row goes through all five checks. The rows are cases of the desk world (half of them planted to fail, over known
and invented tools): `--base` distinct ones, then the same with another last word in query and reasoning, built anew
each time, so that nothing but the rules could keep them. Making the rows counts for the memory, not for the time,
which is the processor's: other work on the machine does not show in it.
"""

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from random import Random

from funreason.desk.corpus import toolbox
from funreason.desk.judging import sample_judged
from funreason.prompts import CHECKS
from funreason.records import Sample
from funreason.refine.rules import by_rules


def base_rows(count: int) -> list[tuple[Sample, str, bool]]:
    """(row, the check it was made for, that check's right verdict) of distinct desk cases."""
    rng, out = Random("benchmarks/rules"), []
    for number in range(count):
        check, passed, tools = CHECKS[number % len(CHECKS)], number // len(CHECKS) % 2 == 0, toolbox(rng)
        _, _, case = sample_judged(check, passed, tools, tools, rng)
        row = Sample(str(number), case.episode.query, case.episode.xlam_tools(), case.cot, case.answer)
        out.append((row, check, passed))
    return out


def streamed(base: list[tuple[Sample, str, bool]], count: int) -> Iterator[tuple[Sample, str, bool]]:
    """`count` rows; from the second round on, a word without meaning makes each query and reasoning a new text."""
    for number in range(count):
        row, check, passed = base[number % len(base)]
        if number >= len(base):
            end = "".join(chr(ord("a") + int(digit)) for digit in str(number))
            tools, answer = [dict(tool) for tool in row.tools], "".join(list(row.answer))
            row = Sample(str(number), f"{row.query} Thanks, zq{end}.", tools, f"{row.cot} Done, zq{end}.", answer)
        yield row, check, passed


def mebibytes() -> float:
    """Peak resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Print rows per second, what was decided and how often wrongly, and the memory."""
    parser = argparse.ArgumentParser(description="Speed and memory of the rules beside the judge.")
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--base", type=int, default=3_000, help="distinct rows; the others vary their texts")
    asked = parser.parse_args()
    base = base_rows(min(asked.base, asked.rows))
    seconds, decided, wrong, before = Counter(), Counter(), Counter(), mebibytes()
    for number, (row, made_for, passed) in enumerate(streamed(base, asked.rows)):
        for check in CHECKS:
            start = time.process_time()
            value = by_rules(check, row).value
            seconds[check] += time.process_time() - start
            decided[check] += value is not None
            wrong[check] += check == made_for and number < len(base) and value is not None and value != passed
    total = sum(seconds.values())
    print(f"{asked.rows} rows, all five checks: {total:.1f} s, {asked.rows / total:,.0f} rows/s")
    for check in CHECKS:
        per_row = 1e6 * seconds[check] / asked.rows
        print(f"{check:<12}{per_row:>6.0f} us/row, decided {decided[check] / asked.rows:.3f}, wrong {wrong[check]}")
    print(f"peak resident memory {mebibytes():.0f} MiB, {before:.0f} MiB of it before the first row was checked")


if __name__ == "__main__":
    main()
