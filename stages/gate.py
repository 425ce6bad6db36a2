"""Let later rounds build on a round's model, unless it is worse than the model that its training started from.

Run as: python stages/gate.py r1
Reads params.yaml, metrics/<round>/bfcl.json and that of rounds.<round>.init; writes the descriptor models/<round>.json.
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main(name: str) -> None:
    from funreason.config import load_params
    from funreason.core import paths
    from funreason.core.jsonio import write_json
    from funreason.llm.refs import folder_identity
    from funreason.report.gate import check_regression

    params = load_params()
    check_regression(name, params.round_of(name).init, params.gate.measure, params.gate.max_regression)
    folder = paths.model_folder(name)
    write_json(paths.descriptor(name), {"kind": "local", "path": folder, "identity": folder_identity(folder)})


if __name__ == "__main__":
    run(main)
