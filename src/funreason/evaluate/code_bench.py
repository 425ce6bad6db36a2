"""The code benchmarks by name: their problems, the verdicts on a model's answers, and the numbers for the metrics."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from funreason.evaluate import code, evalplus
from funreason.evaluate.answers import cut, unanswered
from funreason.evaluate.code import CheckedSolution, pass_at_1
from funreason.evaluate.code_text import Solution, extract
from funreason.evaluate.stats import pass_at_k
from funreason.llm import Response

KS = (1, 5, 10, 100)  # pass@k is reported for each k that there are samples for


def load(benchmark: str, evalplus_data: str | None) -> list[dict]:
    """The problems of a benchmark.

    Args:
        benchmark: toy, humaneval, humaneval+ or mbpp+.
        evalplus_data: the folder with EvalPlus's files; None to let EvalPlus fetch them.

    Returns:
        Rows with at least {"task_id", "prompt", "entry_point"}.

    Raises:
        DataError: where they are missing or damaged.
    """
    if benchmark in evalplus.DATASETS:
        return evalplus.load_problems(benchmark, evalplus_data)
    return code.load_problems(benchmark)


def score_answers(
    benchmark: str, problems: Sequence[dict], responses: Sequence[Response], *, timeout_s: float, mode: str
) -> tuple[list[CheckedSolution], dict]:
    """Score each problem's most likely answer.

    Args:
        benchmark: as for `load`.
        problems: as from `load`.
        responses: one per problem, in order.
        timeout_s: seconds per solution; for EvalPlus the least seconds per test.
        mode: of the sandbox.

    Returns:
        The verdicts in order, and {"pass@1", "low", "high", "correct", "n", "cut", "readings"}: `cut` answers ended at
        max_tokens, `readings` counts how the solutions were found. For humaneval+ and mbpp+ pass@1 is over base and
        plus tests together; "base" holds the same numbers for the base tests. "official" holds those of the benchmark's
        own check, where it differs: where it was deceived.
    """
    solutions = [_solution(*pair) for pair in zip(problems, responses, strict=True)]
    limits: dict = {"timeout_s": timeout_s, "mode": mode}
    texts = [solution.code for solution in solutions]
    figures: dict = {}
    if benchmark in evalplus.DATASETS:
        rows, base = evalplus.score(benchmark, problems, texts, **limits)
        figures = {"base": pass_at_1(base)}
    else:
        rows = code.score(benchmark, problems, texts, **limits)
    rows = [replace(row, reading=solution.reading) for row, solution in zip(rows, solutions, strict=True)]
    readings = Counter(row.reading or "no code" for row in rows)
    figures |= {"cut": sum(map(cut, responses)), "readings": dict(sorted(readings.items()))}
    if any(row.official is not row.passed for row in rows):  # forgers: else both are the same
        figures["official"] = pass_at_1([row.official for row in rows])
    return rows, pass_at_1([row.passed for row in rows]) | figures


def _solution(problem: dict, response: Response) -> Solution:
    if unanswered(response):
        return Solution("", "")
    return extract(response.text, problem["prompt"], problem["entry_point"], cut(response))


def score_samples(
    benchmark: str, problems: Sequence[dict], drawn: Sequence[Sequence[Response]], *, timeout_s: float, mode: str
) -> tuple[list[CheckedSolution], dict]:
    """Score several drawn answers per problem.

    Args:
        benchmark: as for `load`.
        problems: as from `load`.
        drawn: the responses to each problem, as many for each.
        timeout_s: as for `score_answers`.
        mode: of the sandbox.

    Returns:
        The verdict on every sample, and the numbers of `sampled_metrics`.
    """
    rows, passed = [], defaultdict(list)
    for number in range(len(drawn[0]) if drawn else 0):
        responses = [samples[number] for samples in drawn]
        tested, _ = score_answers(benchmark, problems, responses, timeout_s=timeout_s, mode=mode)
        rows += [replace(row, sample=number + 1) for row in tested]
        for row in tested:
            passed[row.task_id].append(row.passed)
    return rows, sampled_metrics(list(passed.values()))


def sampled_metrics(passed: Sequence[Sequence[bool]]) -> dict:
    """{"samples", "pass@1", "pass@5", …}: means over problems of stats.pass_at_k; marks by problem, all as many."""
    n = len(passed[0]) if passed else 0
    means = {k: sum(pass_at_k(n, sum(marks), k) for marks in passed) / len(passed) for k in KS if k <= n}
    return {"samples": n} | {f"pass@{k}": round(mean, 4) for k, mean in means.items()}


def mark_partial(figures: dict, partial: bool) -> dict:
    """Figures of a benchmark in which every pass@1, also in its parts, says whether problems were left out."""
    parts = {key: mark_partial(part, partial) for key, part in figures.items() if isinstance(part, dict)}
    return figures | parts | ({"partial": partial} if "pass@1" in figures else {})
