"""The few figures of a round, and its rows and answers for the report page.

Run as: python stages/summary.py r0, or base for the untrained model.
Reads params.yaml, metrics/<round>/, data/tasks.jsonl, the ledger and answers of data/<round>/, hidden labels where
there are any and the questions of the benchmarks; writes metrics/<round>/summary.json and data/report/<round>.json.
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main(name: str) -> None:
    from funreason.config import load_params
    from funreason.core import paths
    from funreason.core.jsonio import write_json, write_jsonl
    from funreason.report.page import Folder, collect_round
    from funreason.report.rounds import figures

    params = load_params()
    if name != "base":
        params.round_of(name)
    write_json(paths.summary(name), figures(name, params.gate.measure))
    write_jsonl(paths.page_part(name), [collect_round(Folder(), name, params.validate_.labels)])  # on one line


if __name__ == "__main__":
    run(main)
