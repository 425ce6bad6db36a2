"""Turn the data source into tasks; malformed rows go to quarantine, counted, with row number and reason.

Run as: python stages/prepare.py → data/tasks.jsonl, data/quarantine.jsonl, metrics/prepare.json
"""

from funreason.stage import run


def main() -> None:
    import json
    from pathlib import Path

    from funreason.params import load_params
    from funreason.prepare import check_share, counts, read_rows, sort_rows
    from funreason.records import write_json, write_jsonl

    params = load_params()
    source = json.loads(Path("data/source.json").read_text())
    good, bad = sort_rows(read_rows(source, params.data.split, params.prepare.limit))
    metrics = counts(good, bad)
    # Written also where the share is too large: it is what the user has to look at.
    write_jsonl("data/quarantine.jsonl", (row.to_row() for row in bad))
    check_share(metrics, params.prepare.max_bad_share, source)
    write_jsonl("data/tasks.jsonl", (task.to_row() for task in good))
    write_json("metrics/prepare.json", metrics)


if __name__ == "__main__":
    run(main)
