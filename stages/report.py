"""The rounds of the chain side by side: a page for a browser, a table, and data for plots.

Run as: python stages/report.py
Reads params.yaml, metrics/, data/report/ and what the models and the data are; writes report/index.html,
report/rounds.csv and report/rounds.md.
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main() -> None:
    from funreason.config import load_params
    from funreason.core import paths
    from funreason.core.jsonio import atomic, read_json, write_csv
    from funreason.report.page import Folder, collect_run, write_page
    from funreason.report.rounds import COLUMNS, round_rows, table

    params = load_params()
    rows = round_rows(params.rounds, params.gate.measure)
    write_csv(paths.ROUNDS_CSV, COLUMNS, rows)
    with atomic(paths.ROUNDS_TABLE) as file:
        file.write(table(rows))
    parts = {row["name"]: read_json(paths.page_part(row["name"])) for row in rows}
    write_page(paths.PAGE, collect_run(Folder(), params.rounds, params.gate.measure, parts))


if __name__ == "__main__":
    run(main)
