"""Batches with segments: TRL's collator, and beside its tensors the segment and the sample of every token."""

from dataclasses import dataclass
from typing import Any

import torch
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from funreason.srml.segments import IGNORED, MASKED


@dataclass
class SegmentCollator(DataCollatorForLanguageModeling):
    """Adds `segment_ids` (B, S), laid out like the labels and MASKED where those are ignored, and `sample_ids` (B, S).

    Both int64. Samples are numbered from 0 through the batch, also where rows are flattened into one, or are packed
    rows (column `seq_lengths`) of several samples each. Padding is of sample 0, and masked.
    """

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super().torch_call(examples)
        lengths = [example.get("seq_lengths") or [len(example["input_ids"])] for example in examples]
        first, samples = 0, []
        for row in lengths:
            samples.append(torch.arange(first, first + len(row)).repeat_interleave(torch.tensor(row)))
            first += len(row)
        segments = [torch.tensor(example["segment_ids"]) for example in examples]
        # TRL takes the label off the first token of each flattened row: another row would predict it.
        unlabelled = batch["labels"] == IGNORED
        batch["segment_ids"] = self._laid_out(segments, batch["labels"], MASKED).masked_fill(unlabelled, MASKED)
        batch["sample_ids"] = self._laid_out(samples, batch["labels"], 0)
        return batch

    def _laid_out(self, rows: list[torch.Tensor], like: torch.Tensor, padding: int) -> torch.Tensor:
        out = torch.full_like(like, padding)
        for row, values in zip(out, [torch.cat(rows)] if self.padding_free else rows, strict=True):
            row[: len(values)] = values
        return out
