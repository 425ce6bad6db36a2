"""What the ledger of a round knows of its prompts: how many of the start model's own samples the checks accepted."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

Rates = dict[str, tuple[int, int]]  # query → (samples that were right, samples)
REFUSED = ("drop", "hard")  # actions of the checks on a sample that is not right


def pass_rates(ledger: Iterable[dict[str, Any]]) -> Rates:
    """The samples of each query, and how many no check refused; without the queries of one sample, which tells nothing.

    Args:
        ledger: The lines of a round's ledger.
    """
    samples: Counter[str] = Counter()
    wrong: set[str] = set()
    for line in ledger:
        if line["check"] == "generate":
            samples[query_of(line["id"])] += 1
        if line["action"] in REFUSED:
            wrong.add(line["id"])
    refused = Counter(map(query_of, wrong))
    return {query: (count - refused[query], count) for query, count in samples.items() if count > 1}


def query_of(sample: str) -> str:
    """The id of the query that a sample answers."""
    return sample.rpartition("/")[2].partition("#")[0]
