"""Batches: the segments and samples lie beside the labels, padded, flattened or packed."""

from funreason.srml.collator import SegmentCollator

EXAMPLES = [
    {"input_ids": [5, 6, 7], "labels": [-100, 6, 7], "segment_ids": [0, 1, 2]},
    {"input_ids": [8, 9], "labels": [8, 9], "segment_ids": [2, 2]},
]


def test_padded():
    batch = SegmentCollator(pad_token_id=0)(EXAMPLES)
    assert batch["segment_ids"].tolist() == [[0, 1, 2], [2, 2, 0]]
    assert batch["sample_ids"].tolist() == [[0, 0, 0], [1, 1, 0]]


def test_flattened_rows_lose_their_first_token_as_their_labels_do():
    batch = SegmentCollator(pad_token_id=0, padding_free=True, pad_to_multiple_of=8)(EXAMPLES)
    assert batch["labels"].tolist() == [[-100, 6, 7, -100, 9, -100, -100, -100]]
    assert batch["segment_ids"].tolist() == [[0, 1, 2, 0, 2, 0, 0, 0]]
    assert batch["sample_ids"].tolist() == [[0, 0, 0, 1, 1, 0, 0, 0]]


def test_packed_rows_hold_several_samples():
    packed = {key: EXAMPLES[0][key] + EXAMPLES[1][key] for key in EXAMPLES[0]} | {"seq_lengths": [3, 2]}
    batch = SegmentCollator(pad_token_id=0, padding_free=True)([packed, EXAMPLES[1] | {"seq_lengths": [2]}])
    assert batch["segment_ids"].tolist() == [[0, 1, 2, 0, 2, 0, 2]]
    assert batch["sample_ids"].tolist() == [[0, 0, 0, 1, 1, 2, 2]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1, 0, 1]]
