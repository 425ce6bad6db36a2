"""Say how a round is trained, so that what only GRPO needs reruns no supervised training.

Run as: python stages/method.py r0
Reads params.yaml and data/<round>/ledger.jsonl; writes data/<round>/method.json: for `sft` the name alone, for `grpo`
its parameters, and the pass rates of the prompts where the start model wrote the round's samples itself.
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main(name: str) -> None:
    from funreason.config import load_params
    from funreason.core import paths
    from funreason.core.jsonio import read_jsonl, write_json
    from funreason.grpo.known import pass_rates

    params = load_params()
    method = {"method": params.recipe_of(name).method}
    if method["method"] == "grpo":
        of_start = params.round_of(name).generator == params.round_of(name).init
        rates = pass_rates(read_jsonl(paths.ledger(name))) if of_start else None
        method |= {"grpo": params.grpo.model_dump(), "rates": rates}
    write_json(paths.method(name), method)


if __name__ == "__main__":
    run(main)
