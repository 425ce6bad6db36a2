"""Batches: the segments lie beside the labels, padded or flattened."""

from funreason.srml.collator import SegmentCollator

EXAMPLES = [
    {"input_ids": [5, 6, 7], "labels": [-100, 6, 7], "segment_ids": [0, 1, 2]},
    {"input_ids": [8, 9], "labels": [8, 9], "segment_ids": [2, 2]},
]


def test_padded():
    batch = SegmentCollator(pad_token_id=0)(EXAMPLES)
    assert batch["segment_ids"].tolist() == [[0, 1, 2], [2, 2, 0]]


def test_flattened_rows_lose_their_first_token_as_their_labels_do():
    batch = SegmentCollator(pad_token_id=0, padding_free=True)(EXAMPLES)
    assert batch["labels"].tolist() == [[-100, 6, 7, -100, 9]]
    assert batch["segment_ids"].tolist() == [[0, 1, 2, 0, 2]]
