"""The last step of a set: schema, repeats, accounts; then the pools, the whole ledger and the training rows.

Run as: python stages/validate.py r0
Reads params.yaml, the files of all steps, data/tasks.jsonl, metrics/prepare.json, the earlier set's rows and hidden
labels where there are any; writes data/<set>/{train,ledger}.jsonl, data/<set>/pools/ and
metrics/<set>/6_validate.json. Asks no model.
"""

from funreason.core.runtime import run


def main(name: str) -> None:
    from funreason.assemble.finish import finish
    from funreason.config.params import load_params

    params = load_params()
    finish(name, params.round_of(name), params.recipe_of(name), params.validate_.labels)


if __name__ == "__main__":
    run(main)
