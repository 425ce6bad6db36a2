"""The multiscale loss written down naively: float64, full logits, one row at a time, no batches."""

import torch
from transformers import AutoModelForCausalLM

from funreason.srml.segments import RESULT, THINK


def gradients(folder, examples: list[dict], think_weight: float) -> tuple[float, dict[str, torch.Tensor]]:
    """(loss, gradient by parameter) of one optimizer step over labelled examples."""
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").double()
    total = 0.0
    for segment, weight in ((THINK, think_weight), (RESULT, 1 - think_weight)):
        losses = torch.cat([token_losses(model, example, segment) for example in examples])
        total = total + weight * losses.mean()
    total.backward()
    return total.item(), {name: p.grad for name, p in model.named_parameters()}


def token_losses(model, example: dict, segment: int) -> torch.Tensor:
    ids = torch.tensor(example["input_ids"])
    log_probs = torch.log_softmax(model(input_ids=ids[None]).logits[0, :-1], dim=-1)
    at = torch.tensor(example["segment_ids"])[1:] == segment
    return -log_probs.gather(-1, ids[1:, None])[:, 0][at]
