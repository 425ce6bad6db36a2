"""The rows of a round as the page shows them: query, tools, checks with their evidence, answers, outcome."""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from funreason.core import paths
from funreason.core.jsonio import JsonObject
from funreason.ledger.history import judges_value, row_outcomes
from funreason.ledger.outcomes import Outcome
from funreason.ledger.planted import OF_THE_QUERY
from funreason.report.page.sources import Source, lines_of

LIMIT = 10_000  # rows of a round; above it a page holds a sample of the ordinary ones
LONGEST = 4_000  # characters of a judge's text, of a reasoning, of a message
SMALLEST_STRATUM = 20
_STEP_FIELDS = ("check", "verdict", "action", "reason", "votes", "heuristics", "old_answer", "new_answer")


def cut(text: str | None) -> str:
    """A text as the page holds it: the start of a very long one, with the number of characters that are left out."""
    text = text or ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text) - LONGEST} more characters)"


def round_rows(files: Source, name: str, labels: str, limit: int | None = LIMIT) -> JsonObject:
    """The rows of a round.

    Args:
        files: the state of the project.
        name: the round.
        labels: the file of planted defects, as validate.labels.
        limit: the number of rows above which ordinary rows are sampled; None for never.

    Returns:
        {"total", "rows", "tasks", "tools", "by_tool"}: the number of all rows; the rows shown, each with the id of its
        task and its steps; {id: task} with places in `tools`; {tool: [rows that call it, those that were removed]} over
        all rows.
    """
    ledger = f"{paths.data_folder(name)}/{paths.LEDGER}"
    special: set[str] = set()
    outcomes = row_outcomes(_noting(lines_of(files, ledger), special))
    shown = chosen(outcomes, special, limit)
    samples = {row["id"]: row for row in lines_of(files, paths.step_rows(name, "generate"))}
    steps: dict[str, list[JsonObject]] = defaultdict(list)
    for line in lines_of(files, ledger):
        if line["id"] in shown:
            steps[line["id"]].append(_step(line))
    tasks, tools = _tasks(files, {_task_id(row) for row in outcomes}, samples)
    defects = {row["id"]: row["defect"] for row in lines_of(files, labels) if row.get("defect")}
    called = {row: _called(samples.get(row), tasks.get(_task_id(row)), tools) for row in outcomes}
    rows = [
        _row(row, outcomes[row], _task_id(row), steps[row], samples.get(row), called[row], defects)
        for row in outcomes
        if row in shown
    ]
    wanted = {row["task"] for row in rows}
    kept = {task: entry for task, entry in tasks.items() if task in wanted}
    return {"total": len(outcomes), "rows": rows, "tasks": kept, "tools": tools, "by_tool": _by_tool(outcomes, called)}


def chosen(outcomes: dict[str, Outcome], special: set[str], limit: int | None) -> set[str]:
    """The ids of the rows to show: all, or above `limit` every special one and a sample of each stratum.

    A stratum is the rows that ended alike; the sample is drawn by a hash of the id, so that it is the same in every run
    and mostly the same in two states.

    Args:
        outcomes: the outcome of every row, by its id.
        special: rows that were changed or left undecided.
        limit: the most rows that are all shown; None for all.
    """
    if limit is None or len(outcomes) <= limit:
        return set(outcomes)
    always = {row for row, outcome in outcomes.items() if outcome.name in ("hard", "regenerated") or row in special}
    strata: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row, outcome in outcomes.items():
        if row not in always:
            strata[outcome.name, outcome.check].append(row)
    ordinary, room = len(outcomes) - len(always), max(limit - len(always), 0)
    drawn = set(always)
    for rows in strata.values():
        size = max(SMALLEST_STRATUM, room * len(rows) // ordinary)
        drawn.update(sorted(rows, key=lambda row: hashlib.sha256(row.encode()).digest())[:size])
    return drawn


def _noting(lines: Iterable[JsonObject], special: set[str]) -> Iterable[JsonObject]:
    """Pass the lines of a ledger on, and note the rows that were changed or left undecided."""
    for line in lines:
        if line.get("verdict") == "undecided" or line.get("action") == "regenerate":
            special.add(line["id"])
        yield line


def _task_id(row: str) -> str:
    """The task of a row: its own id, less the number of the sample where a task has several."""
    base, mark, number = row.rpartition("#")
    return base if mark and number.isdigit() else row


def _tasks(
    files: Source, wanted: set[str], samples: dict[str, JsonObject]
) -> tuple[dict[str, JsonObject], list[JsonObject]]:
    tools: list[JsonObject] = []
    places: dict[str, int] = {}
    tasks: dict[str, JsonObject] = {}

    def add(name: str, row: JsonObject) -> None:
        entry: JsonObject = {"query": cut(row.get("query")), "tools": []}
        for tool in row.get("tools") or []:
            key = json.dumps(tool, sort_keys=True)
            if key not in places:
                places[key] = len(tools)
                tools.append(tool)
            entry["tools"].append(places[key])
        for part in ("history", "steps"):
            if row.get(part):
                entry[part] = [[message.get("role"), cut(message.get("content"))] for message in row[part]]
        if row.get("answers"):
            entry["reference"] = row["answers"]
        tasks[name] = entry

    for row in lines_of(files, paths.TASKS):
        if row.get("id") in wanted:
            add(row["id"], row)
    for name, sample in samples.items():  # the tasks of an HDR round may be written anew
        if (task := _task_id(name)) not in tasks:
            add(task, sample)
    return tasks, tools


def _called(sample: JsonObject | None, task: JsonObject | None, tools: list[JsonObject]) -> list[str]:
    """The offered tools that the answer names before a bracket, else those of the reference."""
    if not task:
        return []
    names = sorted({str(tools[place].get("name")) for place in task["tools"]})
    answer = (sample or {}).get("answer") or ""
    called = [name for name in names if re.search(rf"(?<![\w.]){re.escape(name)}['\"]?\s*\(", answer)]
    return called or sorted({str(call.get("name")) for call in task.get("reference", []) if isinstance(call, dict)})


def _by_tool(outcomes: dict[str, Outcome], called: dict[str, list[str]]) -> dict[str, list[int]]:
    rows: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    for row, names in called.items():
        rows.update(names)
        if outcomes[row].name in ("dropped", "hard"):
            removed.update(names)
    return {name: [rows[name], removed[name]] for name in sorted(rows)}


def _step(line: JsonObject) -> JsonObject:
    step = {field: line.get(field) for field in _STEP_FIELDS if line.get(field) not in (None, "", [])}
    if votes := line.get("votes"):
        step["votes"] = [
            [vote.get("judge"), vote.get("value"), cut(vote.get("text"))]
            if isinstance(vote, dict)
            else ["", None, cut(vote)]
            for vote in votes
        ]
    heuristic, judges = (line.get("heuristics") or {}).get("value"), judges_value(line)
    if heuristic is not None and judges is not None and heuristic != judges:
        step["disagree"] = True
    return step


def _row(
    name: str,
    outcome: Outcome,
    task: str,
    steps: list[JsonObject],
    sample: JsonObject | None,
    called: list[str],
    defects: dict[str, str],
) -> JsonObject:
    answer = (sample or {}).get("answer")
    given = bool(steps) and steps[0].get("reason") == "given"
    defect = defects.get(task)
    row = {
        "id": name,
        "task": task,
        "outcome": outcome.name,
        "check": outcome.check,
        "reason": outcome.reason,
        "tools": called,
        "cot": cut((sample or {}).get("cot")),
        "answer": cut(answer),
        "steps": steps,
    }
    replaced = [step["new_answer"] for step in steps if step.get("action") == "regenerate" and "new_answer" in step]
    if replaced and replaced[-1] != answer:
        row["final"] = cut(replaced[-1])
    if defect and (given or defect in OF_THE_QUERY):
        row["defect"] = defect
    elif given and defects:
        row["defect"] = "clean"
    return row
