"""HumanEval+ and MBPP+ by EvalPlus 0.3.1 in its own environment, inside the sandbox.

The problems come from a folder with EvalPlus's files, or from EvalPlus's own cache, which it fills by a download. They
reach the sandbox with the request: there is no network inside.
"""

import gzip
import json
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path

from funreason.core.errors import DataError
from funreason.evaluate import DRIVERS
from funreason.evaluate.code import GIVEN_UP, CheckedSolution, judged
from funreason.sandbox.scorer import ScorerDied, run_each_parallel, run_scorer_lines, scorer_python

ENVIRONMENT = ".venv-evalplus"
MEMORY_MB = 6144  # two gold solutions of MBPP+ need more than 4 GiB
DATASETS = {"humaneval+": "humaneval", "mbpp+": "mbpp"}
FILES = {"humaneval+": "HumanEvalPlus.jsonl", "mbpp+": "MbppPlus.jsonl"}
_FETCH = {
    "humaneval+": "from evalplus.data.humaneval import _ready_human_eval_plus_path as p; print(p())",
    "mbpp+": "from evalplus.data.mbpp import _ready_mbpp_plus_path as p; print(p())",
}


def load_problems(benchmark: str, folder: str | Path | None) -> list[dict]:
    """The problems of a benchmark.

    Args:
        benchmark: humaneval+ or mbpp+.
        folder: holds EvalPlus's files; None for EvalPlus's own copy.

    Returns:
        Rows {"task_id", "prompt", "entry_point", "canonical_solution", "line"}; `line` is the line of EvalPlus's file.

    Raises:
        DataError: names the file that is missing or damaged, and how to provide it.
    """
    path = _in_folder(benchmark, Path(folder)) if folder else _fetched(benchmark)
    keys = ("task_id", "prompt", "entry_point", "canonical_solution")
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            lines = [line for line in file if line.strip()]
        return [{key: row[key] for key in keys} | {"line": line} for line in lines for row in [json.loads(line)]]
    except (ValueError, KeyError, TypeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is not EvalPlus's {FILES[benchmark]} ({error!r}); download it anew") from None


def score(
    benchmark: str, problems: Sequence[dict], completions: Sequence[str], *, timeout_s: float, mode: str
) -> tuple[list[CheckedSolution], list[bool]]:
    """Run each completion against its base and plus tests.

    Args:
        benchmark: humaneval+ or mbpp+.
        problems: as from `load_problems`.
        completions: one per problem, in order; an empty one fails without a run.
        timeout_s: the least seconds per test; EvalPlus gives more where the gold solution takes long.
        mode: of the sandbox.

    Returns:
        The verdicts in order, and whether each completion passes the base tests.
    """
    by_id = {problem["task_id"]: problem for problem in problems}
    rows = [CheckedSolution(benchmark, p["task_id"], text) for p, text in zip(problems, completions, strict=True)]
    base = [False] * len(rows)

    def call(part: Sequence[CheckedSolution]) -> tuple[list[dict], ScorerDied | None]:
        request = {
            "dataset": DATASETS[benchmark],
            "problems": "".join(by_id[task]["line"] for task in dict.fromkeys(row.task_id for row in part)),
            "solutions": [
                {"task_id": row.task_id, "solution": by_id[row.task_id]["prompt"] + row.completion} for row in part
            ],
            "timeout_s": timeout_s,
        }
        return run_scorer_lines(
            DRIVERS / "evalplus_score.py", scorer_python(ENVIRONMENT), request,
            timeout_s=120 + 900 * len(part), memory_mb=MEMORY_MB, mode=mode,
        )  # fmt: skip  # EvalPlus itself ends a program after a minute, or after three on a busy machine

    with_code = [number for number, row in enumerate(rows) if row.completion]
    verdicts = run_each_parallel(call, [rows[number] for number in with_code], lambda _: GIVEN_UP | {"base": False})
    for number, verdict in zip(with_code, verdicts, strict=True):
        rows[number] = judged(rows[number], verdict)
        base[number] = verdict["base"]
    return rows, base


def _in_folder(benchmark: str, folder: Path) -> Path:
    names = [FILES[benchmark], f"{FILES[benchmark]}.gz"]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DataError(f"{folder} (evaluate.code.evalplus_data) has no {' or '.join(names)}; {_remedy(benchmark)}")


def _fetched(benchmark: str) -> Path:
    """EvalPlus's own copy, which it downloads if need be: trusted code, so outside the sandbox."""
    done = subprocess.run([scorer_python(ENVIRONMENT), "-c", _FETCH[benchmark]], capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise DataError(f"EvalPlus could not fetch {FILES[benchmark]} ({why}); {_remedy(benchmark)}")
    return Path(done.stdout.splitlines()[-1])


def _remedy(benchmark: str) -> str:
    release = FILES[benchmark].removesuffix(".jsonl").lower()
    return (
        f"without the internet, put {FILES[benchmark]}.gz from github.com/evalplus/{release}_release into a folder "
        "and set evaluate.code.evalplus_data to it"
    )
