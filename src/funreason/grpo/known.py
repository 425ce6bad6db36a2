"""What the ledger of a round knows of its prompts: how many of the start model's own samples the checks accepted."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from funreason.calls.results import for_template
from funreason.grpo.selection import Selection
from funreason.srml.rows import UnusableRow, render
from funreason.srml.template import unmarked

REFUSED = ("drop", "hard")  # actions of the checks on a sample that is not right
Rates = dict[str, tuple[int, int]]  # query → (samples that were right, samples)


def pass_rates(ledger: Iterable[dict[str, Any]]) -> Rates:
    """The samples of each query, and how many no check refused; without the queries of one sample, which tells nothing.

    Args:
        ledger: The lines of a round's ledger.
    """
    samples: Counter[str] = Counter()
    wrong: set[str] = set()
    for line in ledger:
        if line["check"] == "generate":
            samples[_query(line["id"])] += 1
        if line["action"] in REFUSED:
            wrong.add(line["id"])
    refused = Counter(map(_query, wrong))
    return {query: (count - refused[query], count) for query, count in samples.items() if count > 1}


def _query(sample: str) -> str:
    return sample.rpartition("/")[2].partition("#")[0]


def tell(
    selection: Selection, prompts: Dataset, rows: Iterable[dict], rates: Rates, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Tell a selection what the ledger knows.

    Args:
        selection: Of the prompts.
        prompts: As from `rows.prompt_rows`.
        rows: The training rows of the round itself, of which the prompts were made.
        rates: As from `pass_rates`.
        tokenizer: The start model's.
    """
    places = {prompt: place for place, prompt in enumerate(prompts["prompt"])}
    told = set()
    for row in rows:
        query = _query(row["id"])
        if query in rates and query not in told:
            try:
                place = places.get(unmarked(render(row, tokenizer, for_template)[0]))
            except UnusableRow:
                continue
            if place is not None:
                told.add(query)
                selection.know(place, *rates[query])
