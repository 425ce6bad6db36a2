"""TRL's fused LM head on the labelled positions only, on every device."""

from contextlib import contextmanager

import torch
from torch import nn
from trl.trainer.sft_trainer import is_peft_model

from funreason.srml.segments import IGNORED


@contextmanager
def compacted(model: nn.Module, mask: torch.Tensor):
    """Within, the backbone of `model` returns only the hidden states that predict a token of `mask`.

    `mask` (B, S-1): which next tokens have a label. The hidden states become (1, n, H), n = mask.sum(), to be
    scored against `shift_labels` (1, n). TRL's fused head does this on CUDA alone; elsewhere it scores prompt
    and padding too, which are most of the positions.
    """

    def keep_labelled(module, args, outputs):
        outputs.last_hidden_state = outputs.last_hidden_state[:, :-1][mask][None]
        return outputs

    whole = model.get_base_model() if is_peft_model(model) else model
    hook = whole.base_model.register_forward_hook(keep_labelled)
    try:
        yield
    finally:
        hook.remove()


def forward_compacted(call, model: nn.Module, mask: torch.Tensor, inputs: dict):
    """call(**inputs) with the fused head on the positions of `mask`; per-token outputs are of shape (1, n).

    `call` is `model`, or what wraps it for several devices.
    """
    labels = inputs.pop("labels")[:, 1:]
    assert bool(((labels != IGNORED) == mask).all()), "segments and labels disagree"
    with compacted(model, mask):
        return call(**inputs, shift_labels=labels[mask][None])
