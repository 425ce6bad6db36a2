"""The rounds side by side, in the order of the chain: accuracy, code, accepted queries, reasoning, hard pool."""

from collections.abc import Mapping
from pathlib import Path

from tabulate import tabulate

from funreason.config import RoundParams
from funreason.core import paths
from funreason.core.jsonio import read_details
from funreason.report.gate import calls_apart

COLUMNS = ("round", "name", "recipe", "calls_wanted", "low", "high", "no_call_wanted", "code", "accepted",
           "reasoning_chars", "hard", "rows")  # fmt: skip
_PERCENT = ("calls_wanted", "no_call_wanted", "code", "accepted")
_HEADERS = {"calls_wanted": "calls wanted", "no_call_wanted": "no call wanted (strict)",
            "accepted": "accepted queries", "hard": "hard pool",
            "reasoning_chars": "mean reasoning (characters)", "rows": "rows trained on"}  # fmt: skip


def round_rows(rounds: Mapping[str, RoundParams], measure: str) -> list[dict]:
    """One row per round that was measured, the untrained model first.

    Args:
        rounds: the parameters of each round by its name, in the order of the chain.
        measure: toy or bfcl, as gate.measure.

    Returns:
        Rows of COLUMNS; fractions are 0 to 1. `calls_wanted` is the accuracy on questions that need a call, with its
        interval `low` to `high`, `no_call_wanted` the strict one on those that no tool fits (see `calls_apart`), `code`
        is pass@1 on the first of evaluate.code.benchmarks, `accepted` the fraction of the round's queries with an
        accepted sample, `hard` how many queries it leaves to HDR, `rows` how many its model was trained on.

    Raises:
        DataError: where a file of a measured round is missing.
    """
    rows = [{"round": 0, "name": "base", "recipe": "", **figures("base", measure)}]
    for number, (name, round_params) in enumerate(rounds.items(), 1):
        if not Path(paths.accuracy(name, "bfcl")).exists():
            break  # the chain ended here, or has not run so far
        row = {"round": number, "name": name, "recipe": round_params.recipe}
        rows.append(row | figures(name, measure))
    return [{column: row.get(column, "") for column in COLUMNS} for row in rows]


def figures(name: str, measure: str) -> dict:
    """The figures of a round, its metrics/<round>/summary.json.

    Args:
        name: of the round, or base for the untrained model.
        measure: toy or bfcl, as gate.measure.

    Returns:
        Those of `round_rows` and, of a trained round, `think_loss` and `result_loss`: the held-out losses after
        the last epoch, in nats per token. A figure that was not measured is left out.

    Raises:
        DataError: where a file of the round is missing.
    """
    made = {} if name == "base" else _data(name)
    return {key: value for key, value in (_skill(name, measure) | made).items() if value not in ("", None)}


def table(rows: list[dict]) -> str:
    """The rows as a table for people, with percentages."""
    columns = [column for column in COLUMNS if column not in ("low", "high")]
    cells = [[_cell(column, row) for column in columns] for row in rows]
    headers = [_HEADERS.get(column, column) for column in columns]
    return tabulate(cells, headers, "github", disable_numparse=True) + "\n"


def _skill(name: str, measure: str) -> dict:
    sides, path = calls_apart(name, measure), Path(paths.accuracy(name, "code"))
    code = read_details(path) if path.exists() else {}  # where the chain ended, code may not have been measured
    first = next((part["pass@1"] for part in code.values() if isinstance(part, dict) and "pass@1" in part), "")
    interval = {end: sides["calls_wanted"][end] for end in ("low", "high")}
    return {side: part["accuracy"] for side, part in sides.items()} | interval | {"code": first}


def _data(name: str) -> dict:
    validated, trained = read_details(paths.step_metrics(name, "validate")), read_details(paths.train_metrics(name))
    queries = validated["queries"]
    return {
        "accepted": round(queries["solved"] / queries["in"], 4),
        "reasoning_chars": validated["reasoning_chars"]["mean"],
        "hard": queries["hard"],
        "rows": trained["rows"]["used"],
        **{f"{segment}_loss": (trained.get("heldout") or {}).get(segment) for segment in ("think", "result")},
    }


def _cell(column: str, row: dict) -> str:
    value = row[column]
    if value == "" or column not in _PERCENT:
        return str(value)
    interval = f" ({100 * row['low']:.1f}–{100 * row['high']:.1f})" if column == "calls_wanted" else ""
    return f"{100 * value:.1f} %{interval}"
