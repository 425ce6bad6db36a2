"""Find the tasks that overlap with the benchmarks; in mode `remove`, generate drops them.

Run as: python stages/decontaminate.py
Reads params.yaml, data/tasks.jsonl and the benchmarks; writes data/overlaps.jsonl and metrics/decontaminate.json.
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main() -> None:
    from funreason.config import load_params
    from funreason.core import paths
    from funreason.core.jsonio import JsonlWriter, write_details
    from funreason.decontaminate.benchmarks import read_benchmark
    from funreason.decontaminate.sorting import Sorter, check_removed
    from funreason.ledger.files import read_tasks

    params = load_params().decontaminate
    names = [] if params.mode == "off" else params.benchmarks
    sorter = Sorter([read_benchmark(name) for name in names], params.kinds, params.ngram, params.threshold)
    # Written even if too many are removed: the user has to look at it.
    with JsonlWriter(paths.OVERLAPS) as overlaps:
        sorter.sort(read_tasks(paths.TASKS), overlaps.write)
    metrics = sorter.metrics(params.mode)
    check_removed(metrics, params.max_removed)
    write_details(paths.DECONTAMINATE_METRICS, metrics)


if __name__ == "__main__":
    run(main)
