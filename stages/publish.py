"""A set as a data set for others: TRL's and ShareGPT's form, with a data card.

Run as: python stages/publish.py r0
Reads params.yaml, data/<set>/{train,ledger}.jsonl, metrics/<set>/6_validate.json, data/source.json and the models'
descriptors; writes data/<set>/dataset/ and metrics/<set>/dataset.json. Asks no model, loads the student's tokenizer.
"""

from funreason.core.runtime import run


def main(name: str) -> None:
    from funreason.config.params import load_params
    from funreason.publish.build import publish

    params = load_params()
    publish(name, params.data.license, params.round_of(name).sampler)


if __name__ == "__main__":
    run(main)
