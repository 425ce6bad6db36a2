"""The loss against numbers worked out by hand."""

import pytest
import torch

from funreason.srml.loss import mean_parts, rows_of, sample_stats, segment_counts, segment_loss, token_weights

M, T, R = 0, 1, 2
NLL = torch.tensor([[9.0, 1.0, 2.0, 3.0, 4.0], [7.0, 6.0, 8.0, float("inf"), 9.0]])
SEGMENTS = torch.tensor([[M, T, T, T, R], [M, T, R, M, M]])
ROWS = rows_of(SEGMENTS)
MSL = {T: 0.7, R: 0.3}


def test_msl_by_hand():
    """L_think = (1 + 2 + 3 + 6) / 4 = 3, L_result = (4 + 8) / 2 = 6; 0.7 · 3 + 0.3 · 6 = 3.9."""
    assert segment_counts(SEGMENTS, ROWS, [T, R]).tolist() == [4, 2]
    assert segment_loss(NLL, SEGMENTS, MSL).item() == pytest.approx(3.9)


def test_means_over_samples_by_hand():
    """L_think = ((1 + 2 + 3) / 3 + 6) / 2 = 4, L_result = (4 + 8) / 2 = 6; 0.7 · 4 + 0.3 · 6 = 4.6."""
    assert segment_loss(NLL, SEGMENTS, MSL, reduction="sample").item() == pytest.approx(4.6)


def test_a_sample_without_a_segment_is_not_in_its_mean():
    """Row 1 has no think: L_think = 2, L_result = (4 + (6 + 8) / 2) / 2 = 5.5; 0.7 · 2 + 0.3 · 5.5 = 3.05."""
    segments = torch.tensor([[M, T, T, T, R], [M, R, R, M, M]])
    assert segment_loss(NLL, segments, MSL, reduction="sample").item() == pytest.approx(3.05)


def test_samples_may_lie_in_one_row():
    flat, segments = NLL.flatten()[None], SEGMENTS.flatten()[None]
    found = segment_loss(flat, segments, MSL, reduction="sample", samples=ROWS.flatten()[None])
    assert found.item() == pytest.approx(4.6)


def test_three_segments():
    """plan (1 + 6) / 2, call (2 + 3 + 8) / 3, answer 4: 0.5 · 3.5 + 0.5 · 13 / 3 + 0 · 4."""
    segments = torch.tensor([[M, 1, 2, 2, 3], [M, 1, 2, M, M]])
    found = segment_loss(NLL, segments, {1: 0.5, 2: 0.5, 3: 0.0})
    assert found.item() == pytest.approx(1.75 + 6.5 / 3)


def test_sft_is_the_token_mean():
    """(1 + 2 + 3 + 6 + 4 + 8) / 6 = 4, and every weight is exactly 1."""
    segments = (SEGMENTS != M).long()
    assert segment_loss(NLL, segments, {1: 1.0}).item() == 4
    weights = token_weights(segments, ROWS, {1: 1.0}, segment_counts(segments, ROWS, [1]))
    assert weights[segments != M].unique().tolist() == [1.0]


@pytest.mark.parametrize("reduction, whole", [("batch", 3.9), ("sample", 4.6)])
def test_micro_batches_add_up_to_the_step(reduction, whole):
    counts = segment_counts(SEGMENTS, ROWS, [T, R], reduction)
    rows = [(NLL[i : i + 1], SEGMENTS[i : i + 1]) for i in (0, 1)]
    parts = [segment_loss(*row, MSL, counts=counts, reduction=reduction) for row in rows]
    assert sum(parts).item() == pytest.approx(whole)
    stats = [sample_stats(*row, rows_of(row[0]), [T, R], 1) for row in rows]
    (think, result, _), (n_think, n_result, _) = sum(mean_parts(s, reduction) for s in stats).tolist()
    assert 0.7 * think / n_think + 0.3 * result / n_result == pytest.approx(whole)


def test_the_term_of_an_empty_segment_is_zero():
    """Only result tokens: 0.3 · (4 + 8) / 2 = 1.8."""
    for reduction in ("batch", "sample"):
        segments = torch.where(SEGMENTS == T, M, SEGMENTS)
        assert segment_loss(NLL, segments, MSL, reduction=reduction).item() == pytest.approx(1.8)
        assert segment_loss(NLL, torch.zeros_like(SEGMENTS), MSL, reduction=reduction).item() == 0


@pytest.mark.parametrize("think, result", [(1, 1), (7, 3), (92_417, 8_113), (3, 1_000_003)])
def test_weights_are_exactly_one_at_the_token_share(think, result):
    share, segments = think / (think + result), torch.tensor([[T, R]])
    weights = token_weights(segments, rows_of(segments), {T: share, R: 1 - share}, torch.tensor([think, result]))
    assert weights.tolist() == [[1.0, 1.0]]


def test_an_unknown_reduction():
    with pytest.raises(ValueError, match="'sum', allowed are batch, sample"):
        segment_loss(NLL, SEGMENTS, MSL, reduction="sum")
