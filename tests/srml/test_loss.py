"""The loss against numbers worked out by hand."""

import pytest
import torch

from funreason.srml.loss import multiscale_loss, segment_counts, segment_shares, segment_sums, token_weights
from funreason.srml.segments import MASKED, RESULT, THINK

M, T, R = MASKED, THINK, RESULT
NLL = torch.tensor([[9.0, 1.0, 2.0, 3.0, 4.0], [7.0, 6.0, 8.0, float("inf"), 9.0]])
SEGMENTS = torch.tensor([[M, T, T, T, R], [M, T, R, M, M]])


def test_msl_by_hand():
    """L_think = (1 + 2 + 3 + 6) / 4 = 3, L_result = (4 + 8) / 2 = 6; 0.7 · 3 + 0.3 · 6 = 3.9."""
    counts = segment_counts(SEGMENTS)
    assert counts.tolist() == [4, 2]
    assert segment_sums(NLL, SEGMENTS).tolist() == [12, 12]
    assert multiscale_loss(NLL, SEGMENTS, counts, [0.7, 0.3]).item() == pytest.approx(3.9)


def test_sft_is_the_token_mean():
    """(1 + 2 + 3 + 6 + 4 + 8) / 6 = 4, and every weight is exactly 1."""
    counts = segment_counts(SEGMENTS)
    shares = segment_shares("sft", 0.7, counts)
    assert multiscale_loss(NLL, SEGMENTS, counts, shares).item() == 4
    assert token_weights(SEGMENTS, counts, shares)[SEGMENTS != M].unique().tolist() == [1.0]


def test_micro_batches_add_up_to_the_step():
    counts = segment_counts(SEGMENTS)
    parts = [multiscale_loss(NLL[i : i + 1], SEGMENTS[i : i + 1], counts, [0.7, 0.3]) for i in (0, 1)]
    assert sum(parts).item() == pytest.approx(3.9)


def test_the_term_of_an_empty_segment_is_zero():
    """Only result tokens: 0.3 · (4 + 8) / 2 = 1.8."""
    segments = torch.where(SEGMENTS == T, M, SEGMENTS)
    assert multiscale_loss(NLL, segments, segment_counts(segments), [0.7, 0.3]).item() == pytest.approx(1.8)
    nothing = torch.zeros_like(SEGMENTS)
    assert multiscale_loss(NLL, nothing, segment_counts(nothing), [0.7, 0.3]).item() == 0


@pytest.mark.parametrize("think, result", [(1, 1), (7, 3), (92_417, 8_113), (3, 1_000_003)])
def test_weights_are_exactly_one_at_the_token_share(think, result):
    counts = torch.tensor([think, result])
    share = think / (think + result)
    weights = token_weights(torch.tensor([T, R]), counts, segment_shares("msl", share, counts))
    assert weights.tolist() == [1.0, 1.0]


def test_shares_of_an_unknown_loss():
    with pytest.raises(ValueError, match="'dft', allowed are 'msl' and 'sft'"):
        segment_shares("dft", 0.5, torch.tensor([1, 1]))
