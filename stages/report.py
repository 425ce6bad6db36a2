"""The rounds of the chain side by side, as a table and as data for plots.

Run as: python stages/report.py
Reads params.yaml and metrics/; writes report/rounds.csv and report/rounds.md.
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main() -> None:
    from funreason.config import load_params
    from funreason.core import paths
    from funreason.core.jsonio import atomic, write_csv
    from funreason.report.rounds import COLUMNS, round_rows, table

    params = load_params()
    rows = round_rows(params.rounds, params.gate.measure)
    write_csv(paths.ROUNDS_CSV, COLUMNS, rows)
    with atomic(paths.ROUNDS_TABLE) as file:
        file.write(table(rows))


if __name__ == "__main__":
    run(main)
