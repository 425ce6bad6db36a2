"""Two states of the project side by side: parameters, answers in pairs, rows with another outcome."""

from collections.abc import Iterator
from typing import Any

from funreason.core import paths
from funreason.core.errors import DataError
from funreason.core.jsonio import JsonObject
from funreason.ledger.history import diff, row_outcomes
from funreason.report.page.answers import answers, pairs
from funreason.report.page.collect import params_of
from funreason.report.page.sources import Source, json_of, lines_of


def compare_states(a: Source, b: Source) -> JsonObject:
    """What differs between two states.

    Args:
        a: the first state.
        b: the second one.

    Returns:
        {"a", "b": names, "params": [[key, value in a, value in b]], "figures": [[round, figure, value
        in a, value in b]] of those that differ, "pairs": [{"model", "suites": see `pairs`}],
        "rounds": [{"name"} and what `ledger.history.diff` gives, with numbers of added and removed rows]}.

    Raises:
        DataError: the states have no round in common.
    """
    before, after = params_of(a), params_of(b)
    rounds = [name for name in after.get("rounds") or {} if name in (before.get("rounds") or {})]
    if not rounds:
        raise DataError(f"{a.name} and {b.name} have no round in common; name two states of the same project")
    return {
        "a": a.name,
        "b": b.name,
        "params": [list(change) for change in _changes(before, after, "")],
        "figures": [
            [name, *change]
            for name in ("base", *rounds)
            for change in _changes(json_of(a, paths.summary(name)), json_of(b, paths.summary(name)), "")
        ],
        "pairs": [{"model": name, "suites": pairs(answers(a, name), answers(b, name))} for name in ("base", *rounds)],
        "rounds": [_round(a, b, name) for name in rounds],
    }


def _round(a: Source, b: Source, name: str) -> JsonObject:
    changes = diff(*(row_outcomes(lines_of(side, paths.ledger(name))) for side in (a, b)))
    counts = {key: len(changes[key]) for key in ("added", "removed")}
    return {"name": name} | changes | counts


def _changes(before: Any, after: Any, key: str) -> Iterator[tuple[str, Any, Any]]:
    """The leaves that differ; a key that only one state has is null in the other."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            yield from _changes(before.get(name), after.get(name), f"{key}.{name}" if key else str(name))
    elif before != after:
        yield key, before, after
