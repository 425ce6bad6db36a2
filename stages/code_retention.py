"""Compare a round's model with the untrained model on code, problem by problem: what did training cost?

Run as: python stages/code_retention.py r0
data/base/code.jsonl, data/<round>/code.jsonl → metrics/<round>/code_retention.json
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main(name: str) -> None:
    from funreason.config import load_params
    from funreason.core import paths
    from funreason.core.jsonio import read_jsonl, write_details
    from funreason.report.code_retention import code_retention

    load_params()
    base, trained = (list(read_jsonl(paths.answers(side, "code"))) for side in ("base", name))
    write_details(paths.code_retention(name), code_retention(base, trained))


if __name__ == "__main__":
    run(main)
