"""Two models on the same rows: tests in pairs, flips, equivalence; and several seeds of one model as one row.

A side is a round (its data/<round>/bfcl.jsonl and code.jsonl), a folder of `funreason score`, or one such file.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

from tabulate import tabulate

from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.core.paths import answers
from funreason.evaluate.stats import equivalence, paired_difference

FLIPS = 5  # ids in a table
MARGIN = 0.02  # the largest difference that counts as none
Key = tuple[str, str, str]  # suite, category, id
Marks = dict[Key, bool]


def read_marks(side: str) -> Marks:
    """{(suite, category, id): whether the answer is right} of a side, the greedy answers only.

    Raises:
        DataError: there are no answers, or a row is not one of ours.
    """
    marks: Marks = {}
    for path in _files(side):
        for number, row in enumerate(read_jsonl(path), 1):
            if row.get("sample"):
                continue
            key, mark = _mark(row, f"{path}:{number}")
            if "dialogue" in row:  # of ACEBench: right if all its rows are
                key = (*key[:2], row["dialogue"])
                mark = mark and marks.pop(key, True)
            if key in marks:
                raise DataError(f"{path}:{number}: {' '.join(key)} stands twice in {side}; give one run")
            marks[key] = mark
    return marks


def paired(a: str, b: str, margin: float) -> list[dict]:
    """What changed from side `a` to side `b` on the rows of both, per suite and per category.

    Args:
        a: a side, see the head of this file.
        b: the other one.
        margin: the largest difference that counts as none, above 0 to 1.

    Returns:
        [{"suite", "category" (null: all), <stats.paired_difference>, "equivalence": <stats.equivalence>, "lost_ids",
        "gained_ids", "unpaired"}]; `unpaired` rows are on one side alone, and are left out.

    Raises:
        DataError: there are no answers, or no row is on both sides.
    """
    before, after = read_marks(a), read_marks(b)
    shared = [key for key in before if key in after]
    if not shared:
        raise DataError(f"{a} and {b} have no row in common; give two runs of the same benchmark")
    groups: dict[tuple[str, str | None], list[Key]] = defaultdict(list)
    for key in shared:
        groups[key[0], None].append(key)
        groups[key[0], key[1]].append(key)
    alone = [key for key in {**before, **after} if (key in before) != (key in after)]
    return [_pair(group, keys, before, after, margin, alone) for group, keys in groups.items()]


def seeds(sides: Sequence[str]) -> list[dict]:
    """Several runs of one model as one row per suite.

    Args:
        sides: two or more runs over the same rows.

    Returns:
        [{"suite", "runs", "n", "mean", "sd", "min", "max"}] of the accuracies.

    Raises:
        DataError: fewer than two runs, or runs over other rows.
    """
    if len(sides) < 2:
        raise DataError(f"one run ({', '.join(sides)}) has no spread; give two or more")
    runs = [read_marks(side) for side in sides]
    for side, run in zip(sides, runs, strict=True):
        if run.keys() != runs[0].keys():
            other = len(run.keys() ^ runs[0].keys())
            raise DataError(f"{side} and {sides[0]} differ in {other} rows; give runs over the same rows")
    rows = []
    for suite in dict.fromkeys(key[0] for key in runs[0]):
        keys = [key for key in runs[0] if key[0] == suite]
        values = [sum(run[key] for key in keys) / len(keys) for run in runs]
        spread = {"mean": mean(values), "sd": stdev(values), "min": min(values), "max": max(values)}
        rounded = {name: round(value, 4) for name, value in spread.items()}
        rows.append({"suite": suite, "runs": len(runs), "n": len(keys)} | rounded)
    return rows


def paired_markdown(rows: Sequence[dict]) -> str:
    """`paired` as a table."""
    lines = [
        [
            row["suite"], row["category"] or "all", row["n"], f"{row['before']:.2%}", f"{row['after']:.2%}",
            f"{100 * row['difference']:+.2f} [{100 * row['low']:+.2f}, {100 * row['high']:+.2f}]", row["p"],
            f"{row['lost']} / {row['gained']}", row["equivalence"]["p"],
            "equivalent" if row["equivalence"]["equivalent"] else "different" if row["p"] < 0.05 else "undecided",
            ", ".join([*(f"-{name}" for name in row["lost_ids"]), *(f"+{name}" for name in row["gained_ids"])][:FLIPS]),
        ]
        for row in rows
    ]  # fmt: skip
    headings = ["suite", "category", "n", "before", "after", "difference, points", "p", "lost / gained",
                "p of equivalence", "at 5 %", "flips"]  # fmt: skip
    return tabulate(lines, headings, tablefmt="github", disable_numparse=True) + "\n"


def seeds_markdown(rows: Sequence[dict]) -> str:
    """`seeds` as a table."""
    lines = [
        [row["suite"], row["runs"], row["n"], f"{100 * row['mean']:.2f} ± {100 * row['sd']:.2f}",
         f"{100 * row['min']:.2f} to {100 * row['max']:.2f}"]
        for row in rows
    ]  # fmt: skip
    headings = ["suite", "runs", "rows", "mean ± standard deviation, %", "range"]
    return tabulate(lines, headings, tablefmt="github", disable_numparse=True) + "\n"


def _pair(
    group: tuple[str, str | None], keys: list[Key], before: Marks, after: Marks, margin: float, alone: list[Key]
) -> dict:
    suite, category = group
    marks = [before[key] for key in keys], [after[key] for key in keys]
    unpaired = sum(key[0] == suite and category in (None, key[1]) for key in alone)
    return {"suite": suite, "category": category} | paired_difference(*marks) | {
        "equivalence": equivalence(*marks, margin),
        "lost_ids": [key[2] for key in keys if before[key] and not after[key]],
        "gained_ids": [key[2] for key in keys if after[key] and not before[key]],
        "unpaired": unpaired,
    }  # fmt: skip


def _files(side: str) -> list[Path]:
    path = Path(side)
    if path.is_file():
        return [path]
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else []
    rounds = [] if files else [Path(answers(side, name)) for name in ("bfcl", "code")]
    if found := [file for file in (*files, *rounds) if file.exists()]:
        return found
    raise DataError(f"{side} is neither a round with data/{side}/bfcl.jsonl nor a folder of `funreason score`")


def _mark(row: dict, where: str) -> tuple[Key, bool]:
    if "task_id" in row and "passed" in row:
        return (row.get("benchmark", "code"), row.get("benchmark", "code"), row["task_id"]), bool(row["passed"])
    if {"suite", "category", "id", "correct"} <= row.keys():
        return (row["suite"], row["category"], row["id"]), bool(row["correct"])
    raise DataError(f"{where}: keys {sorted(row)}, wanted suite, category, id, correct; give answers with verdicts")
