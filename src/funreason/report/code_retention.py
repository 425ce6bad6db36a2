"""What training cost on other skills: a set against the untrained model, problem by problem.

Both answered the same problems, so the pairs count: McNemar's exact test, and an interval of the difference.
"""

from collections.abc import Sequence

from funreason.core.errors import DataError
from funreason.evaluate.stats import paired_difference


def forgetting(base: Sequence[dict], trained: Sequence[dict]) -> dict:
    """{benchmark: stats.paired_difference} of the first answers in two code.jsonl files; below 0 is forgotten.

    Raises DataError where the two did not answer the same problems in the same order.
    """
    before, after = _by_benchmark(base), _by_benchmark(trained)
    if (asked := {name: list(marks) for name, marks in before.items()}) != {k: list(v) for k, v in after.items()}:
        counts = [{name: len(marks) for name, marks in side.items()} for side in (before, after)]
        which = "other problems" if counts[0] == counts[1] else f"{counts[0]} and {counts[1]} problems"
        raise DataError(f"the base and the trained model answered {which}; run `dvc repro` for both")
    return {name: paired_difference(list(before[name].values()), list(after[name].values())) for name in asked}


def _by_benchmark(rows: Sequence[dict]) -> dict[str, dict[str, bool]]:
    found: dict[str, dict[str, bool]] = {}
    for row in rows:
        found.setdefault(row["benchmark"], {}).setdefault(row["task_id"], row["passed"])
    return found
