"""The papers' ablation on the toy world: how the weight of the reasoning affects calls and code retention.

FunReason (arXiv 2505.20192), figure 4a (accuracy against α) and table 5 (HumanEval and MBPP after training). A point is
one setting of the loss and one seed; everything else is as in params.yaml.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from statistics import mean, stdev

from pydantic import ValidationError

from funreason.config import LossParams
from funreason.config.messages import describe
from funreason.core.errors import ParamsError
from funreason.core.jsonio import atomic, write_csv

SSB_START = 0.7  # BalanceSFT's
# Fractions. `calls_wanted` is over the questions that need a call, `no_call_wanted` the strict one over those that no
# tool fits, `heldout`, `known` and `new` are over both kinds.
FIGURES = ("calls_wanted", "no_call_wanted", "heldout", "known", "new", "code")
COLUMNS = ("setting", "kind", "lambda", "seed", *FIGURES, "loss_think", "loss_result")


def loss_of(setting: str, loss: LossParams) -> LossParams:
    """The loss of a setting: `sft`, `ssb`, or `msl-<λ>`; other parameters are as in `loss`. Raises ParamsError."""
    match = re.fullmatch(r"sft|ssb|msl-(0\.\d+)", setting)
    if not match:
        raise ParamsError(f"the setting is {setting!r}; allowed are sft, ssb, or msl-0.1 for λ = 0.1")
    weight = float(match[1]) if match[1] else SSB_START if setting == "ssb" else loss.lambda_
    values = loss.model_dump(by_alias=True) | {"kind": setting[:3], "lambda": weight}
    try:
        return LossParams.model_validate(values)
    except ValidationError as error:
        raise ParamsError(f"{setting}: {describe(error, LossParams)}; correct `loss` in params.yaml") from None


def weight_of(setting: str, trained: dict) -> float:
    """λ: set, learned (its last value), or implied by `sft`: the reasoning's fraction of the trained tokens."""
    kind, _, weight = setting.partition("-")
    return float(weight) if kind == "msl" else trained["weight"] if kind == "ssb" else trained["think_token_fraction"]


def row_of(setting: str, seed: int, trained: dict, scores: dict) -> dict:
    """A line of results.csv. `trained`: metrics of the training; `scores`: FIGURES of the trained model."""
    heldout = trained["heldout"] or {}
    losses = {f"loss_{name}": heldout.get(name) for name in ("think", "result")}
    head = {"setting": setting, "kind": setting.partition("-")[0], "lambda": weight_of(setting, trained), "seed": seed}
    return head | {name: scores.get(name) for name in FIGURES} | losses


def write_results(path: Path, rows: Iterable[dict]) -> list[dict]:
    """Write one line per point, sorted by λ: the mean over a setting's seeds, so that the plot aligns them."""
    rows = list(rows)
    weights = {
        row["setting"]: [other["lambda"] for other in rows if other["setting"] == row["setting"]] for row in rows
    }
    rows = [row | {"lambda": round(mean(weights[row["setting"]]), 4)} for row in rows]
    rows.sort(key=lambda row: (row["lambda"], row["setting"], row["seed"]))
    write_csv(path, COLUMNS, rows)
    return rows


def write_table(path: Path, rows: list[dict], base: dict) -> None:
    """Write one line per setting: mean ± standard deviation over its seeds, in %. `base`: FIGURES before training."""
    with atomic(path) as file:
        columns = "calls wanted | no call wanted (strict) | both | known tools | held-out tools | code pass@1"
        file.write(f"| setting | λ | {columns} | seeds |\n")
        file.write("|---|---|---|---|---|---|---|---|---|\n")
        file.write(f"| before training | | {' | '.join(spread([base[name]]) for name in FIGURES)} | |\n")
        for setting in dict.fromkeys(row["setting"] for row in rows):
            own = [row for row in rows if row["setting"] == setting]
            cells = [spread([row[name] for row in own]) for name in FIGURES]
            file.write(f"| {setting} | {own[0]['lambda']:.2f} | {' | '.join(cells)} | {len(own)} |\n")


def spread(fractions: list[float | None]) -> str:
    """Fractions as percent: mean and standard deviation; – where points from before that split have none."""
    values = [100 * fraction for fraction in fractions if fraction is not None]
    if not values:
        return "–"
    return f"{mean(values):.1f} ± {stdev(values):.1f}" if len(values) > 1 else f"{values[0]:.1f}"
