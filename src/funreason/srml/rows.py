"""Labelled rows as a data set: checked, and packed."""

import pyarrow.compute as pc
from datasets import Dataset
from trl import pack_dataset

from funreason.core.errors import DataError


def checked_rows(rows: Dataset, names: tuple[str, ...]) -> Dataset:
    """Labelled rows, if every segment in them has a name. Raises DataError."""
    largest = pc.max(pc.list_flatten(rows.with_format("arrow")["segment_ids"][:])).as_py()
    if largest is not None and largest > len(names):
        raise DataError(
            f"the rows have a segment {largest}, known are {len(names)} ({', '.join(names)}); "
            "give every segment a weight in `segment_weights`"
        )
    return rows


def packed_rows(rows: Dataset, length: int) -> Dataset:
    """Rows of up to `length` tokens, of whole samples. Raises DataError where TRL would cut a sample's end off."""
    longest = pc.max(pc.list_value_length(rows.with_format("arrow")["input_ids"][:])).as_py()
    if longest > length:
        raise DataError(f"a row of {longest} tokens does not fit into `max_length` {length} for packing; raise it")
    return pack_dataset(rows, length, "bfd")
