"""The loss curve and the final figures of a training, from the Trainer's log of every step.

From the log in the checkpoints, not from what this process saw: a resumed training gives the same curve.
"""

import csv
import math
from pathlib import Path

from funreason.records import atomic
from funreason.srml.meter import NAMES
from funreason.srml.segments import LabelReport

POINTS = 200
FINAL_SHARE = 0.1  # single steps are noisy: the final losses are means over the last tenth of them


def write_curve(path: str | Path, history: list[dict]) -> None:
    """Write `step,think,result,total` to `path`, at most POINTS rows, each the mean of the steps up to it."""
    steps = _steps(history)
    size = math.ceil(len(steps) / POINTS)
    with atomic(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["step", *NAMES, "total"])
        for start in range(0, len(steps), size or 1):
            part = steps[start : start + size]
            means = mean_losses(part)
            writer.writerow([part[-1]["step"], *(means.get(name, "") for name in (*NAMES, "total"))])


def summary(history: list[dict], report: LabelReport) -> dict:
    """The content of metrics/<set>/train.json; no times, so that equal trainings give equal files."""
    steps = _steps(history)
    tokens = {"think": report.think_tokens, "result": report.result_tokens}
    return {
        "loss": mean_losses(steps[-math.ceil(FINAL_SHARE * len(steps)) :]),
        "tokens": tokens,
        "think_token_share": _rounded(report.think_tokens / sum(tokens.values())),
        "rows": {
            "given": report.used + sum(report.dropped.values()),
            "used": report.used,
            "without_think": report.no_think,
            "dropped": dict(sorted(report.dropped.items())),
        },
        "steps": len(steps),
    }


def mean_losses(steps: list[dict]) -> dict[str, float]:
    """Means over the steps, so that the total is λ · think + (1 − λ) · result here too.

    A segment's mean is over the steps that had tokens of it, and left out where none had.
    """
    logged = {"think": "loss_think", "result": "loss_result", "total": "loss"}
    values = {name: [step[key] for step in steps if key in step] for name, key in logged.items()}
    return {name: _rounded(sum(found) / len(found)) for name, found in values.items() if found}


def _steps(history: list[dict]) -> list[dict]:
    return [entry for entry in history if "loss" in entry]


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
