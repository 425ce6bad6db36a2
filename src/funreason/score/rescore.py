"""Score answers that are there already: BFCL's own result files, of one model, in v3's or v4's layout."""

import json
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.evaluate import DRIVERS, bfcl, bfcl_turns
from funreason.evaluate.answers import without_reasoning
from funreason.evaluate.bfcl_metrics import AGENTIC, CATEGORIES, MULTI_TURN, V4_ONLY, official_metrics
from funreason.llm import Response
from funreason.sandbox.scorer import run_scorer, scorer_python
from funreason.score.run import SUITE, Scored

_FILE = re.compile(r"BFCL_(v3|v4)_(\w+)_result\.json")
_V3 = {"simple": "simple_python", "java": "simple_java", "javascript": "simple_javascript"}
_REMEDY = "give BFCL's own result files"
_FAILED = "Error during inference"  # what BFCL writes in place of an answer


@dataclass
class _Answers:
    """What the files hold: answers to single turns, of which `fc` are of FC mode, and conversations."""

    prompts: list[bfcl.BfclPrompt] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    fc: dict[str, list] = field(default_factory=dict)
    conversations: list[bfcl_turns.Conversation] = field(default_factory=list)

    def add(self, category: str, name: str, result: Any, where: str) -> None:
        """Add an answer of a result file, at the line `where`."""
        if category in MULTI_TURN + AGENTIC:
            turns = _turns(result, where)
            self.conversations.append(bfcl_turns.Conversation(SUITE, category, name, [], turns=turns))
            return
        if not isinstance(result, (str, list)):
            raise DataError(f"{where}: the result is {result!r:.40}, wanted a text or a list of calls; {_REMEDY}")
        if isinstance(result, list):
            self.fc[name] = result
        text = _writable(result) if isinstance(result, str) else json.dumps(result)
        self.prompts.append(bfcl.BfclPrompt(SUITE, category, name, []))
        self.responses.append(Response(text, "stop", 0, 0))

    def scored(self, mode: str, version: str) -> list[Any]:
        """The verdicts. In a file of FC mode a text is no call, whatever it looks like."""
        in_fc = {prompt.category for prompt in self.prompts if prompt.id in self.fc}
        pairs = zip(self.prompts, self.responses, strict=True)
        texts = {prompt.id: [answer.text] for prompt, answer in pairs if prompt.category in in_fc}
        return [
            *bfcl.score(self.prompts, self.responses, {SUITE: None}, mode, version, texts | self.fc),
            *bfcl_turns.score(self.conversations, mode, version),
        ]


def rescore(folder: str | Path, mode: str) -> tuple[list[str], Scored]:
    """Score a folder of BFCL's result files.

    Args:
        folder: `result/<model>` of BFCL, or any folder around the files of one model.
        mode: of the sandbox.

    Returns:
        Lines on what was scored and what is missing or was left out; the verdicts, and the numbers as from
        `bfcl_metrics.official_metrics`.

    Raises:
        DataError: no such files, files of several models or versions, or a row that cannot be read.
    """
    version, files, left_out = _files(Path(folder))
    answers, lines = _Answers(), [f"answers of {folder}, BFCL {version}"]
    for category, ids in _ids(list(files), mode, version).items():
        taken: set[str] = set()
        for number, row in _rows(files[category]):
            where = f"{files[category]}:{number}"
            name, result = _row(row, where)
            if "_prereq_" in name:
                continue  # fills a memory, and is not scored
            name = _unused(name, ids, taken, f"{where}: the id {name!r:.80}")
            taken.add(name)
            answers.add(category, name, result, where)
        if missing := [name for name in ids if name not in taken]:
            lines.append(f"{category}: {len(taken)} of {len(ids)} rows; the first that is missing: {missing[0]}")
    if not answers.prompts + answers.conversations:
        raise DataError(f"{folder} holds result files without answers; {_REMEDY}")
    if left_out:
        lines.append(f"left out, since they are not scored here: {', '.join(left_out)}")
    rows = answers.scored(mode, version)
    return lines, (rows, official_metrics(rows, None, version))


def _files(folder: Path) -> tuple[str, dict[str, Path], list[str]]:
    """The version, the file of each category, and the categories that are not scored here."""
    known = {"v4": {*CATEGORIES, *MULTI_TURN, *V4_ONLY}, "v3": {*CATEGORIES, *MULTI_TURN}}
    files: dict[str, Path] = {}
    versions, left_out = set(), []
    for path in sorted(folder.rglob("BFCL_*_result.json")):
        if not (match := _FILE.fullmatch(path.name)):
            continue
        category = _V3.get(match[2], match[2])
        if category not in known[match[1]]:
            left_out.append(category)
            continue
        if category in files:
            remedy = "give the folder of one model, result/<model>"
            raise DataError(f"{folder} holds several files of {category} ({files[category]}, {path}); {remedy}")
        versions.add(match[1])
        files[category] = path
    if len(versions) != 1:
        what = "files of both versions" if versions else "no BFCL_v4_<category>_result.json or BFCL_v3_…"
        raise DataError(f"{folder} holds {what}; give BFCL's folder result/<model>, other answers are not read")
    return versions.pop(), files, left_out


def _ids(categories: list[str], mode: str, version: str) -> dict[str, dict[str, None]]:
    """The ids of BFCL's rows per category, in its order."""
    request = {"categories": categories, "limit": None, "ids": True}
    python = scorer_python(bfcl.ENVIRONMENTS[version])
    listed = run_scorer(DRIVERS / "bfcl_prompts.py", python, request, timeout_s=120, mode=mode)
    return {name: dict.fromkeys(row for row in ids if "_prereq_" not in row) for name, ids in listed.items()}


def _rows(path: Path) -> Iterator[tuple[int, dict]]:
    try:
        yield from enumerate(read_jsonl(path), 1)
    except DataError as error:
        raise DataError(f"{str(error).rpartition('; ')[0]}; {_REMEDY}") from None


def _row(row: dict, where: str) -> tuple[str, Any]:
    if not isinstance(row.get("id"), str) or "result" not in row:
        raise DataError(f"{where}: keys {sorted(row)!r:.80}, id {row.get('id')!r:.80}, wanted a text as id; {_REMEDY}")
    return row["id"], row["result"]


def _unused(name: str, ids: Container[str], taken: Container[str], what: str) -> str:
    """The id, or for a second row of the same id, of which v3's live_relevance has one, the next id.

    See `unique_ids` in drivers/bfcl_release.py. `what` begins the error.
    """
    if name not in ids:
        raise DataError(f"{what} is not in BFCL's data for this file; {_REMEDY}")
    if name not in taken:
        return name
    head, _, last = name.rpartition("-")
    following = f"{head}-{int(last) + 1}" if last.isdecimal() else ""
    if following not in ids or following in taken:
        raise DataError(f"{what} stands twice; give one answer per row")
    return following


def _writable(text: str) -> str:
    """An answer without its reasoning, and without half surrogate pairs, which UTF-8 cannot hold."""
    return without_reasoning(text.encode(errors="replace").decode())


def _turns(result: Any, where: str) -> list[list[str]]:
    """The answers turn by turn; of a conversation that failed, none."""
    if isinstance(result, str) and _FAILED in result:
        return [[]]
    if not isinstance(result, list) or not all(isinstance(turn, list) for turn in result):
        raise DataError(f"{where}: the result is not a list of turns; {_REMEDY}")
    steps: Iterable[Any] = (step for turn in result for step in turn)
    if not all(isinstance(step, str) for step in steps):
        raise DataError(f"{where}: steps of FC mode cannot be scored here; give result files of prompt mode")
    return [[_writable(step) for step in turn] for turn in result]
