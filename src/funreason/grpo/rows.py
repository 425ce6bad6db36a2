"""The prompts of a round for GRPO: from the same labelled rows that supervised training takes, token by token."""

import json
import sys
from collections.abc import Iterable
from typing import Any

from datasets import Dataset, Features, List, Value
from transformers import PreTrainedTokenizerBase

from funreason.calls.forms import UNREADABLE
from funreason.calls.results import for_template
from funreason.core.errors import DataError
from funreason.grpo.known import Rates, query_of
from funreason.grpo.selection import Selection
from funreason.rewards.reading import read_reference
from funreason.srml.controls import CLOSE
from funreason.srml.rows import UnusableRow, render
from funreason.srml.segments import IGNORED
from funreason.srml.template import unmarked
from funreason.train.exact import text_of

_LIST = "[\n    {"  # how the list of tools begins in a calling prompt
FEATURES = Features(
    {"row": Value("int64"), "prompt": Value("string"), "prompt_ids": List(Value("int32")), "reference": Value("string"),
     "tools": Value("string"), "think": Value("bool")}
)  # fmt: skip


def prompt_rows(learned: Dataset, tokenizer: PreTrainedTokenizerBase, think: str) -> tuple[Dataset, set[int]]:
    """The prompts to sample from, each once, with the columns of the rewards.

    Args:
        learned: The labelled rows.
        tokenizer: The start model's.
        think: `grpo.think`.

    Returns:
        A data set of FEATURES; `row` is a prompt's place in it. And the tokens that end the rows' own completions.

    Raises:
        DataError: No row has calls or a refusal as its answer.
    """
    columns: dict[str, list[Any]] = {name: [] for name in FEATURES}
    seen, ends, left_out = set(), set(), 0  # type: set[tuple[int, ...]], set[int], int
    for row in learned.select_columns(["input_ids", "labels"]):
        size = row["labels"].count(IGNORED)
        ids, own = row["input_ids"][:size], row["input_ids"][size:]
        if tuple(ids) in seen:
            continue
        seen.add(tuple(ids))
        reference = text_of(own, tokenizer, own[-1:])[0]
        if not _is_usable(reference):
            left_out += 1
            continue
        ends.add(own[-1])
        prompt = text_of(ids, tokenizer, ())[0]
        reasons = think == "required" and CLOSE in reference
        values = (len(columns["row"]), prompt, ids, reference, tools_of(prompt), reasons)
        for name, value in zip(FEATURES, values, strict=True):
            columns[name].append(value)
    if left_out:
        print(f"train: {left_out} rows left out: their answers are neither calls nor a refusal", file=sys.stderr)
    if not columns["row"]:
        raise DataError("no training row has calls, [] or a statement as its answer; GRPO has nothing to reward")
    return Dataset.from_dict(columns, features=FEATURES), ends


def tools_of(prompt: str) -> str | None:
    """The JSON text of the tools that a prompt lists; None where it lists none."""
    at = prompt.find(_LIST)
    if at < 0:
        return None
    try:
        return json.dumps(json.JSONDecoder().raw_decode(prompt, at)[0])
    except ValueError:
        return None


def _is_usable(reference: str) -> bool:
    try:
        return read_reference(reference).form != UNREADABLE
    except DataError:
        return False


def tell(
    selection: Selection, prompts: Dataset, rows: Iterable[dict], rates: Rates, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Tell a selection what the ledger knows.

    Args:
        selection: Of the prompts.
        prompts: As from `rows.prompt_rows`.
        rows: The training rows of the round itself, of which the prompts were made.
        rates: As from `known.pass_rates`.
        tokenizer: The start model's.
    """
    places = {prompt: place for place, prompt in enumerate(prompts["prompt"])}
    told = set()
    for row in rows:
        query = query_of(row["id"])
        if query in rates and query not in told:
            try:
                place = places.get(unmarked(render(row, tokenizer, for_template)[0]))
            except UnusableRow:
                continue
            if place is not None:
                told.add(query)
                selection.know(place, *rates[query])
