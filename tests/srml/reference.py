"""The multiscale loss written down naively: float64, full logits, one row at a time, no batches."""

import torch
from transformers import AutoModelForCausalLM

from funreason.srml.segments import RESULT, THINK


def gradients(folder, examples: list[dict], think_weight: float, reduction="batch", adapt=None):
    """(loss, gradient by parameter) of one optimizer step over labelled examples.

    `adapt` makes another model of the loaded one, such as one with adapters.
    """
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    model = (adapt(model) if adapt else model).double()
    total = 0.0
    for segment, weight in ((THINK, think_weight), (RESULT, 1 - think_weight)):
        losses = [found for example in examples if len(found := token_losses(model, example, segment))]
        over_samples = torch.stack([found.mean() for found in losses])
        total = total + weight * (torch.cat(losses) if reduction == "batch" else over_samples).mean()
    total.backward()
    return total.item(), {name: p.grad for name, p in model.named_parameters() if p.requires_grad}


def token_losses(model, example: dict, segment: int) -> torch.Tensor:
    ids = torch.tensor(example["input_ids"])
    log_probs = torch.log_softmax(model(input_ids=ids[None]).logits[0, :-1], dim=-1)
    at = torch.tensor(example["segment_ids"])[1:] == segment
    return -log_probs.gather(-1, ids[1:, None])[:, 0][at]
