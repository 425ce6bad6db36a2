"""Publish the rows of a round as a data set, in TRL's and ShareGPT's format, with a data card.

Run as: python stages/publish.py r0
Reads params.yaml, data/<round>/{train,ledger}.jsonl, metrics/<round>/6_validate.json, data/source.json and the models'
descriptors; writes data/<round>/dataset/ and metrics/<round>/dataset.json. Asks no model; loads the
student's tokenizer.
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main(name: str) -> None:
    from funreason.config import load_params
    from funreason.publish.build import publish

    params = load_params()
    publish(name, params.data.license, params.round_of(name).generator)


if __name__ == "__main__":
    run(main)
