"""The heuristics on real rows: what they decide, how often rightly, what they cost, and which planted defects they see.

    python benchmarks/refine_real.py ../shared/data/real [--write] [--defects 60]

The folder holds with_cot.jsonl.gz and xlam_like.jsonl.gz (see real_rows.py). Prints the tables; with --write they
replace the marked block of docs/heuristics.md. The time is CPU time of one core.
"""

import argparse
import gc
import re
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from real_rows import RealRow, planted_truth, read_real_rows
from tabulate import tabulate

from funreason.calls import CallSyntaxError, parse, validate
from funreason.config import FcdrParams, VerifierParams, load_params
from funreason.core.errors import DataError
from funreason.core.records import Sample
from funreason.heuristics import heuristic_result
from funreason.prompts import CHECKS
from funreason.refine.checks import CHECKS as CHECK_OF
from funreason.refine.defects import OF_ANSWERS, OF_REASONING, plant_defects
from funreason.refine.loop import run
from funreason.refine.metrics import CheckMetrics
from funreason.refine.modes import HeuristicsFirst

ROOT = Path(__file__).parents[1]
PAGE, MARKS = ROOT / "docs" / "heuristics.md", ("<!-- refine_real: begin -->", "<!-- refine_real: end -->")


def main() -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--defects", type=int, default=60, help="planted defects per kind (default 60)")
    parser.add_argument("--write", action="store_true", help=f"renew the block of {PAGE.relative_to(ROOT)}")
    arguments = parser.parse_args()
    rows, unread = read_real_rows(arguments.folder)
    never = {"max_removed": 1.0, "max_undecided": 1.0}  # all rows with a defect may go
    fcdr = load_params().fcdr.model_copy(update={"mode": "heuristics", **never})
    speed = speed_line(rows, unread, fcdr.verifier)  # first: no cache is warm
    planted = planted_rows(rows, arguments.defects)
    tables = [check_table(rows, fcdr.verifier), reason_table(rows, planted, fcdr.verifier), outcome_table(rows, fcdr)]
    text = "\n\n".join([*tables, defect_table(planted, fcdr), speed])
    print(text)
    if arguments.write:
        page, (begin, end) = PAGE.read_text(), MARKS
        block = re.compile(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
        PAGE.write_text(block.sub(lambda _: text + "\n", page))


def check_table(rows: list[RealRow], verifier: VerifierParams | None) -> str:
    """Per check and group of rows: how many are decided, and how often wrongly."""
    counts: Counter[tuple] = Counter()
    for row in rows:
        for check in row.truth:
            counts[check, row.group, row.truth[check], heuristic_result(check, row.sample, verifier).value] += 1
    table = []
    for check, group, truth in sorted({key[:3] for key in counts}, key=lambda key: (CHECKS.index(key[0]), key[1:])):
        true, false, none = (counts[check, group, truth, value] for value in (True, False, None))
        wrong, decided, count = (false if truth else true), true + false, true + false + none
        table.append({
            "check": check, "rows": group, "should": "pass" if truth else "fail", "n": count,
            "decided": percent(decided, count), "passed": percent(true, count), "failed": percent(false, count),
            "wrong of decided": percent(wrong, decided),
        })  # fmt: skip
    return tabulate(table, headers="keys", tablefmt="github")


def reason_table(rows: list[RealRow], planted: dict[str, list[Sample]], verifier: VerifierParams) -> str:
    """Per check and reason: how many real rows and planted defects it decides, and how often rightly."""
    known = [(row.sample, row.truth, "real") for row in rows]
    known += [
        (sample, planted_truth(kind, bool(sample.cot)), "planted") for kind, some in planted.items() for sample in some
    ]
    counts: Counter[tuple] = Counter()
    for sample, truths, where in known:
        for check, truth in truths.items():
            result = heuristic_result(check, sample, verifier)
            if result.value is not None:
                counts[check, result.value, result.reason, where, result.value == truth] += 1
    table = []
    for check, value, reason in sorted({key[:3] for key in counts}, key=lambda key: (CHECKS.index(key[0]), key[1:])):
        line = {"check": check, "verdict": "pass" if value else "fail", "reason": reason}
        for where in ("real", "planted"):
            right, wrong = (counts[check, value, reason, where, is_right] for is_right in (True, False))
            line |= {f"{where} rows": right + wrong, f"right of {where}": percent(right, right + wrong)}
        table.append(line)
    return tabulate(table, headers="keys", tablefmt="github")


def outcome_table(rows: list[RealRow], fcdr: FcdrParams) -> str:
    """Per value of fcdr.undecided: the rows of each group that all five checks keep; and what a cascade would ask."""
    answered = [row for row in rows if row.group != "other"]
    groups = {row.sample.id: row.group for row in answered}
    sizes = Counter(groups.values())
    table = []
    for undecided in undecided_values():
        kept, questions = chain([row.sample for row in answered], fcdr.model_copy(update={"undecided": undecided}))
        counts = Counter(groups[sample.id] for sample in kept)
        table.append({"undecided": undecided} | {
            f"{group} kept of {sizes[group]}": percent(counts[group], sizes[group]) for group in sorted(sizes)
        } | {"questions spared": percent(questions["clear"], questions["all"])})  # fmt: skip
    return tabulate(table, headers="keys", tablefmt="github")


def undecided_values() -> list[str]:
    """The values that fcdr.undecided may have, but for `hard`, which keeps what `drop` keeps."""
    return [value for value in FcdrParams.model_fields["undecided"].annotation.__args__ if value != "hard"]


def chain(samples: Iterable[Sample], fcdr: FcdrParams) -> tuple[list[Sample], Counter[str]]:
    """The rows that all checks keep without a judge, and how many questions were clear."""
    kept, questions = list(samples), Counter()
    for check in CHECKS:
        metrics = CheckMetrics()
        asked = [sample for sample in kept if check in checks_of(sample)]
        results = list(run(CHECK_OF[check], asked, HeuristicsFirst(None, fcdr.verifier), fcdr, metrics))
        gone = {result.id for result in results if not result.goes_on}
        new = {result.id: result.sample for result in results if result.sample}
        kept = [new.get(sample.id, sample) for sample in kept if sample.id not in gone]
        questions["all"] += metrics.asked["questions"]
        questions["clear"] += metrics.asked["by_heuristics"]
    return kept, questions


def checks_of(sample: Sample) -> list[str]:
    """The checks that a row is put to: a gold answer has no reasoning."""
    return [check for check in CHECKS if check != "cot" or sample.cot]


def planted_rows(rows: list[RealRow], each: int) -> dict[str, list[Sample]]:
    """Kind of defect → rows with it, gold answers or answers with a reasoning."""
    gold = [row.sample for row in rows if row.group == "gold" and is_callable(row.sample)]
    reasoned = [row.sample for row in rows if row.truth.get("cot") and is_callable(row.sample)]
    return plant_defects(gold, OF_ANSWERS, each, "gold") | plant_defects(reasoned, OF_REASONING, each, "cot")


def defect_table(planted: dict[str, list[Sample]], fcdr: FcdrParams) -> str:
    """Per kind of planted defect: how many rows a check fails, and how many of them are not kept."""
    table, totals = [], Counter()
    for kind, samples in planted.items():
        failed = sum(
            any(heuristic_result(check, s, fcdr.verifier).value is False for check in checks_of(s)) for s in samples
        )
        removed = len(samples) - len(chain(samples, fcdr)[0])
        totals.update(n=len(samples), failed=failed, removed=removed)
        table.append({"defect": kind, "n": len(samples), "failed": failed, "removed": removed})
    table.append({"defect": "all", **{name: totals[name] for name in ("n", "failed", "removed")}})
    table.append(
        {"defect": "", "n": "", **{name: percent(totals[name], totals["n"]) for name in ("failed", "removed")}}
    )
    return tabulate(table, headers="keys", tablefmt="github")


def is_callable(sample: Sample) -> bool:
    """Whether the answer parses and fits its tools: any defect is then the planted one."""
    try:
        calls = parse(sample.answer)
        return bool(calls) and not validate(calls, sample.tools)
    except (CallSyntaxError, DataError):
        return False


def speed_line(rows: list[RealRow], unread: Counter[str], verifier: VerifierParams) -> str:
    """Rows per second of CPU time through all checks, with and without a reasoning, and the rows that were not read."""
    gc.collect()
    gc.freeze()  # a stage does not hold all rows at once, which the collector would look at again and again
    reasoned, bare = ([row.sample for row in rows if bool(row.sample.cot) is has_cot] for has_cot in (True, False))
    texts = []
    for name, limits in (("by the rules alone", None), ("with the verifier", verifier)):
        speeds = [f"{rows_per_second(samples, limits):,.0f}" for samples in (reasoned, bare)]
        texts.append(f"{name} {speeds[0]} with a reasoning and {speeds[1]} without")
    left_out = ", ".join(f"{count} {reason}" for reason, count in sorted(unread.items()))
    return (
        f"Rows per second of CPU time through all checks: {', '.join(texts)} ({len(reasoned)} and {len(bare)} rows). "
        f"Not read: {left_out}."
    )


def rows_per_second(samples: list[Sample], verifier: VerifierParams | None) -> float:
    """Rows per second of CPU time through all checks."""
    start = time.process_time()
    for sample in samples:
        for check in checks_of(sample):
            heuristic_result(check, sample, verifier)
    return len(samples) / (time.process_time() - start)


def percent(part: int, whole: int) -> str:
    """A fraction as text; empty where there is nothing to divide by."""
    return f"{100 * part / whole:.1f} %" if whole else ""


if __name__ == "__main__":
    main()
