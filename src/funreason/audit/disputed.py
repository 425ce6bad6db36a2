"""Rows of BFCL and ACEBench whose possible answers contradict themselves or their own tool.

The list is kept in evaluate/disputed.yaml, by version, so that a score without these rows means the same rows for
everybody. `benchmarks/disputed_labels.py` writes it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from funreason.audit.bfcl_gold import calls_of
from funreason.calls import Call, render, validate
from funreason.core.errors import DataError
from funreason.evaluate.acebench_data import NORMAL, load_rows
from funreason.evaluate.acebench_strict import gold_name
from funreason.evaluate.bfcl import ENVIRONMENTS, BfclPrompt, score
from funreason.llm import Response
from funreason.sandbox.scorer import scorer_files

CATEGORIES = (
    "simple_python", "multiple", "parallel", "parallel_multiple", "live_simple", "live_multiple", "live_parallel",
    "live_parallel_multiple",
)  # fmt: skip
_V3 = {"simple_python": "simple"}
MAX_CHARS = 160  # of a reason


def disputed(version: str, mode: str) -> dict[str, str]:
    """{id: why its possible answers contradict themselves or the tool} of the categories in Python.

    Args:
        version: v3 or v4.
        mode: of the sandbox.

    Returns:
        The rows in BFCL's order: those whose possible answers the official checker itself refuses, and those in which
        a parameter has no allowed value that its tool takes. A value that is the tool's own default is not disputed.
    """
    folder = Path(scorer_files(ENVIRONMENTS[version], "bfcl_eval/data"))
    reasons: dict[str, str] = {}
    prompts, texts = [], []
    for category in CATEGORIES:
        name = f"BFCL_{version}_{_V3.get(category, category) if version == 'v3' else category}.json"
        tools = {row["id"]: row["function"] for row in _rows(folder / name)}
        for row in _rows(folder / "possible_answer" / name):
            problem = next(_problems(row["ground_truth"], tools[row["id"]]), "")
            reasons[row["id"]] = problem[:MAX_CHARS]
            prompts.append(BfclPrompt("bfcl", category, row["id"], []))
            texts.append(Response(render(calls_of(row["ground_truth"])), "stop", 0, 0))
    for verdict in score(prompts, texts, {"bfcl": None}, mode, version):
        if not verdict.correct:
            reasons[verdict.id] = reasons[verdict.id] or f"refused by the official checker: {verdict.error}"[:MAX_CHARS]
    return {name: reason for name, reason in reasons.items() if reason}


def disputed_acebench(folder: str | Path, language: str) -> dict[str, str]:
    """{id of a row, or of its dialogue: why} of ACEBench's calls.

    Args:
        folder: a checkout of ACEBench.
        language: en or zh.

    Returns:
        The rows in ACEBench's order of which every possible answer makes a call that its tools refuse.
    """
    reasons: dict[str, str] = {}
    for row in load_rows(folder, [language], NORMAL, None):
        # Some tools call their parameters arguments.
        tools = [
            {"name": tool["name"], "parameters": tool.get("parameters") or tool.get("arguments") or {}}
            for tool in row.data["function"]
        ]
        gold, names = row.gold["ground_truth"], {tool["name"] for tool in tools}
        problems = [
            validate([Call(gold_name(name, names), value) for name, value in each.items()], tools)
            for each in (gold if isinstance(gold, list) else [gold])
        ]
        if all(problems):
            reasons.setdefault(row.dialogue, problems[0][0][:MAX_CHARS])
    return reasons


def _problems(truth: list[dict], tools: list[dict]) -> Iterator[str]:
    """What no allowed value of a parameter can mend."""
    for call in calls_of(truth):
        possible = next(named[call.name] for named in truth if call.name in named)
        for problem in validate([call], tools):
            name = next((name for name in possible if f"'{name}" in problem), None)
            if name is None or not _mended(call, name, possible[name], tools):
                yield problem


def _mended(call: Call, name: str, allowed: Any, tools: list[dict]) -> bool:
    """Whether another allowed value, or none, makes the parameter right, or the value is the tool's own default."""
    for value in allowed if isinstance(allowed, list) else [allowed]:
        arguments = {key: each for key, each in call.arguments.items() if key != name}
        if value != "":
            arguments[name] = value
        if not any(f"'{name}" in problem for problem in validate([Call(call.name, arguments)], tools)):
            return True
    tool = next((tool for tool in tools if tool["name"] == call.name), {})
    declared = tool.get("parameters", {}).get("properties", {}).get(name, {})
    return "default" in declared and declared["default"] == call.arguments.get(name)


def _rows(path: Path) -> list[dict]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; `make setup` or `make bfcl3` installs BFCL") from None
