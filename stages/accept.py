"""Let the next sets build on this one's model, unless it is worse than the model it was trained from.

Run as: python stages/accept.py r1
Reads params.yaml, metrics/<set>/bfcl.json and that of its init; writes models/<set>.json, what and where the model is.
"""

from funreason.stage import run


def main(name: str) -> None:
    from funreason.evaluate.regression import refuse_worse
    from funreason.llm.refs import folder_identity
    from funreason.params import load_params
    from funreason.records import write_json

    params = load_params()
    refuse_worse(name, params.chosen_set(name).init, params.rounds.measure, params.rounds.max_regression)
    folder = f"models/{name}"
    write_json(f"{folder}.json", {"kind": "local", "path": folder, "identity": folder_identity(folder)})


if __name__ == "__main__":
    run(main)
