"""The LM head on the labelled positions only, on every device, without the full logits."""

from collections.abc import Callable
from contextlib import contextmanager

import torch
from torch import nn
from trl.trainer.sft_trainer import is_peft_model

from funreason.srml.segments import IGNORED


@contextmanager
def watched(model: nn.Module, mask: torch.Tensor | None, on_gradient: Callable[[torch.Tensor], None] | None):
    """Within, the last hidden states of `model` are cut to those that predict a token of `mask`, and reported on.

    `mask` (B, S-1): which next tokens have a label. The hidden states become (1, n, H), n = mask.sum(), to be
    scored against `shift_labels` (1, n). TRL's fused head does this on CUDA alone; elsewhere it scores prompt
    and padding too, which are most of the positions. Without a mask they stay (B, S, H).
    `on_gradient` is called with their gradient when it is there: (1, n, H), or (B, S-1, H) without a mask.
    """

    def hook(module, args, outputs):
        hidden = outputs.last_hidden_state
        if mask is not None:
            hidden = outputs.last_hidden_state = hidden[:, :-1][mask][None]
        if on_gradient is not None and hidden.requires_grad:
            hidden.register_hook(lambda gradient: on_gradient(gradient if mask is not None else gradient[:, :-1]))
        return outputs

    handle = bare(model).base_model.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def bare(model: nn.Module) -> nn.Module:
    """The causal language model inside adapters."""
    return model.get_base_model() if is_peft_model(model) else model


def forward_compacted(call, mask: torch.Tensor, inputs: dict):
    """call(**inputs) with the fused head on the positions of `mask`; per-token outputs are of shape (1, n).

    `call` is the `watched` model, or what wraps it for several devices.
    """
    labels = inputs.pop("labels")[:, 1:]
    assert bool(((labels != IGNORED) == mask).all()), "segments and labels disagree"
    return call(**inputs, shift_labels=labels[mask][None])
