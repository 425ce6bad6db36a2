"""The loss curves and the final figures of a training, from the Trainer's log of every step.

From the log in the checkpoints, not from what this process saw: a resumed training gives the same curve.
"""

import math
from pathlib import Path

from funreason.core.jsonio import write_csv
from funreason.srml.segments import NAMES, LabelReport

POINTS = 200
FINAL_FRACTION = 0.1  # single steps are noisy: the final losses are means over the last tenth of them
LOSSES = {"think": "loss_think", "result": "loss_result", "total": "loss"}  # column → name in the log
CURVE = LOSSES | {
    "weight": "weight_think",
    "grad_fraction": "grad_fraction_think",
    "think_tokens": "think_tokens",
    "result_tokens": "result_tokens",
}


def write_curve(path: str | Path, history: list[dict]) -> None:
    """Write `step` and the columns of CURVE, at most POINTS lines, each the mean of the steps since the line before.

    `think`, `result`, `total`: losses in nats per token; `weight`: λ or α; `grad_fraction`: the reasoning's fraction of
    the sum of the segments' gradient norms; `…_tokens`: tokens per step. No speeds: they differ from run to run.

    Args:
        path: The CSV file.
        history: The Trainer's log.
    """
    steps = _steps(history)
    size = math.ceil(len(steps) / POINTS) or 1
    parts = [steps[start : start + size] for start in range(0, len(steps), size)]
    write_csv(path, ("step", *CURVE), ({"step": part[-1]["step"]} | means(part, CURVE) for part in parts))


def write_heldout(path: str | Path, history: list[dict]) -> None:
    """Write `epoch,think,result,total`: the exact losses of the rows held out; no line where none are.

    Args:
        path: The CSV file.
        history: The Trainer's log.
    """
    write_csv(path, ("epoch", *LOSSES), heldout_losses(history))


def heldout_losses(history: list[dict]) -> list[dict]:
    """One entry per evaluation, as in `write_heldout`."""
    columns = {name: f"eval_{key}" for name, key in LOSSES.items()}
    evaluations = [entry for entry in history if "eval_loss" in entry]
    return [{"epoch": _rounded(entry["epoch"])} | means([entry], columns) for entry in evaluations]


def summary(history: list[dict], report: LabelReport, heldout: LabelReport) -> dict:
    """The content of metrics/<round>/train.json; no times, so that equal trainings give equal files.

    Args:
        history: The Trainer's log.
        report: Counts of the rows trained on.
        heldout: Counts of the rows held out.
    """
    steps, both = _steps(history), report + heldout
    tokens = {name: report.tokens[name] for name in NAMES}
    last = steps[-math.ceil(FINAL_FRACTION * len(steps)) :]
    measured = heldout_losses(history)
    return {
        "loss": means(last, LOSSES),
        "heldout": {name: measured[-1][name] for name in LOSSES if name in measured[-1]} if measured else None,
        "weight": means(last[-1:], CURVE).get("weight"),
        "grad_fraction": means(last, CURVE).get("grad_fraction"),
        "tokens": tokens,
        "think_token_fraction": _rounded(tokens["think"] / sum(tokens.values())),
        "rows": {
            "given": both.used + sum(both.dropped.values()),
            "used": report.used,
            "heldout": heldout.used,
            "without_think": report.without["think"],
            "with_control_tokens": both.protected,
            "dropped": dict(sorted(both.dropped.items())),
        },
        "steps": len(steps),
    }


def means(steps: list[dict], columns: dict[str, str]) -> dict[str, float]:
    """Means over steps, so that the total is λ · think + (1 − λ) · result here too.

    Args:
        steps: Entries of the Trainer's log.
        columns: Column → name in the log.

    Returns:
        Column → mean over the steps that have a value; a column without any is left out.
    """
    values = {name: [step[key] for step in steps if key in step] for name, key in columns.items()}
    return {name: _rounded(sum(numbers) / len(numbers)) for name, numbers in values.items() if numbers}


def _steps(history: list[dict]) -> list[dict]:
    return [entry for entry in history if "loss" in entry]


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
