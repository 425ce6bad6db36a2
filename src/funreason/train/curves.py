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
EXACT = {"exact_calls": "eval_exact_calls", "exact_no_call": "eval_exact_no_call"}
HELDOUT = {name: f"eval_{key}" for name, key in LOSSES.items()} | EXACT
CURVE = LOSSES | {
    "weight": "weight_think",
    "grad_fraction": "grad_fraction_think",
    "think_tokens": "think_tokens",
    "result_tokens": "result_tokens",
    "learning_rate": "learning_rate",
}


def write_curve(path: str | Path, history: list[dict], columns: dict[str, str] = CURVE) -> None:
    """Write `step` and the columns, at most POINTS lines, each the mean of the steps since the line before.

    `think`, `result`, `total`: losses in nats per token; `weight`: λ or α; `grad_fraction`: the reasoning's fraction of
    the sum of the segments' gradient norms; `…_tokens`: tokens per step; `learning_rate`. No speeds: they differ from
    run to run.

    Args:
        path: The CSV file.
        history: The Trainer's log.
        columns: Column → name in the log.
    """
    steps = _steps(history)
    size = math.ceil(len(steps) / POINTS) or 1
    parts = [steps[start : start + size] for start in range(0, len(steps), size)]
    write_csv(path, ("step", *columns), ({"step": part[-1]["step"]} | means(part, columns) for part in parts))


def write_heldout(path: str | Path, history: list[dict]) -> None:
    """Write `epoch` and the columns of HELDOUT, one line per epoch; no line where no row is held out.

    `think`, `result`, `total`: the exact losses of the rows held out; `exact_calls`, `exact_no_call`: fractions of the
    answers that have exactly their row's own calls, and that refuse where no call is right (see `ExactCalls`).

    Args:
        path: The CSV file.
        history: The Trainer's log.
    """
    write_csv(path, ("epoch", *HELDOUT), map(_heldout_line, evaluations(history)))


def evaluations(history: list[dict]) -> list[dict]:
    """What the log has of each evaluation, in one entry."""
    by_step: dict[int, dict] = {}
    for entry in history:
        if any(name.startswith("eval_") for name in entry):
            by_step.setdefault(entry["step"], {}).update(entry)
    return list(by_step.values())


def summary(history: list[dict], report: LabelReport, heldout: LabelReport, kept: int | None = None) -> dict:
    """The content of metrics/<round>/train.json; no times, so that equal trainings give equal files.

    Args:
        history: The Trainer's log.
        report: Counts of the rows trained on.
        heldout: Counts of the rows held out.
        kept: The step whose weights are kept; None for the last.
    """
    steps, both = _steps(history), report + heldout
    tokens = {name: report.tokens[name] for name in NAMES}
    last = steps[-math.ceil(FINAL_FRACTION * len(steps)) :]
    measured = [entry for entry in evaluations(history) if kept in (None, entry["step"])]
    line = _heldout_line(measured[-1]) if measured else {}
    return {
        "loss": means(last, LOSSES),
        "heldout": {name: line[name] for name in LOSSES if name in line} or None,
        "exact": exact_figures(measured[-1]) if measured else None,
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


def _heldout_line(entry: dict) -> dict:
    return {"epoch": _rounded(entry["epoch"])} | means([entry], HELDOUT)


def exact_figures(entry: dict) -> dict | None:
    """The exact answers of the epoch whose weights are kept; None where `train.eval_rows` is 0."""
    if "eval_call_rows" not in entry:
        return None
    counts = {name: entry[f"eval_{name}"] for name in ("call_rows", "no_call_rows", "cut_answers")}
    return {"epoch": _rounded(entry["epoch"])} | means([entry], EXACT) | counts


def _steps(history: list[dict]) -> list[dict]:
    return [entry for entry in history if "loss" in entry]


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
