"""Run by torchrun in test_gradients: one optimizer step on two gloo ranks, what each rank saw goes to a file.

Run as: torchrun --nproc_per_node=2 two_ranks.py MODEL FOLDER
"""

import sys
from pathlib import Path

import torch
from datasets import load_from_disk
from steps import COMMON, Gradients
from transformers import AutoModelForCausalLM, AutoTokenizer

from funreason.srml import SRMLConfig, SRMLTrainer


def main(model: str, folder: Path) -> None:
    rows, tokenizer = load_from_disk(folder / "rows"), AutoTokenizer.from_pretrained(model)
    for reduction in ("batch", "sample"):
        args = SRMLConfig(
            str(folder / "out"), **COMMON, ddp_backend="gloo", expected_world_size=2, segment_loss="ssb",
            segment_reduction=reduction, per_device_train_batch_size=1, gradient_accumulation_steps=4,
            per_device_eval_batch_size=2,
        )  # fmt: skip
        taken, start = Gradients(), AutoModelForCausalLM.from_pretrained(model)
        trainer = SRMLTrainer(start, args, train_dataset=rows, processing_class=tokenizer, callbacks=[taken])
        trainer.train()
        # Seven rows: the ranks get two batches each, and one row twice.
        seven = rows.select(range(7))
        found = {
            "step": (trainer.state.log_history[0]["loss"], taken.found),
            "alpha": trainer.balance.value,
            "eval": trainer.evaluate(seven)["eval_loss"],
        }
        if args.process_index == 0:
            found["eval_alone"] = alone(trainer, seven)
        torch.save(found, folder / f"{reduction}-{args.process_index}.pt")


def alone(trainer, rows) -> float:
    """The loss over `rows` as one batch, by the loss function itself."""
    from funreason.srml.loss import segment_loss

    batch = trainer.data_collator(list(rows))
    model = trainer.accelerator.unwrap_model(trainer.model).eval()
    with torch.no_grad():
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    nll = torch.nn.functional.cross_entropy(logits.transpose(1, 2), batch["input_ids"][:, 1:], reduction="none")
    weights = dict(enumerate(trainer.segment_weights, 1))
    reduction = trainer.args.segment_reduction
    return segment_loss(nll, batch["segment_ids"][:, 1:], weights, reduction=reduction).item()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
