"""Holds out tools: no tool of a row that is held out is in a row that is trained on."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

_LIST = "[\n    {"  # how the list of tools begins in a calling prompt
Tools = frozenset[str]


def split_by_tool(rows: list[dict[str, Any]], fraction: float) -> tuple[list[dict], list[dict], list[dict]]:
    """Hold out rows by their tools.

    The tools of one row after the other are held out, those first that the fewest rows share, until the rows that have
    only such tools are as many as wanted. A row that has tools of both kinds can be on neither side.

    Args:
        rows: Training rows.
        fraction: At least which fraction of the rows is held out, 0 to 1, if there are as many.

    Returns:
        The rows to train on, the rows held out, and the rows on neither side, each in their order.
    """
    of_rows = [row_tools(row["prompt"]) for row in rows]
    held = _held_tools(Counter(filter(None, of_rows)), fraction * len(rows))
    sides: tuple[list[dict], list[dict], list[dict]] = [], [], []
    for row, tools in zip(rows, of_rows, strict=True):
        sides[0 if not tools & held else 1 if tools <= held else 2].append(row)
    return sides


def row_tools(prompt: str | list[dict[str, Any]]) -> Tools:
    """The names of the tools that a prompt lists; none where it lists no tools."""
    text = prompt if isinstance(prompt, str) else next((m["content"] for m in prompt if m["role"] == "system"), "")
    at = text.find(_LIST)
    return frozenset(tool["name"] for tool in json.JSONDecoder().raw_decode(text, at)[0]) if at >= 0 else frozenset()


def _held_tools(rows: Counter[Tools], wanted: float) -> Tools:
    """The tools to hold out, so that of `rows` (tools → rows that have them) as many as wanted have no others."""
    sets_of: dict[str, list[Tools]] = defaultdict(list)
    for tools in rows:
        for tool in tools:
            sets_of[tool].append(tools)

    def rows_with(tools: Tools) -> int:
        """Rows that have one of the tools."""
        return sum(rows[other] for other in {other for tool in tools for other in sets_of[tool]})

    held: set[str] = set()
    count = 0
    for tools in sorted(rows, key=_order(rows_with)):
        if count >= wanted:
            break
        new = tools - held
        held |= tools
        touched = {other for tool in new for other in sets_of[tool]}
        count += sum(rows[other] for other in touched if other <= held)
    return frozenset(held)


def _order(rows_with: Callable[[Tools], int]) -> Callable[[Tools], tuple[int, str]]:
    """The fewest rows first; among equally many by a hash, which does not depend on the order of the rows."""
    return lambda tools: (rows_with(tools), _hash(tools))


def _hash(tools: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(sorted(tools)).encode()).hexdigest()
