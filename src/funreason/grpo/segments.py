"""SRML's segment weights inside GRPO's loss.

With l_i, the loss of a completion's token as GRPO has it (−A · ratio, clipped), the loss of an optimizer step is

    L = λ · (mean of l_i over all reasoning tokens) + (1 − λ) · (mean of l_i over all result tokens)

in place of one mean over all tokens (TRL's `dapo`, to which it is equal at λ = N_t / N). As in `srml.loss` this is a
sum with a factor s_i per token. Since s_i ≥ 0 it can stand on the advantage: the clipped minimum is the same. The KL
term has no advantage, and stays a mean over all tokens.
"""

from collections.abc import Callable, Sequence

import torch

from funreason.srml.controls import CLOSE
from funreason.srml.loss import rows_of, segment_counts, token_weights
from funreason.srml.segments import RESULT, THINK

Decode = Callable[[Sequence[int]], str]


def result_start(ids: Sequence[int], decode: Decode) -> int:
    """The first token of a completion that reaches into its result; 0 without think marks, as in SRML.

    Args:
        ids: The completion's tokens.
        decode: Tokens → text.
    """
    if CLOSE not in decode(ids):
        return 0
    low, high = 0, len(ids)  # a bisection: once a prefix has a part of the result, every longer one does
    while low < high:
        middle = (low + high) // 2
        if decode(ids[: middle + 1]).partition(CLOSE)[2].strip():
            high = middle
        else:
            low = middle + 1
    return low


def completion_segments(ids: torch.Tensor, mask: torch.Tensor, decode: Decode) -> torch.Tensor:
    """The segment of each token of completions.

    Args:
        ids: (B, T) tokens.
        mask: (B, T), 1 on the completion's tokens.
        decode: Tokens → text.

    Returns:
        (B, T), THINK or RESULT, 0 where masked.
    """
    segments = torch.full_like(ids, RESULT)
    for row, (tokens, kept) in enumerate(zip(ids.tolist(), mask.sum(1).tolist(), strict=True)):
        segments[row, : result_start(tokens[:kept], decode)] = THINK
    return segments * mask


def segment_scale(
    segments: torch.Tensor, think_weight: float, reduce: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """s_i of the module's equation.

    Args:
        segments: (B, T), the completions of one optimizer step on this process.
        think_weight: λ.
        reduce: Sums a tensor over the processes.

    Returns:
        (B, T), float32, 0 where masked.
    """
    counts = reduce(segment_counts(segments, rows_of(segments), [THINK, RESULT]))
    return token_weights(segments, rows_of(segments), {THINK: think_weight, RESULT: 1 - think_weight}, counts)
