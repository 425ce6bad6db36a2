"""Train a round's start model on the round's rows: with the multiscale loss, or by GRPO where its recipe says so.

Run as: python stages/train.py r0
Reads params.yaml, data/<round>/{method.json,train.jsonl} and the start model; writes models/<round>/,
data/<round>/tokens.json and, in metrics/<round>/, train.json, loss.csv and heldout.csv. Killed and run again, it goes
on from its last checkpoint.
"""

import sys
from pathlib import Path

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main(name: str) -> None:
    from funreason.config import GrpoParams, load_params
    from funreason.core import paths
    from funreason.core.jsonio import read_json
    from funreason.llm import load_ref
    from funreason.llm.engines import sockets
    from funreason.train.checkpoints import checkpoint_root
    from funreason.train.launch import launched
    from funreason.train.run import train_round

    params = load_params()
    # A shared engine (llm.keep_alive_s) holds GPU memory.
    for gone in (sockets.end_all, sockets.name_others):
        gone(lambda line: print(f"train: {line}", file=sys.stderr, flush=True))
    if launched(params.train, __file__, name):
        return
    places = (
        Path(paths.train_rows(name)),
        load_ref(paths.descriptor(params.round_of(name).init)),
        Path(paths.model_folder(name)),
        Path(paths.metrics_folder(name)),
    )
    tokens = Path(paths.token_losses(name))
    method = read_json(paths.method(name))
    if method["method"] == "grpo":
        from funreason.grpo.run import train_by_grpo

        grpo = GrpoParams.model_validate(method["grpo"])
        train_by_grpo(*places, grpo, params.train, checkpoints=checkpoint_root(), tokens=tokens, rates=method["rates"])
        return
    train_round(*places, params.loss, params.train, checkpoints=checkpoint_root(), tokens=tokens)


if __name__ == "__main__":
    run(main)
