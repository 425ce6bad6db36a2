"""The rounds of the chain side by side, for pictures and people.

Run as: python stages/report.py
Reads params.yaml and metrics/; writes report/rounds.csv and report/rounds.md.
"""

from funreason.core.runtime import run


def main() -> None:
    from funreason.config.params import load_params
    from funreason.core.records import atomic, write_csv
    from funreason.report.rounds import COLUMNS, round_rows, table

    params = load_params()
    rows = round_rows(params.rounds, params.gate.measure)
    write_csv("report/rounds.csv", COLUMNS, rows)
    with atomic("report/rounds.md") as file:
        file.write(table(rows))


if __name__ == "__main__":
    run(main)
