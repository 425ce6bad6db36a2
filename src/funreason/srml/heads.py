"""The LM head, scored on the labelled positions only, without the full logits: TRL's, or torch's in chunks."""

import functools
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.distributed.tensor import DTensor
from trl.trainer.sft_trainer import is_peft_model
from trl.trainer.utils import FusedCausalLMOutput

from funreason.srml.segments import IGNORED

CHUNK = 512  # positions that the linear head scores at a time: float32 logits of 152k tokens take 311 MB
# Config entries of models that do more with their logits than a softmax.
SCALED = ("final_logit_softcapping", "logit_scale", "output_multiplier", "lm_head_multiplier", "logits_scaling")


def unwrap_peft(model: nn.Module) -> Any:
    """The causal language model inside adapters. Its class, and so its attributes, differ from model to model."""
    causal_lm: Any = model
    return causal_lm.get_base_model() if is_peft_model(model) else causal_lm


@contextmanager
def hidden_state_hook(
    model: nn.Module, mask: torch.Tensor | None, on_gradient: Callable[[torch.Tensor], None] | None
) -> Iterator[None]:
    """While active, cut the last hidden states to the labelled positions, and report their gradient.

    TRL's fused head skips prompt and padding, which are most of the positions, on CUDA alone.

    Args:
        model: The model, with or without adapters, not wrapped for several devices.
        mask: (B, S-1), which next tokens have a label. The hidden states become (1, n, H), n = mask.sum(), to be
            scored against `shift_labels` (1, n). None leaves them (B, S, H).
        on_gradient: Called with the loss's gradient with respect to the hidden states: (1, n, H), or (B, S-1, H)
            without a mask.
    """

    def hook(module: nn.Module, args: Any, outputs: Any) -> Any:
        hidden = outputs.last_hidden_state
        if mask is not None:
            hidden = outputs.last_hidden_state = hidden[:, :-1][mask][None]
        if on_gradient is not None and hidden.requires_grad:
            hidden.register_hook(lambda gradient: on_gradient(gradient if mask is not None else gradient[:, :-1]))
        return outputs

    handle = unwrap_peft(model).base_model.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def forward_compacted(call: Callable[..., Any], mask: torch.Tensor, inputs: dict[str, Any]) -> Any:
    """Call a model with the fused head on the labelled positions.

    Args:
        call: The model under a `hidden_state_hook`, or what wraps it for several devices.
        mask: (B, S-1), which next tokens have a label.
        inputs: The arguments, with `labels` (B, S).

    Returns:
        The outputs, whose values per token are of shape (1, n), n = mask.sum().
    """
    labels = inputs.pop("labels")[:, 1:]
    assert bool(((labels != IGNORED) == mask).all()), "segments and labels disagree"
    return call(**inputs, shift_labels=labels[mask][None])


def linear_head_problem(model: nn.Module) -> str | None:
    """Why `model` cannot be trained with head='linear': no such function in torch, scaled logits, a router's loss."""
    if not hasattr(nn.functional, "linear_cross_entropy"):
        return (
            f"torch {torch.__version__} has no `linear_cross_entropy`, which head='linear' needs; install torch>=2.13"
        )
    config = unwrap_peft(model).config.get_text_config()
    ignored = [name for name in SCALED if getattr(config, name, None) not in (None, 1.0)]
    if getattr(config, "output_router_logits", False):
        ignored.append("output_router_logits")
    return f"{type(unwrap_peft(model)).__name__} has `{ignored[0]}`, which head='linear' ignores" if ignored else None


def add_linear_head(model: nn.Module) -> None:
    """Have model(fused_lm_head=True, shift_labels=…) score with torch's `linear_cross_entropy`, CHUNK positions a time.

    It takes the place of TRL's fused head, which `model` has: less memory where the vocabulary is large. Its outputs
    hold `log_probs` and `label_mask`, and zeros for `entropy` and `is_top1`. Raises ValueError where there is a
    `linear_head_problem`.
    """
    if problem := linear_head_problem(model):
        raise ValueError(f"{problem}; or use head='fused'")
    model = unwrap_peft(model)
    fused = model.forward

    # With the signature of the model's own: `generate` looks there for `logits_to_keep`.
    @functools.wraps(type(model).forward)
    def forward(
        self: Any, *args: Any, fused_lm_head: bool = False, shift_labels: torch.Tensor | None = None, **kwargs: Any
    ) -> Any:
        if not fused_lm_head or shift_labels is None:
            labels = {} if shift_labels is None else {"shift_labels": shift_labels}
            return fused(*args, fused_lm_head=fused_lm_head, **labels, **kwargs)
        hidden = self.base_model(*args, **kwargs).last_hidden_state
        return _score(hidden, self.get_output_embeddings(), shift_labels)

    model.forward = types.MethodType(forward, model)


def _score(hidden: torch.Tensor, head: Any, labels: torch.Tensor) -> FusedCausalLMOutput:
    """Log-probabilities of `labels` (B, n) from `hidden` (B, n, H)."""
    from torch.nn import LinearCrossEntropyOptions  # torch 2.13 and later
    from torch.nn.functional import linear_cross_entropy

    weight, bias = (p.full_tensor() if isinstance(p, DTensor) else p for p in (head.weight, head.bias))
    flat, flat_labels = hidden.flatten(0, 1).to(weight.dtype), labels.flatten().to(hidden.device)
    options = LinearCrossEntropyOptions(batch_chunk_size=min(CHUNK, max(len(flat_labels), 1)))
    nll = linear_cross_entropy(
        flat, weight, flat_labels, linear_bias=bias, reduction="none", ignore_index=IGNORED, options=options
    )
    zeros = torch.zeros_like(labels, dtype=torch.float32)
    return FusedCausalLMOutput(
        log_probs=-nll.float().view(labels.shape), entropy=zeros, is_top1=zeros, label_mask=labels != IGNORED
    )
