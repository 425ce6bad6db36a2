"""Makes the desk tokenizer, or trains one desk model and writes it as a Hugging Face checkpoint.

Run as: python desk/train.py tokenizer|base|teacher|judge   (from the repository root; `make desk-models` runs all)
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
DESK = Path(__file__).parent


def main(role: str) -> None:
    from ruamel.yaml import YAML

    recipes = YAML(typ="safe").load((DESK / "params.yaml").read_text())
    if role == "tokenizer":
        from funreason.desk.tokenizer import train_tokenizer

        train_tokenizer(recipes["tokenizer"]["seed"]).save_pretrained(DESK / "models" / "tokenizer")
        return
    train_model(role, recipes["models"][role])


def train_model(role: str, settings: dict) -> None:
    import torch
    from transformers import AutoTokenizer, Qwen2ForCausalLM

    from funreason.desk.pretrain import Recipe, new_model, train

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    tokenizer = AutoTokenizer.from_pretrained(DESK / "models" / "tokenizer")
    start, recipe = settings.get("start"), Recipe(**settings["recipe"])
    model = (
        Qwen2ForCausalLM.from_pretrained(DESK / "models" / f"desk-{start}", dtype=torch.float32)
        if start
        else new_model(tokenizer, recipe.seed)
    )
    curve = train(model, tokenizer, role, recipe, Path(".checkpoints") / f"desk-{role}.pt")
    folder = DESK / "models" / f"desk-{role}"
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (DESK / "curves" / f"{role}.json").parent.mkdir(exist_ok=True)
    (DESK / "curves" / f"{role}.json").write_text(json.dumps(curve, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
