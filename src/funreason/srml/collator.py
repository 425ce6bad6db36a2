"""Batches with segments: TRL's collator, and beside its tensors the segment of every token."""

import itertools
from dataclasses import dataclass
from typing import Any

import torch
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from funreason.srml.segments import IGNORED, MASKED


@dataclass
class SegmentCollator(DataCollatorForLanguageModeling):
    """Adds `segment_ids` (B, S), int64, laid out like the labels and MASKED where those are ignored."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super().torch_call(examples)
        rows = [example["segment_ids"] for example in examples]
        if self.padding_free:
            rows = [list(itertools.chain.from_iterable(rows))]
        segments = torch.full_like(batch["labels"], MASKED)
        for row, values in zip(segments, rows, strict=True):
            row[: len(values)] = torch.tensor(values)
        # TRL takes the label off the first token of each flattened row: another row would predict it.
        batch["segment_ids"] = segments.masked_fill(batch["labels"] == IGNORED, MASKED)
        return batch
