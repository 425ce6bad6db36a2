"""Compare a trained set with the untrained model on code, problem by problem: what training made it forget.

Run as: python stages/forgetting.py r0
data/base/code.jsonl, data/<set>/code.jsonl → metrics/<set>/forgetting.json
"""

from funreason.core.runtime import run


def main(name: str) -> None:
    from funreason.config.params import load_params
    from funreason.core.records import read_jsonl, write_json
    from funreason.report.code_retention import forgetting

    load_params()
    base, trained = (list(read_jsonl(f"data/{side}/code.jsonl")) for side in ("base", name))
    write_json(f"metrics/{name}/forgetting.json", forgetting(base, trained))


if __name__ == "__main__":
    run(main)
