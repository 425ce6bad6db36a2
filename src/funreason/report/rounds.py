"""The rounds side by side, in the order of the chain: accuracy, kept code, accepted queries, reasoning, hard pool."""

from collections.abc import Mapping
from pathlib import Path

from tabulate import tabulate

from funreason.config import RoundParams
from funreason.core import paths
from funreason.core.jsonio import read_json
from funreason.report.gate import accuracy

COLUMNS = ("round", "name", "recipe", "accuracy", "low", "high", "code", "accepted", "reasoning_chars", "hard", "rows")
_HEADERS = {"accepted": "accepted queries", "reasoning_chars": "mean reasoning (characters)", "hard": "hard pool",
            "rows": "rows trained on"}  # fmt: skip


def round_rows(rounds: Mapping[str, RoundParams], measure: str) -> list[dict]:
    """One row of COLUMNS per round that was measured, the untrained model first. Shares are 0 to 1. Raises DataError.

    `code` is pass@1 on the first of evaluate.code.benchmarks, `accepted` the fraction of the round's queries with an
    accepted sample, `hard` how many queries it leaves to HDR, `rows` what its model was trained on.
    """
    rows = [{"round": 0, "name": "base", "recipe": "", **_skill("base", measure)}]
    for number, (name, chosen) in enumerate(rounds.items(), 1):
        if not Path(paths.accuracy(name, "bfcl")).exists():
            break  # the chain ended here, or has not come so far
        made = {"round": number, "name": name, "recipe": chosen.recipe}
        rows.append(made | _skill(name, measure) | _data(name))
    return [{column: row.get(column, "") for column in COLUMNS} for row in rows]


def table(rows: list[dict]) -> str:
    """The same for people: shares in per cent."""
    shown = [[_shown(column, row) for column in COLUMNS if column not in ("low", "high")] for row in rows]
    headers = [_HEADERS.get(column, column) for column in COLUMNS if column not in ("low", "high")]
    return tabulate(shown, headers, "github", disable_numparse=True) + "\n"


def _skill(name: str, measure: str) -> dict:
    calls, path = accuracy(name, measure), Path(paths.accuracy(name, "code"))
    code = read_json(path) if path.exists() else {}  # where the chain ended, it may not have been measured any more
    first = next((rate["pass@1"] for rate in code.values() if isinstance(rate, dict) and "pass@1" in rate), "")
    return {key: calls[key] for key in ("accuracy", "low", "high")} | {"code": first}


def _data(name: str) -> dict:
    made, trained = read_json(paths.step_metrics(name, "validate")), read_json(paths.train_metrics(name))
    queries = made["queries"]
    return {
        "accepted": round(queries["solved"] / queries["in"], 4),
        "reasoning_chars": made["reasoning_chars"]["mean"],
        "hard": queries["hard"],
        "rows": trained["rows"]["used"],
    }


def _shown(column: str, row: dict) -> str:
    value = row[column]
    if value == "" or column not in ("accuracy", "code", "accepted"):
        return str(value)
    interval = f" ({100 * row['low']:.1f}–{100 * row['high']:.1f})" if column == "accuracy" else ""
    return f"{100 * value:.1f} %{interval}"
