"""From labelled rows to batches: rows are checked and packed; a batch has the segment and sample of every token."""

from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc
import torch
from datasets import Dataset
from trl import pack_dataset
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from funreason.srml.formats import TrainingDataError
from funreason.srml.segments import IGNORED, MASKED


@dataclass
class SegmentCollator(DataCollatorForLanguageModeling):
    """TRL's collator, which adds `segment_ids` and `sample_ids`, both int64 of shape (B, S), to a batch.

    `segment_ids` are laid out like the labels, and MASKED where those are ignored. `sample_ids` number the samples from
    0 through the batch, also where rows are flattened into one, or are packed rows (column `seq_lengths`) of several
    samples each. Padding has sample 0, and is masked.
    """

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """A batch of labelled rows: `input_ids`, `labels`, `segment_ids`, and perhaps `seq_lengths`."""
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


def check_segments(rows: Dataset, names: tuple[str, ...]) -> Dataset:
    """Check that every segment of labelled rows has a name.

    Args:
        rows: Labelled rows.
        names: The segments, in the order of their numbers 1, 2, …

    Returns:
        `rows`.

    Raises:
        TrainingDataError: A segment has no name.
    """
    largest = pc.max(pc.list_flatten(rows.with_format("arrow")["segment_ids"][:])).as_py()
    if largest is not None and largest > len(names):
        raise TrainingDataError(
            f"the rows have a segment {largest}, known are {len(names)} ({', '.join(names)}); "
            "give every segment a weight in `segment_weights`"
        )
    return rows


def pack_rows(rows: Dataset, length: int) -> Dataset:
    """Pack labelled rows, each whole.

    Args:
        rows: Labelled rows.
        length: Most tokens of a packed row.

    Returns:
        The packed rows, with the lengths of their samples in `seq_lengths`.

    Raises:
        TrainingDataError: A row is longer than `length`; TRL would cut its end off.
    """
    longest = pc.max(pc.list_value_length(rows.with_format("arrow")["input_ids"][:])).as_py()
    if longest > length:
        raise TrainingDataError(
            f"a row of {longest} tokens does not fit into `max_length` {length} for packing; raise it"
        )
    return pack_dataset(rows, length, "bfd")
