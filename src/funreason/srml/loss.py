"""The multiscale loss of SRML as pure functions of per-token losses and segments.

FunReason (arXiv 2505.20192, section 3.3) with any number of segments k and weights w_k ≥ 0, Σ w_k = 1:

    L = Σ_k w_k · L_k,      L_k = (1 / D_k) · Σ_{i in k} u_i · nll_i

The paper's two segments are w = {think: λ, result: 1 − λ}; BalanceSFT (v3 of the same id) learns λ. The papers do not
say what L_k averages over:

    reduction    u_i                                           D_k
    batch        1                                             tokens of segment k in the optimizer step
    sample       1 / (tokens of segment k in i's sample)       samples of the optimizer step that have segment k

As one weighted sum, the form used here, in which a trainer only has to scale what it sums anyway:

    L = (1 / D) · Σ_i s_i · nll_i,      s_i = w_k · (D / D_k) · u_i for i in k,      D = Σ_k D_k

Ordinary fine-tuning (`sft`) is one segment of weight 1. With `batch` every s_i is then exactly 1, as it is for
w_k = N_k / N: the gradients are TRL's own, bit for bit.
"""

from collections.abc import Mapping, Sequence

import torch

REDUCTIONS = ("batch", "sample")


def segment_loss(
    nll: torch.Tensor,
    segments: torch.Tensor,
    weights: Mapping[int, float],
    *,
    reduction: str = "batch",
    samples: torch.Tensor | None = None,
    counts: torch.Tensor | None = None,
) -> torch.Tensor:
    """The loss L of the module's equation, or, with `counts` of the whole step, a micro-batch's addend to it.

    Args:
        nll: (B, S), cross-entropy of each next token in nats, any value where masked.
        segments: (B, S) integers, the segment of each token; 0 is masked.
        weights: Segment → weight.
        reduction: "batch" or "sample", see the module's table.
        samples: (B, S) integers, the sample of each token; by default its row.
        counts: (K,), D_k in the order of `weights`; by default those of this batch.

    Returns:
        A scalar, in nats.

    Raises:
        ValueError: The reduction is unknown.
    """
    samples = rows_of(segments) if samples is None else samples
    if counts is None:
        counts = segment_counts(segments, samples, list(weights), reduction)
    scaled = nll * token_weights(segments, samples, weights, counts, reduction)
    return scaled.masked_fill(segments == 0, 0).sum() / counts.sum().clamp(min=1)


def rows_of(segments: torch.Tensor) -> torch.Tensor:
    """The row number of each token, of the shape (B, S) of `segments`: the samples of a padded batch."""
    return torch.arange(len(segments), device=segments.device)[:, None].expand_as(segments)


def segment_counts(
    segments: torch.Tensor, samples: torch.Tensor, ids: Sequence[int], reduction: str = "batch"
) -> torch.Tensor:
    """D_k of the module's equation. Sums of it over micro-batches are those of the step.

    Args:
        segments: (B, S) integers, the segment of each token.
        samples: (B, S) integers, the sample of each token.
        ids: The K segments that are counted.
        reduction: "batch" or "sample".

    Returns:
        (K,), int64, in the order of `ids`.
    """
    _check(reduction)
    if reduction == "batch":
        return torch.stack([(segments == k).sum() for k in ids])
    return torch.tensor([samples[segments == k].unique().numel() for k in ids], device=segments.device)


def token_weights(
    segments: torch.Tensor,
    samples: torch.Tensor,
    weights: Mapping[int, float],
    counts: torch.Tensor,
    reduction: str = "batch",
) -> torch.Tensor:
    """s_i of the module's equation. The term of a segment without tokens is zero, and no other's is raised for it.

    Args:
        segments: (B, S) integers, the segment of each token; 0 is masked.
        samples: (B, S) integers, the sample of each token.
        weights: Segment → weight.
        counts: (K,), D_k over the whole optimizer step and all ranks, not over this micro-batch; only so are the
            gradients those of one large batch.
        reduction: "batch" or "sample".

    Returns:
        (B, S), float32, 0 where masked.
    """
    _check(reduction)
    values, total = counts.tolist(), int(counts.sum())
    table = [0.0] * (max(weights) + 1)  # by segment; in float64, so that s is 1 at N_k / N
    for (k, weight), count in zip(weights.items(), values, strict=True):
        table[k] = weight * total / count if count else 0.0
    scale = torch.tensor(table, dtype=torch.float32, device=segments.device)[segments.long()]
    if reduction == "sample":
        key = samples * len(table) + segments  # one number for each segment of each sample
        scale = scale / torch.bincount(key.flatten())[key]
    return scale


def sample_stats(
    nll: torch.Tensor, segments: torch.Tensor, samples: torch.Tensor, ids: Sequence[int], size: int
) -> torch.Tensor:
    """Loss sums and token counts of each sample, without gradient. `mean_parts` makes all losses of them.

    Args:
        nll: (B, S), cross-entropy of each next token in nats.
        segments: (B, S) integers, the segment of each token.
        samples: (B, S) integers from 0 below `size`, the sample of each token.
        ids: The K segments.
        size: Number of samples.

    Returns:
        (size, 2, K), float32: [b, 0, k] is Σ nll_i over segment ids[k] of sample b, [b, 1, k] its number of tokens.
    """
    out = torch.zeros(size, 2, len(ids), device=nll.device)
    for column, k in enumerate(ids):
        at = segments == k
        out[:, 0, column].index_add_(0, samples[at], nll.detach().float()[at])
        out[:, 1, column].index_add_(0, samples[at], torch.ones_like(samples[at], dtype=torch.float32))
    return out


def mean_parts(stats: torch.Tensor, reduction: str = "batch") -> torch.Tensor:
    """Numerators and D_k of each L_k, and of the loss over all segments as one. Batches' parts may be added up.

    Args:
        stats: (B, 2, K), from `sample_stats`.
        reduction: "batch" or "sample".

    Returns:
        (2, K + 1), float32: numerators and denominators.
    """
    _check(reduction)
    whole = torch.cat([stats, stats.sum(-1, keepdim=True)], dim=-1)
    if reduction == "batch":
        return whole.sum(0)
    sums, tokens = whole.unbind(1)
    return torch.stack([(sums / tokens.clamp(min=1)).sum(0), (tokens > 0).sum(0).float()])


def _check(reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise ValueError(f"the reduction is {reduction!r}, allowed are {', '.join(REDUCTIONS)}")
