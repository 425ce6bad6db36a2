"""Fine-tune a set's start model on the set's rows with the multiscale loss.

Run as: python stages/train.py r0
Reads params.yaml, data/<set>/train.jsonl and the start model; writes models/<set>/ and, in metrics/<set>/,
train.json, loss.csv and heldout.csv. Killed and run again, it goes on from its last checkpoint.
"""

from pathlib import Path

from funreason.core.runtime import run


def main(name: str) -> None:
    from funreason.config.params import load_params
    from funreason.llm import load_ref
    from funreason.llm.engines import sockets
    from funreason.train.checkpoints import checkpoint_root
    from funreason.train.launch import launched
    from funreason.train.run import train_set

    params = load_params()
    chosen = params.round_of(name)
    sockets.stop_idle()  # an engine that still waits for a next stage (llm.keep_alive_s) holds the memory
    if launched(params.train, __file__, name):
        return
    train_set(
        Path("data", name, "train.jsonl"),
        load_ref(f"models/{chosen.init}.json"),
        Path("models", name),
        Path("metrics", name),
        params.loss,
        params.train,
        checkpoints=checkpoint_root(),
    )


if __name__ == "__main__":
    run(main)
