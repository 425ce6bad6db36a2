"""Score answers that are there already: BFCL's own result files, of one model, in v3's or v4's layout."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from funreason.calls import Call, render
from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.evaluate import bfcl, bfcl_turns
from funreason.evaluate.answers import without_reasoning
from funreason.evaluate.bfcl_metrics import AGENTIC, CATEGORIES, MULTI_TURN, V4_ONLY, official_metrics
from funreason.llm import Response
from funreason.score.run import SUITE, Scored

_FILE = re.compile(r"BFCL_(v3|v4)_(\w+)_result\.json")
_V3 = {"simple": "simple_python", "java": "simple_java", "javascript": "simple_javascript"}
_FAILED = "Error during inference"  # what BFCL writes in place of an answer


def rescore(folder: str | Path, mode: str) -> tuple[list[str], Scored]:
    """Score a folder of BFCL's result files.

    Args:
        folder: `result/<model>` of BFCL, or any folder around the files of one model.
        mode: of the sandbox.

    Returns:
        Lines on what was scored and what was left out; the verdicts, and the numbers as from
        `bfcl_metrics.official_metrics`.

    Raises:
        DataError: no such files, files of several models or versions, or a row that cannot be read.
    """
    version, files, left_out = _files(Path(folder))
    prompts, responses, conversations = [], [], []
    for category, path in files.items():
        taken: set[str] = set()
        for number, row in enumerate(read_jsonl(path), 1):
            name, result = _row(row, f"{path}:{number}")
            if "_prereq_" in name:
                continue  # fills a memory, and is not scored
            if name in taken:
                name = _second(name, f"{path}:{number}")
            taken.add(name)
            if category in MULTI_TURN + AGENTIC:
                turns = _turns(result, f"{path}:{number}")
                conversations.append(bfcl_turns.Conversation(SUITE, category, name, [], turns=turns))
            else:
                prompts.append(bfcl.BfclPrompt(SUITE, category, name, []))
                responses.append(Response(_text(result, f"{path}:{number}"), "stop", 0, 0))
    rows: list[Any] = [
        *bfcl.score(prompts, responses, {SUITE: None}, mode, version),
        *bfcl_turns.score(conversations, mode, version),
    ]
    lines = [f"answers of {folder}, BFCL {version}"]
    if left_out:
        lines.append(f"left out, since they are not scored here: {', '.join(left_out)}")
    return lines, (rows, official_metrics(rows, None, version))


def _files(folder: Path) -> tuple[str, dict[str, Path], list[str]]:
    """The version, the file of each category, and the categories that are not scored here, such as web search."""
    known = {*CATEGORIES, *MULTI_TURN, *V4_ONLY}
    files: dict[str, Path] = {}
    versions, left_out = set(), []
    for path in sorted(folder.rglob("BFCL_*_result.json")):
        if not (match := _FILE.fullmatch(path.name)):
            continue
        category = _V3.get(match[2], match[2])
        if category not in known:
            left_out.append(category)
            continue
        if category in files:
            remedy = "give the folder of one model, result/<model>"
            raise DataError(f"{folder} holds several files of {category} ({files[category]}, {path}); {remedy}")
        versions.add(match[1])
        files[category] = path
    if len(versions) != 1:
        what = "files of both versions" if versions else "no BFCL_v4_<category>_result.json or BFCL_v3_…"
        raise DataError(f"{folder} holds {what}; give BFCL's folder result/<model>")
    return versions.pop(), files, left_out


def _row(row: dict, where: str) -> tuple[str, Any]:
    if not isinstance(row.get("id"), str) or "result" not in row:
        raise DataError(f"{where}: keys {sorted(row)}, wanted id and result; give BFCL's own result files")
    return row["id"], row["result"]


def _second(name: str, where: str) -> str:
    """The id of a second row of the same id, of which v3's live_relevance has one: see drivers/bfcl_release.py."""
    if not name.startswith("live_relevance_"):
        raise DataError(f"{where}: the id {name!r} stands twice; give one answer per row")
    head, _, last = name.rpartition("-")
    return f"{head}-{int(last) + 1}"


def _text(result: Any, where: str) -> str:
    """An answer of prompt mode as it is, calls of FC mode ([{name: JSON text}]) as a list of calls."""
    if isinstance(result, str):
        return without_reasoning(result)
    try:
        return render([_call(*pair) for each in result for pair in each.items()])
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{where}: the result is neither a text nor a list of calls ({error})") from None


def _call(name: str, arguments: Any) -> Call:
    return Call(name, json.loads(arguments) if isinstance(arguments, str) else dict(arguments))


def _turns(result: Any, where: str) -> list[list[str]]:
    """The answers turn by turn; of a conversation that failed, none."""
    if isinstance(result, str) and _FAILED in result:
        return [[]]
    if not isinstance(result, list) or not all(isinstance(turn, list) for turn in result):
        raise DataError(f"{where}: the result is not a list of turns; give BFCL's own result files")
    steps: Iterable[Any] = (step for turn in result for step in turn)
    if not all(isinstance(step, str) for step in steps):
        raise DataError(f"{where}: steps of FC mode cannot be scored here; give result files of prompt mode")
    return [[without_reasoning(step) for step in turn] for turn in result]
