"""The multiscale loss of SRML as pure functions of per-token losses and segments.

FunReason (arXiv 2505.20192, section 3.3), with N_k the number of tokens of segment k in the optimizer step:

    L = λ · L_think + (1 − λ) · L_result,      L_k = (1 / N_k) · Σ_{i in k} nll_i

The same as one weighted token mean, the form used here, in which a trainer only has to scale what it sums:

    L = (1 / N) · Σ_i w(i) · nll_i,      w(i) = share_k · N / N_k for i in k,      N = Σ_k N_k

Ordinary fine-tuning is share_k = N_k / N: every w is exactly 1.
"""

import torch

from funreason.srml.segments import RESULT, THINK

SEGMENTS = (THINK, RESULT)


def segment_counts(segments: torch.Tensor) -> torch.Tensor:
    """Tokens per segment, int64, shape (2,) as [N_think, N_result]. `segments`: integers of any shape."""
    return torch.stack([(segments == k).sum() for k in SEGMENTS])


def segment_sums(nll: torch.Tensor, segments: torch.Tensor) -> torch.Tensor:
    """Losses summed per segment, float32, shape (2,), no gradient. `nll` and `segments` have one shape."""
    return torch.stack([nll.detach().float()[segments == k].sum() for k in SEGMENTS])


def segment_shares(kind: str, think_weight: float, counts: torch.Tensor) -> list[float]:
    """[share_think, share_result], which sum to 1. `msl`: fixed at λ; `sft`: as the tokens are (`counts`)."""
    if kind == "msl":
        return [think_weight, 1 - think_weight]
    if kind == "sft":
        return [count / max(int(counts.sum()), 1) for count in counts.tolist()]
    raise ValueError(f"the loss is {kind!r}, allowed are 'msl' and 'sft'")


def token_weights(segments: torch.Tensor, counts: torch.Tensor, shares: list[float]) -> torch.Tensor:
    """w(i) of the module's equation for each token, 0 where masked, float32, of the shape of `segments`.

    `counts` (2,): tokens per segment over the whole optimizer step and all ranks, not over this micro-batch;
    only so are the gradients those of one large batch. The term of a segment without tokens is zero, and the
    other's share is not raised for it.
    """
    total, counts = int(counts.sum()), counts.tolist()
    weights = [0.0, 0.0, 0.0]  # of MASKED, THINK, RESULT; in float64, so that w is 1 at N_k / N
    for k, share, count in zip(SEGMENTS, shares, counts, strict=True):
        weights[k] = share * total / count if count else 0.0
    return torch.tensor(weights, dtype=torch.float32, device=segments.device)[segments.long()]


def multiscale_loss(
    nll: torch.Tensor, segments: torch.Tensor, counts: torch.Tensor, shares: list[float]
) -> torch.Tensor:
    """L of the module's equation, a scalar; or a micro-batch's addend to it, with `counts` of the whole step.

    `nll` (B, S-1): cross-entropy of each next token, anything where masked; `segments` (B, S-1): its segment.
    """
    weighted = (nll * token_weights(segments, counts, shares)).masked_fill(segments == 0, 0)
    return weighted.sum() / counts.sum().clamp(min=1)
