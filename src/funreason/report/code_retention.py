"""What training cost on code: a trained model against the untrained one, problem by problem.

Both answered the same problems, so they are compared as pairs: McNemar's exact test, and an interval of the difference.
"""

from collections.abc import Sequence

from funreason.core.errors import DataError
from funreason.evaluate.stats import paired_difference


def code_retention(base: Sequence[dict], trained: Sequence[dict]) -> dict:
    """Compare the first answers of two models on the same problems.

    Args:
        base: the rows of data/base/code.jsonl.
        trained: the rows of data/<round>/code.jsonl.

    Returns:
        {benchmark: stats.paired_difference}; a difference below 0 is a loss.

    Raises:
        DataError: where the two did not answer the same problems in the same order.
    """
    before, after = _by_benchmark(base), _by_benchmark(trained)
    if _problems(before) != _problems(after):
        counts = [{name: len(marks) for name, marks in side.items()} for side in (before, after)]
        which = "other problems" if counts[0] == counts[1] else f"{counts[0]} and {counts[1]} problems"
        raise DataError(f"the base and the trained model answered {which}; run `dvc repro` for both")
    return {name: paired_difference(list(before[name].values()), list(after[name].values())) for name in before}


def _by_benchmark(rows: Sequence[dict]) -> dict[str, dict[str, bool]]:
    """{benchmark: {task_id: whether the first answer passes}}."""
    marks: dict[str, dict[str, bool]] = {}
    for row in rows:
        marks.setdefault(row["benchmark"], {}).setdefault(row["task_id"], row["passed"])
    return marks


def _problems(marks: dict[str, dict[str, bool]]) -> dict[str, list[str]]:
    return {benchmark: list(by_task) for benchmark, by_task in marks.items()}
