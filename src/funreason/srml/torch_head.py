"""torch's `linear_cross_entropy` in the place of TRL's fused head: less memory where the vocabulary is large."""

import types

import torch
from torch import nn
from torch.distributed.tensor import DTensor
from torch.nn import LinearCrossEntropyOptions
from torch.nn.functional import linear_cross_entropy
from trl.trainer.utils import FusedCausalLMOutput

from funreason.srml.head import bare
from funreason.srml.segments import IGNORED

CHUNK = 512  # positions scored at a time: fp32 logits of 152k tokens take 311 MB
# Config entries of models that do more with their logits than a softmax.
SCALED = ("final_logit_softcapping", "logit_scale", "output_multiplier", "lm_head_multiplier", "logits_scaling")


def obstacle(model: nn.Module) -> str | None:
    """What in `model` head='linear' would ignore, None if nothing: scaled logits, or a router's loss."""
    config = bare(model).config.get_text_config()
    strange = [name for name in SCALED if getattr(config, name, None) not in (None, 1.0)]
    if getattr(config, "output_router_logits", False):
        strange.append("output_router_logits")
    return strange[0] if strange else None


def add_linear_head(model: nn.Module) -> None:
    """Have model(fused_lm_head=True, shift_labels=…) score with `linear_cross_entropy`, CHUNK positions at a time.

    `model` has TRL's fused head, whose place this takes; its outputs hold `log_probs` and `label_mask`, and zeros for
    `entropy` and `is_top1`. Raises ValueError where there is an `obstacle`.
    """
    model = bare(model)
    if found := obstacle(model):
        raise ValueError(f"{type(model).__name__} has `{found}`, which head='linear' ignores; use head='fused'")
    fused = model.forward

    def forward(self, *args, fused_lm_head=False, shift_labels=None, **kwargs):
        if not fused_lm_head or shift_labels is None:
            extra = {} if shift_labels is None else {"shift_labels": shift_labels}
            return fused(*args, fused_lm_head=fused_lm_head, **extra, **kwargs)
        hidden = self.base_model(*args, **kwargs).last_hidden_state
        return _scored(hidden, self.get_output_embeddings(), shift_labels)

    model.forward = types.MethodType(forward, model)


def _scored(hidden: torch.Tensor, head: nn.Module, labels: torch.Tensor) -> FusedCausalLMOutput:
    """Log-probabilities of `labels` (B, n) from `hidden` (B, n, H)."""
    weight, bias = (p.full_tensor() if isinstance(p, DTensor) else p for p in (head.weight, head.bias))
    flat, wanted = hidden.flatten(0, 1).to(weight.dtype), labels.flatten().to(hidden.device)
    options = LinearCrossEntropyOptions(batch_chunk_size=min(CHUNK, max(len(wanted), 1)))
    nll = linear_cross_entropy(
        flat, weight, wanted, linear_bias=bias, reduction="none", ignore_index=IGNORED, options=options
    )
    zeros = torch.zeros_like(labels, dtype=torch.float32)
    return FusedCausalLMOutput(
        log_probs=-nll.float().view(labels.shape), entropy=zeros, is_top1=zeros, label_mask=labels != IGNORED
    )
