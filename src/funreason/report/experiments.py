"""The DVC experiments of the present commit: what they changed, and what came out of it in one round."""

from collections.abc import Iterator
from typing import Any

from tabulate import tabulate

from funreason.core.errors import DataError
from funreason.core.jsonio import JsonObject
from funreason.core.paths import PARAMS, summary

COLUMNS = ("calls_wanted", "no_call_wanted", "code", "accepted", "hard", "rows", "think_loss", "result_loss")
_PERCENT = ("calls_wanted", "no_call_wanted", "code", "accepted")
_WIDEST = 48  # characters of the changes in the table


def experiments(name: str | None = None) -> list[JsonObject]:
    """The workspace, the last commit and the experiments that started from it.

    Args:
        name: the round whose figures are shown; None is the last one that any of them has.

    Returns:
        [{"experiment", "round", "changes": {parameter: value}, "figures"}]: the changes against the last commit.

    Raises:
        DataError: this is not a DVC project, or none of them has the round.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.scm import SCMError

    try:
        with Repo(".") as repo:
            shown = [state.dumpd() for state in repo.experiments.show()]
    except (DvcException, SCMError) as error:
        raise DataError(f"no DVC experiments can be read here ({error}); run this in a checkout with DVC") from None
    states = list(_states(shown))
    commit = next((_params(data) for label, data in states if label != "workspace"), {})
    rounds = list(dict.fromkeys(name for _, data in states for name in _params(data).get("rounds") or {}))
    having = [each for each in rounds if any(_figures(data, each) for _, data in states)]
    if not having or (name and name not in having):
        raise DataError(f"no {summary(name or '<round>')} here; rounds with figures: {', '.join(having) or 'none'}")
    chosen = name or having[-1]
    return [
        {
            "experiment": label,
            "round": chosen,
            "changes": dict(_changes(commit, _params(data), "")),
            "figures": _figures(data, chosen),
        }
        for label, data in states
    ]


def table(rows: list[JsonObject]) -> str:
    """The experiments as a table of at most 160 characters per line."""
    heads = ["experiment", "changes", *(name.replace("_", " ") for name in COLUMNS)]
    lines = [
        [row["experiment"], _short(row["changes"]), *(_cell(row["figures"], name) for name in COLUMNS)] for row in rows
    ]
    return f"round {rows[0]['round']}\n" + tabulate(lines, heads, "simple", disable_numparse=True, colalign=_ALIGN)


_ALIGN = ("left", "left", *("right" for _ in COLUMNS))


def _states(shown: list[JsonObject]) -> Iterator[tuple[str, JsonObject]]:
    for state in shown:
        yield (
            state.get("name") or (state["rev"] if state["rev"] == "workspace" else state["rev"][:7]),
            state.get("data") or {},
        )
        for experiment in state.get("experiments") or []:
            for revision in (experiment.get("revs") or [])[:1]:
                yield experiment.get("name") or revision["rev"][:7], revision.get("data") or {}


def _params(data: JsonObject) -> JsonObject:
    values: JsonObject = (data.get("params") or {}).get(PARAMS, {}).get("data") or {}
    return values


def _figures(data: JsonObject, name: str) -> JsonObject:
    values: JsonObject = (data.get("metrics") or {}).get(summary(name), {}).get("data") or {}
    return values


def _changes(before: Any, after: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in after.items():
            yield from _changes(before.get(name), value, f"{key}.{name}" if key else str(name))
    elif before != after:
        yield key, after


def _short(changes: JsonObject) -> str:
    text = ", ".join(f"{key}={value}" for key, value in changes.items())
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _cell(figures: JsonObject, name: str) -> str:
    value = figures.get(name)
    if value is None:
        return "-"
    if name not in _PERCENT:
        return f"{value:.4g}"
    ends = f" [{100 * figures['low']:.1f}, {100 * figures['high']:.1f}]" if name == "calls_wanted" else ""
    return f"{100 * value:.1f} %{ends}"
