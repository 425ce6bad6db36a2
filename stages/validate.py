"""The last step of a round: JSON Schema, repeats and counts; then the pools, the whole ledger and the training rows.

Run as: python stages/validate.py r0
Reads params.yaml, the files of all steps, data/tasks.jsonl, metrics/prepare.json, the replayed rows and hidden labels
where there are any; writes data/<round>/{train,ledger}.jsonl, data/<round>/pools/ and
metrics/<round>/6_validate.json. Asks no model.
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main(name: str) -> None:
    from funreason.assemble.finish import finish
    from funreason.config import load_params

    params = load_params()
    finish(name, params.round_of(name), params.recipe_of(name), params.validate_.labels)


if __name__ == "__main__":
    run(main)
