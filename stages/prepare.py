"""Turn the data sources into tasks; malformed rows go to quarantine, counted, with source, row number and reason.

Run as: python stages/prepare.py → data/tasks.jsonl, data/quarantine.jsonl, metrics/prepare.json
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main() -> None:
    from funreason.config import load_params
    from funreason.core import paths
    from funreason.core.jsonio import JsonlWriter, read_json, write_details
    from funreason.data.files import read_rows
    from funreason.data.prepare import check_bad_fraction, sort_rows, source_name, sources_of, total_metrics
    from funreason.data.rows import TaskIds

    params = load_params()
    sources = sources_of(read_json(paths.SOURCE))
    splits = {"data": params.data.split, "data.multi_turn": params.data.multi_turn.split}
    tallies, ids = {}, TaskIds()
    with JsonlWriter(paths.TASKS) as tasks:
        # Written even if the fraction is too large: the user has to look at it.
        with JsonlWriter(paths.QUARANTINE) as quarantine:
            for key, source in sources.items():
                rows = read_rows(source, splits[key], params.prepare.limit)
                name, write = source_name(source), (tasks.write, quarantine.write)
                tallies[key] = sort_rows(rows, name, ids, *write, params.prepare.format)
                print(f"{name} {tallies[key].summary()}")
        for key, source in sources.items():
            check_bad_fraction(tallies[key], params.prepare.max_bad_fraction, source_name(source))
    write_details(paths.PREPARE_METRICS, total_metrics(tallies))


if __name__ == "__main__":
    run(main)
