"""The ledger as plain text: the history of a row, the numbers of a round, the difference of two states."""

import difflib
import json
import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from tabulate import tabulate

from funreason.calls.marks import escaped
from funreason.calls.names import NameMap
from funreason.core import paths
from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.ledger.history import read_ledger, row_outcomes
from funreason.ledger.outcomes import POOLS

WIDEST = 120  # columns
MARGIN = 12  # columns, as wide as the longest name of a step needs
SHOWN = 20  # rows of a difference
_COLUMNS = (
    "step",
    "in",
    "pass",
    "fail",
    "undecided",
    "skip",
    "regenerated",
    "not_selected",
    "dropped",
    "hard",
    "attempts",
)
# What a model wrote may hold terminal escapes: shown as text, never obeyed. So may rows hold control tokens of chats,
# which whoever asks a model about a row would paste.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def row_text(row_id: str, name: str) -> str:
    """Everything known about one row.

    Args:
        row_id: The id of the row, also with the round in front, as train.jsonl has it.
        name: The round.

    Raises:
        DataError: No row has this id; the message names the nearest ones.
    """
    steps: dict[str, list[dict]] = {row_id: [], row_id.removeprefix(f"{name}/"): []}
    known: dict[str, None] = {}
    for line in read_ledger(Path(paths.ledger(name))):
        known[line["id"]] = None
        if line["id"] in steps:
            steps[line["id"]].append(line)
    present = next((each for each, lines in steps.items() if lines), None)
    if present is None:
        raise DataError(_unknown(row_id, list(known), name))
    outcome = _outcome_text(row_outcomes(steps[present])[present].to_row())
    pool, pool_row = _pool_row(present, name)
    text = [f"row {present} of round {name}: {outcome}", "", *_question(present, pool_row)]
    for line in steps[present]:
        text += ["", *_step(line)]
    text += ["", *_named("reasoning", pool_row.get("cot")), *_named("answer", pool_row.get("answer"))]
    return _clean("\n".join([*text, *_named("outcome", f"{outcome}, {pool}")]))


def _unknown(row_id: str, known: list[str], name: str) -> str:
    samples = [other for other in known if other.rpartition("#")[0] == row_id]
    near = samples or difflib.get_close_matches(row_id, known, n=5, cutoff=0.5) or known[:3]
    return (
        f"no row {row_id!r} among the {len(known)} of {paths.ledger(name)}; nearest are {', '.join(near) or 'none'}. "
        f"Choose one of them, or another round with --round; {paths.QUARANTINE} holds the rows that were never tasks"
    )


def _pool_row(row_id: str, name: str) -> tuple[str, dict]:
    """In which pool a row is, and the row: its last sample, unless it was dropped before it had one."""
    for pool in POOLS:
        path = Path(paths.pool(name, pool))
        if path.is_file():
            for row in read_jsonl(path):
                if row.get("id") == row_id:
                    return f"in {path}", row
    return "in no pool", {}


def _question(row_id: str, pool_row: dict) -> list[str]:
    """Query, with the conversation around it, and tools: of the row in its pool, else of its task."""
    task = pool_row if "query" in pool_row else _task(row_id)
    if not task:
        return _named("query", "(not in data/tasks.jsonl; `dvc pull prepare` brings that file)")
    tools = ", ".join(str(tool.get("name", tool)) for tool in task.get("tools", []))
    names = ", ".join(NameMap.from_row(task.get("names", {})).lines())
    before, after = (_messages(task.get(name, [])) for name in ("history", "steps"))
    question = [*before, *_named("query", task["query"]), *after, *_named("tools", tools or "(none)")]
    return [*question, *_named("names", names)]


def _messages(messages: list[dict]) -> list[str]:
    """Those of a conversation beside the query."""
    return [line for message in messages for line in _named(message["role"], message["content"] or "(nothing)")]


def _task(row_id: str) -> dict:
    path = Path(paths.TASKS)
    wanted = (row_id, row_id.rpartition("#")[0])
    return next((row for row in read_jsonl(path) if row.get("id") in wanted), {}) if path.is_file() else {}


def _step(line: dict) -> Iterator[str]:
    reason = f"  ({line['reason']})" if line.get("reason") else ""
    yield f"{line['check']:<{MARGIN}}{line.get('verdict')}, {line.get('action')}{reason}"
    for vote in line.get("votes") or []:
        vote = vote if isinstance(vote, dict) else {"judge": "judge", "text": vote}
        value = "" if vote.get("value") is None else f": {vote['value']}"
        yield f"    {vote.get('judge')}{value}"
        yield from _wrapped(vote.get("text") or "(no text)", 8)
    if heuristic := line.get("heuristics"):
        value = {True: "True", False: "False"}.get(heuristic.get("value"), "unclear")
        yield f"    heuristics: {value}{'  (' + heuristic['reason'] + ')' if heuristic.get('reason') else ''}"
        if heuristic.get("evidence"):
            yield from _wrapped(json.dumps(heuristic["evidence"], ensure_ascii=False), 8)
    if line.get("new_answer") is not None:
        yield "    answer, old and new"
        yield from _wrapped(str(line.get("old_answer")), 8)
        yield from _wrapped(f"→ {line['new_answer']}", 8)


def _outcome_text(row: dict[str, str]) -> str:
    """An outcome, from the dict of `Outcome.to_row`."""
    name, reason = row["outcome"], row["reason"]
    if name == "kept":
        return "kept"
    return f"{name} at {row['check']}" + (f" ({reason})" if reason not in ("", name) else "")


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
    return escaped(_CONTROL.sub(lambda match: ascii(match[0])[1:-1], text), written_by_model=True)


def stats_text(stats: dict, name: str) -> str:
    """The numbers of a round as tables. The last column says how often heuristics and judges agreed where both spoke.

    Args:
        stats: The result of `history.stats`.
        name: The round.
    """
    steps = [[*(entry[key] for key in _COLUMNS), _agreement(entry["heuristics"])] for entry in stats["steps"]]
    reasons = [[entry["rows"], entry["step"], entry["reason"]] for entry in stats["reasons"]]
    parts = [
        f"round {name}: {stats['rows']} rows",
        _table(steps, (*_COLUMNS, "heuristics = judge"), left=(0,)),
        _table(stats["outcomes"].items(), ("outcome", "rows"), left=(0,)),
        _table(reasons, ("rows", "step", "commonest reasons"), left=(1, 2)) if reasons else "no reasons",
    ]
    return _clean("\n\n".join(parts))


def _agreement(heuristics: dict) -> str:
    return f"{heuristics['agree']}/{heuristics['both']}" if heuristics["both"] else "-"


def diff_text(diff: dict, a: str, b: str, limit: int | None = SHOWN) -> str:
    """The difference of two states as text: how outcomes moved, the rows, what only one state has.

    Args:
        diff: The result of `history.diff`.
        a: The first state, as the user named it.
        b: The second state.
        limit: How many rows to show; None shows all.
    """
    moves = [[entry["rows"], entry["from"], "->", entry["to"]] for entry in diff["transitions"]]
    rows = [[row["id"], _outcome_text(row["a"]), "->", _outcome_text(row["b"])] for row in diff["changed"][:limit]]
    counts = f"a: {a}, {diff['rows']['a']} rows\nb: {b}, {diff['rows']['b']} rows"
    parts = [f"{counts}\n{len(diff['changed'])} rows with another outcome, {diff['unchanged']} with the same"]
    if moves:
        parts.append(_table(moves, ("rows", "a", "", "b"), left=(1, 2, 3)))
        parts.append(_table(rows, ("id", "a", "", "b"), left=(0, 1, 2, 3)))
    if (hidden := len(diff["changed"]) - len(rows)) > 0:
        parts.append(f"{hidden} more with --all")
    parts += [_only(diff[key], key, limit) for key in ("added", "removed") if diff[key]]
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
