"""The ledger for a person: the story of one row, the numbers of a set, the difference of two states, as plain text."""

import difflib
import json
import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from tabulate import tabulate

from funreason.core import paths
from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.ledger.history import End, ends, read_ledger
from funreason.ledger.pools import POOLS

WIDEST = 120  # columns
MARGIN = 12  # columns, as wide as the longest name of a step needs
SHOWN = 20  # rows of a difference
_COLUMNS = ("step", "in", "pass", "fail", "undecided", "skip", "regenerated", "spare", "dropped", "hard", "asks")
# What a model wrote may hold terminal escapes: shown as text, never obeyed.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def story(row_id: str, name: str) -> str:
    """Everything known about one row of set `name`. Raises DataError naming the nearest ids for an unknown one."""
    steps: dict[str, list[dict]] = {row_id: [], row_id.removeprefix(f"{name}/"): []}  # as train.jsonl writes it
    known: dict[str, None] = {}
    for row in read_ledger(Path(paths.ledger(name))):
        known[row["id"]] = None
        if row["id"] in steps:
            steps[row["id"]].append(row)
    chosen = next((written for written, found in steps.items() if found), None)
    if chosen is None:
        raise DataError(_unknown(row_id, list(known), name))
    ending, (pool, pooled) = _ending(ends(steps[chosen])[chosen]), _pooled(chosen, name)
    lines = [f"row {chosen} of set {name}: {ending}", "", *_question(chosen, pooled)]
    for row in steps[chosen]:
        lines += ["", *_step(row)]
    lines += ["", *_named("reasoning", pooled.get("cot")), *_named("answer", pooled.get("answer"))]
    return _clean("\n".join([*lines, *_named("fate", f"{ending}, {pool}")]))


def _unknown(row_id: str, known: list[str], name: str) -> str:
    samples = [other for other in known if other.rpartition("#")[0] == row_id]
    near = samples or difflib.get_close_matches(row_id, known, n=5, cutoff=0.5) or known[:3]
    return (
        f"no row {row_id!r} among the {len(known)} of {paths.ledger(name)}; nearest are {', '.join(near) or 'none'}. "
        f"Choose one of them, or another set with --set; {paths.QUARANTINE} holds the rows that were never tasks"
    )


def _pooled(row_id: str, name: str) -> tuple[str, dict]:
    """In which pool a row is, and the row: its last sample, unless it was dropped before it had one."""
    for pool in POOLS:
        path = Path(paths.pool(name, pool))
        if path.is_file():
            for row in read_jsonl(path):
                if row.get("id") == row_id:
                    return f"in {path}", row
    return "in no pool", {}


def _question(row_id: str, pooled: dict) -> list[str]:
    """Query, with the conversation around it, and tools: of the pooled sample, else of the task it was to become."""
    task = pooled if "query" in pooled else _task(row_id)
    if not task:
        return _named("query", "(not in data/tasks.jsonl; `dvc pull prepare` brings that file)")
    tools = ", ".join(str(tool.get("name", tool)) for tool in task.get("tools", []))
    before, after = (_messages(task.get(name, [])) for name in ("history", "steps"))
    return [*before, *_named("query", task["query"]), *after, *_named("tools", tools or "(none)")]


def _messages(messages: list[dict]) -> list[str]:
    """Those of a conversation beside the query."""
    return [line for message in messages for line in _named(message["role"], message["content"] or "(nothing)")]


def _task(row_id: str) -> dict:
    path = Path(paths.TASKS)
    wanted = (row_id, row_id.rpartition("#")[0])
    return next((row for row in read_jsonl(path) if row.get("id") in wanted), {}) if path.is_file() else {}


def _step(row: dict) -> Iterator[str]:
    reason = f"  ({row['reason']})" if row.get("reason") else ""
    yield f"{row['check']:<{MARGIN}}{row.get('verdict')}, {row.get('action')}{reason}"
    for vote in row.get("votes") or []:
        vote = vote if isinstance(vote, dict) else {"judge": "judge", "text": vote}
        value = "" if vote.get("value") is None else f": {vote['value']}"
        yield f"    {vote.get('judge')}{value}"
        yield from _wrapped(vote.get("text") or "(no text)", 8)
    if rules := row.get("rules"):
        said = {True: "True", False: "False"}.get(rules.get("value"), "unclear")
        yield f"    rules: {said}{'  (' + rules['reason'] + ')' if rules.get('reason') else ''}"
        if rules.get("evidence"):
            yield from _wrapped(json.dumps(rules["evidence"], ensure_ascii=False), 8)
    if row.get("new_answer") is not None:
        yield "    answer, old and new"
        yield from _wrapped(str(row.get("old_answer")), 8)
        yield from _wrapped(f"→ {row['new_answer']}", 8)


def _ending(end: End) -> str:
    if end.fate == "kept":
        return "kept"
    return f"{end.fate} at {end.check}" + (f" ({end.reason})" if end.reason not in ("", end.fate) else "")


def _named(name: str, text: str | None) -> list[str]:
    """`name` in the margin, the text beside it; nothing for no text."""
    if not text:
        return []
    first, *others = _wrapped(text, MARGIN)
    return [f"{name:<{MARGIN}}{first.strip()}", *others]


def _wrapped(text: str, indent: int) -> list[str]:
    """The lines of a text, each broken at the terminal's width; empty lines stay."""
    width = max(40, min(WIDEST, shutil.get_terminal_size((100, 24)).columns))
    wrapper = textwrap.TextWrapper(width, initial_indent=" " * indent, subsequent_indent=" " * indent)
    return [line for part in text.splitlines() for line in wrapper.wrap(part) or [""]] or [""]


def _clean(text: str) -> str:
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)


def stats_text(found: dict, name: str) -> str:
    """`ledger.stats` as tables. The last column says how often rules and judges agreed where both spoke."""
    rows = [[*(entry[key] for key in _COLUMNS), _agreed(entry["rules"])] for entry in found["steps"]]
    reasons = [[entry["rows"], entry["step"], entry["reason"]] for entry in found["reasons"]]
    parts = [
        f"set {name}: {found['rows']} rows",
        _table(rows, (*_COLUMNS, "rules = judge"), left=(0,)),
        _table(found["fates"].items(), ("fate", "rows"), left=(0,)),
        _table(reasons, ("rows", "step", "commonest reasons"), left=(1, 2)) if reasons else "no reasons",
    ]
    return _clean("\n\n".join(parts))


def _agreed(rules: dict) -> str:
    return f"{rules['agree']}/{rules['both']}" if rules["both"] else "-"


def diff_text(found: dict, a: str, b: str, limit: int | None = SHOWN) -> str:
    """`ledger.diff` as text: the fates that moved, the first `limit` rows (None: all), what only one state has."""
    moves = [[entry["rows"], entry["from"], "->", entry["to"]] for entry in found["transitions"]]
    rows = [[row["id"], _ending(End(**row["a"])), "->", _ending(End(**row["b"]))] for row in found["changed"][:limit]]
    counts = f"a: {a}, {found['rows']['a']} rows\nb: {b}, {found['rows']['b']} rows"
    parts = [f"{counts}\n{len(found['changed'])} changed their fate, {found['unchanged']} kept it"]
    if moves:
        parts.append(_table(moves, ("rows", "a", "", "b"), left=(1, 2, 3)))
        parts.append(_table(rows, ("id", "a", "", "b"), left=(0, 1, 2, 3)))
    if (hidden := len(found["changed"]) - len(rows)) > 0:
        parts.append(f"{hidden} more with --all")
    parts += [_only(found[key], key, limit) for key in ("added", "removed") if found[key]]
    return _clean("\n\n".join(parts))


def _only(names: list[str], key: str, limit: int | None) -> str:
    """The rows of one side, as a paragraph."""
    shown = names if limit is None else names[:limit]
    more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
    side = {"added": "only in b", "removed": "only in a"}[key]
    return textwrap.fill(f"{key} ({side}, {len(names)}): {', '.join(shown)}{more}", WIDEST)


def _table(rows: Iterable[Iterable], headers: Iterable[str], left: tuple[int, ...]) -> str:
    """Aligned columns; ids such as 1e5 stay texts."""
    headers = tuple(headers)
    align = ["left" if at in left else "right" for at in range(len(headers))]
    return tabulate([list(row) for row in rows], headers, "simple", colalign=align, disable_numparse=True)
