"""Turn the data sources into tasks; malformed rows go to quarantine, counted, with source, row number and reason.

Run as: python stages/prepare.py → data/tasks.jsonl, data/quarantine.jsonl, metrics/prepare.json
"""

from funreason.core.runtime import run


def main() -> None:
    from funreason.config.params import load_params
    from funreason.core.records import JsonlWriter, read_json, write_json
    from funreason.data.prepare import check_share, name_of, read_rows, sort_rows, sources_of, summed
    from funreason.data.xlam import Ids

    params = load_params()
    sources = sources_of(read_json("data/source.json"))
    splits = {"data": params.data.split, "data.multi_turn": params.data.multi_turn.split}
    counts, ids = {}, Ids()
    with JsonlWriter("data/tasks.jsonl") as tasks:
        # Written also where the share is too large: it is what the user has to look at.
        with JsonlWriter("data/quarantine.jsonl") as quarantine:
            for key, source in sources.items():
                rows = read_rows(source, splits[key], params.prepare.limit)
                counts[key] = sort_rows(rows, name_of(source), ids, tasks.write, quarantine.write)
        for key, source in sources.items():
            check_share(counts[key], params.prepare.max_bad_fraction, name_of(source))
    write_json("metrics/prepare.json", summed(counts))


if __name__ == "__main__":
    run(main)
