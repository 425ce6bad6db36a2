"""Let the next rounds build on this one's model, unless it is worse than the model it was trained from.

Run as: python stages/accept.py r1
Reads params.yaml, metrics/<set>/bfcl.json and that of its init; writes models/<set>.json, what and where the model is.
"""

from funreason.core.runtime import run


def main(name: str) -> None:
    from funreason.config.params import load_params
    from funreason.core.records import write_json
    from funreason.llm.refs import folder_identity
    from funreason.report.gate import refuse_worse

    params = load_params()
    refuse_worse(name, params.round_of(name).init, params.gate.measure, params.gate.max_regression)
    folder = f"models/{name}"
    write_json(f"{folder}.json", {"kind": "local", "path": folder, "identity": folder_identity(folder)})


if __name__ == "__main__":
    run(main)
