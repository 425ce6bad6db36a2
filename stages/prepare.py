"""Turn the data source into tasks; malformed rows go to quarantine, counted, with row number and reason.

Run as: python stages/prepare.py → data/tasks.jsonl, data/quarantine.jsonl, metrics/prepare.json
"""

from funreason.stage import run


def main() -> None:
    from funreason.params import load_params
    from funreason.prepare import check_share, read_rows, sort_rows
    from funreason.records import JsonlWriter, read_json, write_json

    params = load_params()
    source = read_json("data/source.json")
    rows = read_rows(source, params.data.split, params.prepare.limit)
    with JsonlWriter("data/tasks.jsonl") as tasks:
        # Written also where the share is too large: it is what the user has to look at.
        with JsonlWriter("data/quarantine.jsonl") as quarantine:
            metrics = sort_rows(rows, tasks.write, quarantine.write)
        check_share(metrics, params.prepare.max_bad_share, source)
    write_json("metrics/prepare.json", metrics)


if __name__ == "__main__":
    run(main)
