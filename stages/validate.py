"""The last step of a set: schema, repeats, accounts; then the pools, the whole ledger and the training rows.

Run as: python stages/validate.py r0
Reads params.yaml, the files of all steps, data/tasks.jsonl, metrics/prepare.json, the earlier set's rows and hidden
labels where there are any; writes data/<set>/{train,ledger}.jsonl, data/<set>/pools/ and
metrics/<set>/6_validate.json. Asks no model.
"""

from funreason.stage import run


def main(name: str) -> None:
    from funreason.generate import brings_responses
    from funreason.params import load_params
    from funreason.refine.files import chosen_set
    from funreason.refine.finish import finish

    params = load_params()
    chosen = chosen_set(params, name)
    keep_given = brings_responses(chosen.sampler)
    finish(name, params.generate.samples, keep_given, chosen.earlier, params.validate_.labels)


if __name__ == "__main__":
    run(main)
