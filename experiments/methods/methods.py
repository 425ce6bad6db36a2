"""SFT, SRML, SSB and GRPO on the same rows of the toy world: the arms, their tokens, and the tables.

BalanceSFT (arXiv 2505.20192 v3), figure 4a, ranks SSB over GRPO; ToolRL (2504.13958) and Tool-N1 (2505.00024) rank
GRPO over SFT. Here everything but the method is the same: rows, start model, held-out questions, seeds.
"""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean

from funreason.core.errors import ParamsError
from funreason.core.jsonio import atomic, write_csv
from funreason.evaluate.stats import paired_difference

# Arm → its supervised training (a setting of the λ sweep) and that one's epochs (None: `train.epochs`), and whether
# GRPO follows.
ARMS: dict[str, tuple[str | None, float | None, bool]] = {
    "sft": ("sft", None, False),
    "msl": ("msl-0.7", None, False),
    "ssb": ("ssb", None, False),
    "grpo": (None, None, True),
    "sft1": ("sft", 1.0, False),
    "sft1-grpo": ("sft", 1.0, True),
}
BASELINE = "sft"
COLUMNS = ("arm", "seed", "tokens", "calls_wanted", "no_call_wanted", "heldout", "code", "dead_before", "dead_trained")
DRAWS = 2_000


def arm_of(name: str) -> tuple[str | None, float | None, bool]:
    """The methods of an arm. Raises ParamsError where there is no such arm."""
    if name not in ARMS:
        raise ParamsError(f"the arm is {name!r}; allowed are {', '.join(ARMS)}")
    return ARMS[name]


def write_results(path: Path, points: Iterable[dict]) -> list[dict]:
    """Write one line per point."""
    rows = sorted(points, key=lambda row: (list(ARMS).index(row["arm"]), row["seed"]))
    write_csv(path, COLUMNS, [{name: row[name] for name in COLUMNS} for row in rows])
    return rows


def write_table(path: Path, points: list[dict], base: dict[str, float]) -> None:
    """Write one line per arm: means over its seeds, and the paired difference to BASELINE with a 95 % interval.

    Args:
        path: The file.
        points: Lines of results.csv with `marks`: question → whether the point answers it right.
        base: The figures before training.
    """
    by_arm = {arm: [row for row in points if row["arm"] == arm] for arm in ARMS}
    with atomic(path) as file:
        file.write(
            "| arm | million tokens | exact calls, % | no call (strict), % | all held out, % | against sft | p | "
        )
        file.write("code pass@1, % | dead groups, % | seeds |\n|---|---|---|---|---|---|---|---|---|---|\n")
        start = " | ".join(f"{100 * base[name]:.1f}" for name in ("calls_wanted", "no_call_wanted", "heldout"))
        file.write(f"| before training | 0 | {start} | | | {100 * base['code']:.1f} | | |\n")
        for arm, own in by_arm.items():
            if own:
                file.write(_line(arm, own, by_arm[BASELINE]))
        if by_arm["sft1-grpo"] and by_arm["sft1"]:
            difference, p = _against(by_arm["sft1-grpo"], by_arm["sft1"])
            file.write(f"\nWhat GRPO adds to its start, `sft1-grpo` against `sft1`: {difference}, p {p}\n")


def _line(arm: str, own: list[dict], baseline: list[dict]) -> str:
    cells = [_percent(own, name) for name in ("calls_wanted", "no_call_wanted", "heldout")]
    against = ["", ""] if arm == BASELINE else _against(own, baseline)
    dead = "" if own[0]["dead_trained"] is None else f"{_percent(own, 'dead_before')} → {_percent(own, 'dead_trained')}"
    tokens = mean(row["tokens"] for row in own) / 1e6
    columns = [arm, f"{tokens:.1f}", *cells, *against, _percent(own, "code"), dead, str(len(own))]
    return f"| {' | '.join(columns)} |\n"


def _percent(rows: list[dict], name: str) -> str:
    values = [100 * row[name] for row in rows if row[name] is not None]
    if not values:
        return "–"
    spread = f" ({min(values):.1f} to {max(values):.1f})" if len(values) > 1 and min(values) != max(values) else ""
    return f"{mean(values):.1f}{spread}"


def _against(own: list[dict], baseline: list[dict]) -> list[str]:
    """The difference in points over the seeds that both have, with its interval, and McNemar's p over all of them."""
    pairs = [(old, new) for old in baseline for new in own if old["seed"] == new["seed"]]
    if not pairs:
        return ["–", "–"]
    marks = [[(old["marks"][key], new["marks"][key]) for old, new in pairs] for key in pairs[0][0]["marks"]]
    low, high = clustered_interval([mean(new - old for old, new in question) for question in marks])
    flat = [pair for question in marks for pair in question]
    result = paired_difference([old for old, _ in flat], [new for _, new in flat])
    p = "< 0.001" if result["p"] < 0.001 else f"{result['p']:.3f}"
    return [f"{100 * result['difference']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})", p]


def clustered_interval(differences: Sequence[float], draws: int = DRAWS) -> tuple[float, float]:
    """A 95 % bootstrap interval of a mean over questions.

    Questions are drawn, each with the answers of all seeds: the seeds' answers to one question are not independent.

    Args:
        differences: One per question, the mean over the seeds.
        draws: Resamples.
    """
    source = random.Random(0)
    means = sorted(mean(source.choices(differences, k=len(differences))) for _ in range(draws))
    return means[round(0.025 * draws)], means[round(0.975 * draws) - 1]
