"""Run by torchrun in test_gradients: one optimizer step on two gloo ranks, what each rank saw goes to a file.

Run as: torchrun --nproc_per_node=2 two_ranks.py MODEL FOLDER
With FSDP's settings in the environment, the ranks shard the model.
"""

import sys
from pathlib import Path

import torch
from datasets import concatenate_datasets, load_from_disk
from steps import COMMON, Gradients
from transformers import AutoModelForCausalLM, AutoTokenizer

from funreason.srml import SRMLConfig, SRMLTrainer
from funreason.train.sharding import shard_on_cpus


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
        found["eval_alone"] = alone(trainer, seven)
        found["kind"] = trainer.accelerator.distributed_type.value
        torch.save(found, folder / f"{reduction}-{args.process_index}.pt")
    if found["kind"] == "FSDP":
        torch.save(in_bfloat16(model, folder, rows, tokenizer), folder / f"bf16-{args.process_index}.pt")


def in_bfloat16(model, folder, rows, tokenizer) -> dict:
    """The gradients of sixteen times the rows, which are those of the rows, over 64 micro-batches."""
    args = SRMLConfig(
        str(folder / "out"), **COMMON | {"bf16": True}, ddp_backend="gloo",
        per_device_train_batch_size=1, gradient_accumulation_steps=64,
    )  # fmt: skip
    taken, start = Gradients(), AutoModelForCausalLM.from_pretrained(model)
    many = concatenate_datasets([rows] * 16)
    SRMLTrainer(start, args, train_dataset=many, processing_class=tokenizer, callbacks=[taken]).train()
    return taken.found


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
    shard_on_cpus()
    main(sys.argv[1], Path(sys.argv[2]))
