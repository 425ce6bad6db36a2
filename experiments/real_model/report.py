"""The experiment's tables: accuracy per arm, and paired differences with intervals."""

import csv
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import numpy as np
import sweep
from arms import GRPO, REFINED, setting_of

from funreason.core.jsonio import atomic, read_details, write_csv
from funreason.evaluate.stats import mcnemar

SUITES = {"bfcl": "BFCL", "seal": "Seal-Tools", "hammer": "ToolAlpaca", "acebench": "ACEBench"}
PAIRS = (("base", "sft"), ("sft", "msl-0.3"), ("sft", "msl-0.5"), ("sft", "msl-0.7"), ("sft", "msl-0.9"),
         ("sft", "ssb"), ("msl-0.5", "ssb"), ("msl-0.7", "msl-0.7-grpo"), ("sft-all", "sft"),
         ("sft", "sft-right"), ("msl-0.7-all", "msl-0.7"), ("msl-0.7", "msl-0.7-right"), ("sft-right", "sft-defective"),
         ("sft-defective", "sft-filtered"))  # fmt: skip
DRAWS = 4000
COLUMNS = ("arm", "kind", "lambda", "seed", "calls", *SUITES, "no_call", "unreadable", "cut", "tokens", "english",
           "code")  # fmt: skip

Marks = dict[tuple[str, str, str], dict]  # (suite, category, id) → the line of marks.csv


def write_report(points: Path, folder: Path) -> None:
    """Write results.csv (a line per point), marks.csv (a line per held-out row) and table.md.

    Args:
        points: One folder per arm and seed, as `train` and `measure` leave it.
        folder: Where the report goes.
    """
    arms = read_points(points)
    results = [result_of(arm, seed, marks, points) for arm, seeds in arms.items() for seed, marks in seeds.items()]
    write_csv(folder / "results.csv", COLUMNS, results)
    write_marks(folder / "marks.csv", arms)
    with atomic(folder / "table.md") as file:
        file.write("\n".join([*arm_table(results), "", *pair_table(arms)]) + "\n")


def read_points(points: Path) -> dict[str, dict[int, Marks]]:
    """{arm: {seed: marks}} of the measured points, `base` first, then by name."""
    arms: dict[str, dict[int, Marks]] = defaultdict(dict)
    for path in sorted(points.glob("*/marks.csv"), key=lambda path: (not path.parent.name.startswith("base"), path)):
        arm, _, seed = path.parent.name.rpartition("-")
        with path.open(encoding="utf-8", newline="") as file:
            arms[arm][int(seed)] = {(row["suite"], row["category"], row["id"]): row for row in csv.DictReader(file)}
    return dict(arms)


def wants_call(key: tuple[str, str, str]) -> bool:
    return "irrelevance" not in key[1]


def result_of(arm: str, seed: int, marks: Marks, points: Path) -> dict:
    """The line of one point."""
    folder = points / f"{arm}-{seed}"

    def fraction(wanted: Callable[[tuple], bool], value: Callable[[dict], float]) -> float:
        return round(mean(value(row) for key, row in marks.items() if wanted(key)), 4)

    def right(row: dict) -> int:
        return int(row["right"])

    line = {"arm": arm, "kind": kind_of(arm), "lambda": weight_of(arm, folder), "seed": seed}
    line |= {"calls": fraction(wants_call, right)}
    line |= {suite: fraction(lambda key, s=suite: key[0] == s and wants_call(key), right) for suite in SUITES}
    line["no_call"] = fraction(lambda key: not wants_call(key), right)
    line |= {form: fraction(lambda _: True, lambda row, f=form: row["form"] == f) for form in ("unreadable", "cut")}
    line["tokens"] = round(fraction(lambda _: True, lambda row: int(row["tokens"])), 1)
    return line | json.loads((folder / "text.json").read_text())


def kind_of(arm: str) -> str:
    """The arms of one line of the plot: `base`, `sft`, `msl`, `ssb`, `grpo`, or with other rows `sft (right)`."""
    setting, rows = setting_of(arm)
    kind = "grpo" if arm.endswith(GRPO) else setting.partition("-")[0]
    return kind if rows == REFINED else f"{kind} ({rows})"


def weight_of(arm: str, folder: Path) -> float | None:
    """λ: set, learned, or implied by `sft`; None before training and where rewards train."""
    if arm == "base" or arm.endswith(GRPO):
        return None
    trained = read_details(folder / "train" / "train.json")
    return round(sweep.weight_of(setting_of(arm)[0], trained), 4)


def write_marks(path: Path, arms: dict[str, dict[int, Marks]]) -> None:
    """One line per held-out row, one column per point: 1 where its answer is right."""
    columns = {f"{arm}-{seed}": marks for arm, seeds in arms.items() for seed, marks in seeds.items()}
    keys = list(next(iter(columns.values())))
    rows = [
        dict(zip(("suite", "category", "id"), key, strict=True))
        | {name: marks[key]["right"] for name, marks in columns.items()}
        for key in keys
    ]
    write_csv(path, ("suite", "category", "id", *columns), rows)


def arm_table(results: list[dict]) -> list[str]:
    """One line per arm: the mean over its seeds, with the standard deviation for the calls."""
    names = ["calls", *SUITES, "no_call", "unreadable", "cut"]
    head = ["arm", "λ", "calls", *SUITES.values(), "no call wanted", "unreadable", "cut", "tokens", "English", "code"]
    lines = [f"| {' | '.join([*head, 'seeds'])} |", "|" + "---|" * (len(head) + 1)]
    for arm in dict.fromkeys(line["arm"] for line in results):
        own = [line for line in results if line["arm"] == arm]
        weight = "" if own[0]["lambda"] is None else f"{mean(line['lambda'] for line in own):.2f}"
        cells = [sweep.spread([line[name] for line in own]) for name in names]
        cells += [f"{mean(line['tokens'] for line in own):.0f}"]
        cells += [f"{mean(line[name] for line in own):.3f}" for name in ("english", "code")]
        lines.append(f"| {' | '.join([arm, weight, *cells, str(len(own))])} |")
    return lines


def pair_table(arms: dict[str, dict[int, Marks]]) -> list[str]:
    """One line per pair of arms, on the rows that want a call, over the seeds that both have."""
    head = "| pair | difference in calls | 95 % interval | lost / gained | McNemar p | rows for 80 % power | seeds |"
    lines = [head, "|" + "---|" * 7]
    for first, second in PAIRS:
        if first in arms and second in arms:
            seeds = sorted(set(arms[first]) & set(arms[second])) if first != "base" else sorted(arms[second])
            before = [arms[first][0 if first == "base" else seed] for seed in seeds]
            lines += [pair_line(f"{first} → {second}", before, [arms[second][seed] for seed in seeds])] if seeds else []
    return lines


def pair_line(name: str, before: list[Marks], after: list[Marks]) -> str:
    """A row counts as lost or gained by the majority of the seeds; the interval draws rows and seeds."""
    keys = [key for key in before[0] if wants_call(key)]
    old, new = (np.array([[int(marks[key]["right"]) for key in keys] for marks in seeds]) for seeds in (before, after))
    low, high = interval(new - old)
    was, is_now = (side.mean(axis=0) > 0.5 for side in (old, new))
    lost, gained = int((was & ~is_now).sum()), int((is_now & ~was).sum())
    cells = [
        name, f"{100 * (new - old).mean():+.1f}", f"{100 * low:+.1f} to {100 * high:+.1f}", f"{lost} / {gained}",
        "< 0.001" if (p := mcnemar(lost, gained)) < 0.001 else f"{p:.3f}", rows_needed(old, new), str(len(before)),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def interval(differences: np.ndarray) -> tuple[float, float]:
    """The bootstrap's 95 % interval of a mean over seeds × rows, with both drawn anew."""
    seeds, rows = differences.shape
    generator = np.random.default_rng(0)
    draws = [
        differences[generator.integers(seeds, size=seeds)][:, generator.integers(rows, size=rows)].mean()
        for _ in range(DRAWS)
    ]
    return float(np.quantile(draws, 0.025)), float(np.quantile(draws, 0.975))


def rows_needed(old: np.ndarray, new: np.ndarray) -> str:
    """Held-out rows for which McNemar's test would see this difference with a power of 80 % (Connor 1987)."""
    apart, difference = float((old != new).mean()), abs(float((new - old).mean()))
    if not difference:
        return "none would do"
    root = 1.96 * apart**0.5 + 0.84 * max(apart - difference**2, 0) ** 0.5
    return f"{root**2 / difference**2:,.0f}"
