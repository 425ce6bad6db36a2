"""Makes the toy tokenizer, or trains toy models, one on top of the other, and writes them as checkpoint folders.

Run as: python toy/train.py tokenizer · trunk · teacher · judge · base   (from the repository root; all of them:
`make toy-models`). Killed and run again, it goes on from its last checkpoint in .checkpoints/.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
TOY = Path(__file__).parent


def main(*roles: str) -> None:
    from ruamel.yaml import YAML

    params = YAML(typ="safe").load((TOY / "params.yaml").read_text())
    for role in roles:
        if role == "tokenizer":
            from funreason.toy.tokenizer import train_tokenizer

            train_tokenizer(params["tokenizer"]["seed"]).save_pretrained(TOY / "models" / "tokenizer")
        else:
            train_model(role, params["models"][role])
    for role in roles:  # only a killed run goes on from it, not one with other settings or another world
        checkpoint(role).unlink(missing_ok=True)


def checkpoint(role: str) -> Path:
    return Path(".checkpoints") / f"toy-{role}.pt"


def write_manifest() -> None:
    """The hash of every model file, for the root pipeline to depend on (see docs/architecture.md, decision 6)."""
    from hashlib import sha256

    from funreason.core.jsonio import write_json

    files = sorted(path for path in (TOY / "models").glob("toy-*/*") if path.is_file())
    hashes = {str(path.relative_to(TOY / "models")): sha256(path.read_bytes()).hexdigest() for path in files}
    write_json(TOY / "models" / "MANIFEST.json", hashes)


def train_model(role: str, role_params: dict) -> None:
    import torch
    from transformers import AutoTokenizer, LlamaForCausalLM

    from funreason.core.jsonio import write_jsonl
    from funreason.toy.pretrain import TrainingSettings, new_model, train

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    tokenizer = AutoTokenizer.from_pretrained(TOY / "models" / "tokenizer", trust_remote_code=False)
    start, training = role_params.get("start"), TrainingSettings(**role_params["training"])
    if start:
        model = LlamaForCausalLM.from_pretrained(start, dtype=torch.float32)
    else:
        model = new_model(tokenizer, training.seed)
    curve = train(model, tokenizer, role, training, checkpoint(role))
    model.save_pretrained(role_params["folder"])
    tokenizer.save_pretrained(role_params["folder"])
    write_jsonl(TOY / "curves" / f"{role}.jsonl", curve)
    write_manifest()


if __name__ == "__main__":
    main(*sys.argv[1:])
