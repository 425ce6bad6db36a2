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
    """L of the module's equation, a scalar; or a micro-batch's addend to it, with `counts` of the whole step.

    `nll` (B, S): cross-entropy in nats of each next token, anything where masked; `segments` (B, S): integers, its
    segment, 0 is masked; `weights`: segment → weight; `samples` (B, S): integers, its sample, by default its row;
    `counts` (K,): D_k in the order of `weights`, by default those of this batch.
    """
    samples = rows_of(segments) if samples is None else samples
    if counts is None:
        counts = segment_counts(segments, samples, list(weights), reduction)
    scaled = nll * token_weights(segments, samples, weights, counts, reduction)
    return scaled.masked_fill(segments == 0, 0).sum() / counts.sum().clamp(min=1)


def rows_of(segments: torch.Tensor) -> torch.Tensor:
    """The number of each token's row, of the shape (B, S) of `segments`: the samples of a padded batch."""
    return torch.arange(len(segments), device=segments.device)[:, None].expand_as(segments)


def segment_counts(
    segments: torch.Tensor, samples: torch.Tensor, ids: Sequence[int], reduction: str = "batch"
) -> torch.Tensor:
    """D_k of each segment in `ids`, int64, shape (K,). Sums of it over micro-batches are those of the step."""
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
    """s_i of the module's equation, 0 where masked, float32, of the shape of `segments`.

    `counts` (K,): D_k over the whole optimizer step and all ranks, not over this micro-batch; only so are the
    gradients those of one large batch. The term of a segment without tokens is zero, and no other's is raised for it.
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
    """Loss sums and token counts of each sample, without gradient: float32, shape (`size`, 2, K).

    [b, 0, k] is Σ nll_i over segment `ids[k]` of sample b, [b, 1, k] its tokens. All losses of the module follow from
    these, see `mean_losses`. `nll`, `segments`, `samples` have one shape; samples are numbered from 0 below `size`.
    """
    out = torch.zeros(size, 2, len(ids), device=nll.device)
    for column, k in enumerate(ids):
        at = segments == k
        out[:, 0, column].index_add_(0, samples[at], nll.detach().float()[at])
        out[:, 1, column].index_add_(0, samples[at], torch.ones_like(samples[at], dtype=torch.float32))
    return out


def mean_parts(stats: torch.Tensor, reduction: str = "batch") -> torch.Tensor:
    """Numerators and D_k of L_k, and of the loss over all segments as one: float32, shape (2, K + 1).

    `stats` (B, 2, K) as `sample_stats` gives. Sums of these over batches are those of all their samples.
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
