"""Samples in one row, packed or padding-free, must not see each other; not every attention keeps them apart."""

from typing import Any

import torch

from funreason.srml.heads import unwrap_peft

LENGTH = 4  # tokens of each of the two samples


def check_isolation(model: torch.nn.Module) -> None:
    """Try a model on two samples in one row.

    Not under flash attention, which is given the samples' borders and may not run where the model is now, nor where
    this process does not have the weights.

    Args:
        model: The model, with or without adapters, not wrapped for several devices.

    Raises:
        ValueError: The second sample's hidden states depend on the first one.
    """
    attention = str(unwrap_peft(model).config._attn_implementation)
    absent = any(p.is_meta or not p.numel() for p in model.parameters())
    if "flash" not in attention and not absent and sees_sample_before(model):
        raise ValueError(
            f"{type(unwrap_peft(model)).__name__} with the attention {attention!r} lets a sample see the one before it "
            "in a packed or padding-free row; use flash attention, or set packing and padding_free to False"
        )


@torch.no_grad()
def sees_sample_before(model: torch.nn.Module) -> bool:
    """Whether a sample's hidden states change with the sample before it, from which its positions tell it apart."""
    causal_lm: Any = unwrap_peft(model)
    device, training = causal_lm.get_input_embeddings().weight.device, model.training
    positions = torch.arange(LENGTH, device=device).repeat(2)[None]
    second, hidden = torch.arange(1, LENGTH + 1), []
    model.eval()
    for first in (second, second.flip(0)):
        ids = torch.cat([first, second])[None].to(device)
        outputs = causal_lm.base_model(input_ids=ids, position_ids=positions, use_cache=False)
        hidden.append(outputs.last_hidden_state[0, LENGTH:].float())
    model.train(training)
    return not torch.allclose(hidden[0], hidden[1], rtol=1e-3, atol=1e-5)
