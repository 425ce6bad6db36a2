"""The rows of a round, labelled: those that are trained on, and those whose losses are only measured."""

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from funreason.calls.results import for_template
from funreason.config import TrainParams
from funreason.core.jsonio import read_jsonl
from funreason.srml import TrainingDataError
from funreason.srml.segments import LabelReport, label_rows
from funreason.train.labels import label_together
from funreason.train.toolsplit import row_tools, split_by_tool

MAX_SET_ASIDE = 0.5  # fraction of the rows


def labelled_sides(
    rows: Path, tokenizer: PreTrainedTokenizerBase, train: TrainParams, folder: Path
) -> tuple[tuple[Dataset, Dataset], tuple[LabelReport, LabelReport], dict[str, Any]]:
    """Read, split and label the rows of a round, together with the other processes.

    Args:
        rows: The JSONL file.
        tokenizer: The start model's.
        train: `heldout_fraction`, `heldout_by`, `max_length` and `max_dropped_fraction`.
        folder: The folder of this training alone, for the labels.

    Returns:
        The rows to train on and the rows held out; the report of each; the sizes of a split by tool, for the metrics.

    Raises:
        TrainingDataError: Of both together, more rows than `max_dropped_fraction` cannot be labelled, or the rows
            cannot be split by tool.
    """
    sides, sizes = _sides(list(read_jsonl(rows)), train)
    label = partial(label_rows, tokenizer=tokenizer, max_length=train.max_length, adapt_prompt=for_template)
    names = ("learned", "heldout")
    learned, heldout = (label_together(side, label, folder / name) for side, name in zip(sides, names, strict=True))
    (learned[1] + heldout[1]).check(train.max_dropped_fraction)
    return (learned[0], heldout[0]), (learned[1], heldout[1]), sizes


def _sides(rows: list[dict], train: TrainParams) -> tuple[tuple[list[dict], list[dict]], dict[str, Any]]:
    if train.heldout_by == "row" or not train.heldout_fraction:
        return split(rows, train.heldout_fraction), {}
    *sides, aside = split_by_tool(rows, train.heldout_fraction)
    if not all(sides) or len(aside) > MAX_SET_ASIDE * len(rows):
        raise TrainingDataError(
            f"the rows share too many tools to be split by tool: of {len(rows)}, {len(sides[0])} have no tool of the "
            f"{len(sides[1])} held out, {len(aside)} have tools of both; lower train.heldout_fraction, or set "
            "train.heldout_by to row"
        )
    tools = [len(set().union(*(row_tools(row["prompt"]) for row in side))) for side in sides]
    return (sides[0], sides[1]), {"split": {"tools": tools[0], "heldout_tools": tools[1], "set_aside": len(aside)}}


def split(rows: list[dict], fraction: float) -> tuple[list[dict], list[dict]]:
    """Choose the rows held out by a hash of how their prompts begin.

    So the rounds of a chain hold the same queries out, whatever their number and order of rows, and neither a query nor
    the turns of a conversation are on both sides.

    Args:
        rows: Training rows.
        fraction: About which fraction of the rows is held out, 0 to 1.

    Returns:
        The rows to train on, and the rows held out.
    """
    sides: tuple[list[dict], list[dict]] = [], []
    for row in rows:
        text = json.dumps(_opening(row["prompt"]), sort_keys=True, ensure_ascii=False)
        place = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64
        sides[place < fraction].append(row)
    return sides


def _opening(prompt: str | list[dict]) -> str | list[dict]:
    """A prompt up to the user's first message: the whole prompt, except in a conversation."""
    if isinstance(prompt, str):
        return prompt
    roles = [message["role"] for message in prompt]
    return prompt[: roles.index("user") + 1] if "user" in roles else prompt
