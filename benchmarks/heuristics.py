"""How fast the heuristics are, and how much memory they take over a stream of rows.

    python benchmarks/heuristics.py [--rows 60000] [--base 3000] [--chain]

Every row goes through all five checks; with --chain as files through all stages from prepare to validate. The rows are
cases of the toy world (half of them planted to fail, with known and invented tools): `--base` distinct ones, then the
same with another last word in query and reasoning, made anew each time, so that no cache of rows can help. Making the
rows counts for the memory, not for the time. The time is CPU time: other work on the machine does not count.
"""

import argparse
import contextlib
import resource
import runpy
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from funreason.config import read_yaml, yaml
from funreason.core.jsonio import read_details, write_json, write_jsonl
from funreason.core.paths import NOTHING
from funreason.core.records import Sample
from funreason.heuristics import heuristic_result
from funreason.prompts import CHECKS
from funreason.toy.corpus import toolbox
from funreason.toy.judging import sample_judged

ROOT = Path(__file__).parents[1]


def base_rows(count: int) -> list[tuple[Sample, str, bool]]:
    """(row, the check it was made for, that check's right verdict) of distinct toy cases."""
    rng, out = Random("benchmarks/heuristics"), []
    for number in range(count):
        check, passed, tools = CHECKS[number % len(CHECKS)], number // len(CHECKS) % 2 == 0, toolbox(rng)
        _, _, case = sample_judged(check, passed, tools, tools, rng)
        row = Sample(str(number), case.episode.query, case.episode.xlam_tools(), case.cot, case.answer)
        out.append((row, check, passed))
    return out


def streamed(base: list[tuple[Sample, str, bool]], count: int) -> Iterator[tuple[Sample, str, bool]]:
    """`count` rows; after the first pass over `base`, a meaningless word makes each query and reasoning a new text."""
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
    """Print rows per second, how much was decided and how often wrongly, and the memory."""
    parser = argparse.ArgumentParser(description="Speed and memory of the heuristics.")
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--base", type=int, default=3_000, help="distinct rows; the others vary their texts")
    parser.add_argument("--chain", action="store_true", help="all stages from the source's file to the pools")
    asked = parser.parse_args()
    base = base_rows(min(asked.base, asked.rows))
    before = mebibytes()
    seconds = chain(base, asked.rows) if asked.chain else heuristics_alone(base, asked.rows)
    print(f"{asked.rows} rows, {seconds:.1f} s, {asked.rows / seconds:,.0f} rows/s, one core")
    print(f"60,000 rows: {60_000 * seconds / asked.rows:.1f} s")
    print(f"peak resident memory {mebibytes():.0f} MiB, {before:.0f} MiB of it before the first row was checked")


def heuristics_alone(base: list[tuple[Sample, str, bool]], count: int) -> float:
    """Every row through the heuristics of all checks; returns their CPU seconds."""
    seconds, decided, wrong = Counter(), Counter(), Counter()
    for number, (row, made_for, passed) in enumerate(streamed(base, count)):
        for check in CHECKS:
            start = time.process_time()
            value = heuristic_result(check, row).value
            seconds[check] += time.process_time() - start
            decided[check] += value is not None
            wrong[check] += check == made_for and number < len(base) and value is not None and value != passed
    for check in CHECKS:
        per_row = 1e6 * seconds[check] / count
        print(f"{check:<12}{per_row:>6.0f} us/row, decided {decided[check] / count:.3f}, wrong {wrong[check]}")
    return seconds.total()


def chain(base: list[tuple[Sample, str, bool]], count: int) -> float:
    """All stages over files, from prepare to validate; the source has all responses. Returns their CPU seconds."""
    sys.path.insert(0, str(ROOT / "stages"))  # as when a stage is run as a script
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        write_project(base, count)
        steps = [("prepare",), ("generate", "r0"), *(("refine", check, "r0") for check in CHECKS), ("validate", "r0")]
        total = 0.0
        for script, *arguments in steps:
            start = time.process_time()
            runpy.run_path(str(ROOT / "stages" / f"{script}.py"))["main"](*arguments)
            total += (took := time.process_time() - start)
            name = " ".join([script, *arguments[:-1]])
            print(f"{name:<18}{took:>7.1f} s, peak {mebibytes():.0f} MiB", flush=True)
        outcomes = read_details("metrics/r0/6_validate.json")["outcomes"]
    print(", ".join(f"{rows} {outcome}" for outcome, rows in outcomes.items()))
    return total


def write_project(base: list[tuple[Sample, str, bool]], count: int) -> None:
    """Write a project into the current folder, its source row by row, in which no model is asked."""
    values = read_yaml(ROOT / "params.yaml")
    values["llm"]["engine"], values["fcdr"]["mode"], values["fcdr"]["undecided"] = "server", "heuristics", "keep"
    values["validate"]["labels"] = NOTHING
    with open("params.yaml", "w") as file:
        yaml().dump(values, file)
    nobody = {"kind": "server", "hub": "nobody", "revision": None, "identity": "nobody"}
    write_json("models/teacher.json", nobody)
    write_json("models/judges.json", {"judge": nobody})
    write_jsonl(NOTHING, [])
    write_jsonl("source.jsonl", (source_row(row) for row, _, _ in streamed(base, count)))
    write_json("data/source.json", {"kind": "local", "path": "source.jsonl"})


def source_row(row: Sample) -> dict:
    response = {"cot": row.cot, "answer": row.answer}
    return {"id": row.id, "query": row.query, "tools": row.tools, "answers": [], "response": response}


if __name__ == "__main__":
    main()
