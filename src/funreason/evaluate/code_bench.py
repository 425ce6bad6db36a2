"""The code benchmarks by name: their problems, the verdicts on a model's answers, and the numbers for the metrics."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from funreason.evaluate import code, evalplus
from funreason.evaluate.answers import too_long
from funreason.evaluate.code import Tested
from funreason.evaluate.code_text import completion
from funreason.evaluate.stats import pass_at_k, rate
from funreason.llm import Response

KS = (1, 5, 10, 100)  # pass@k is told for those of them that there are samples for


def load(benchmark: str, evalplus_data: str | None) -> list[dict]:
    """The problems of toy, humaneval, humaneval+ or mbpp+. Raises DataError where there are none."""
    if benchmark in evalplus.DATASETS:
        return evalplus.load_problems(benchmark, evalplus_data)
    return code.load_problems(benchmark)


def judge(
    benchmark: str, problems: Sequence[dict], responses: Sequence[Response], *, timeout_s: float, mode: str
) -> tuple[list[Tested], dict]:
    """The verdict on each problem's most likely answer, and {"pass@1", "low", "high", "correct", "n"}.

    For humaneval+ and mbpp+ that is of base and plus tests together; "base" holds the same for the base tests.
    """
    texts = [
        "" if too_long(response) else completion(response.text, problem["prompt"], problem["entry_point"])
        for problem, response in zip(problems, responses, strict=True)
    ]
    if benchmark not in evalplus.DATASETS:
        rows = code.score(benchmark, problems, texts, timeout_s=timeout_s, mode=mode)
        return rows, code.summary(rows)
    rows, base = evalplus.score(benchmark, problems, texts, timeout_s=timeout_s, mode=mode)
    found = rate(base)
    return rows, code.summary(rows) | {"base": {"pass@1": found.pop("accuracy")} | found}


def judge_samples(
    benchmark: str, problems: Sequence[dict], drawn: Sequence[Sequence[Response]], *, timeout_s: float, mode: str
) -> tuple[list[Tested], dict]:
    """The verdict on every sample (`drawn`: a list for each problem) and {"samples", "pass@<k>"}, unbiased."""
    rows, passed = [], defaultdict(list)
    for number in range(len(drawn[0]) if drawn else 0):
        answers = [samples[number] for samples in drawn]
        tested, _ = judge(benchmark, problems, answers, timeout_s=timeout_s, mode=mode)
        rows += [replace(row, sample=number + 1) for row in tested]
        for row in tested:
            passed[row.task_id].append(row.passed)
    return rows, sampled_metrics(list(passed.values()))


def sampled_metrics(passed: Sequence[Sequence[bool]]) -> dict:
    """{"samples", "pass@1", "pass@5", …}: means over problems of stats.pass_at_k; marks by problem, all as many."""
    n = len(passed[0]) if passed else 0
    means = {k: sum(pass_at_k(n, sum(marks), k) for marks in passed) / len(passed) for k in KS if k <= n}
    return {"samples": n} | {f"pass@{k}": round(mean, 4) for k, mean in means.items()}
