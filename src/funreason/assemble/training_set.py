"""Which rows a round is trained on, and in which form: conversational prompt–completion, as TRL reads it."""

from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b

from funreason.calls import join_completion
from funreason.core import paths
from funreason.core.errors import DataError
from funreason.core.records import Sample
from funreason.ledger.outcomes import RowHistory
from funreason.prompts.conversation import chat


def fraction_in_favour(history: RowHistory) -> float:
    """The fraction of the checks' readable votes that were for the row; 1 where there are none (heuristics decided)."""
    votes = [vote["value"] for result in history.results for vote in result.votes if result.check != "generate"]
    readable = [value for value in votes if value is not None]
    return sum(readable) / len(readable) if readable else 1.0


# The least is selected, of equals the first.
ORDERS: dict[str, Callable[[RowHistory], float]] = {
    "first": lambda history: 0,
    "shortest": lambda history: len(history.sample.cot) if history.sample else 0,
    "best": lambda history: -fraction_in_favour(history),
}


def select(histories: list[RowHistory], selection: str) -> list[RowHistory]:
    """Those samples of one query that are trained on.

    Args:
        histories: The accepted samples of the query.
        selection: `all`, or one of `ORDERS` for a single one.
    """
    return histories if selection == "all" or not histories else [min(histories, key=ORDERS[selection])]


def replayed(rows: Iterable[dict], fraction: float) -> Iterator[dict]:
    """Those rows of an earlier round that are trained on again.

    Args:
        rows: All rows of the earlier training set.
        fraction: How many of them, about. Each is chosen by the hash of its id, whatever else is in the file, so that
            a larger fraction has the rows of a smaller one.
    """
    return (row for row in rows if _hash_fraction(row["id"]) < fraction)


def _hash_fraction(name: str) -> float:
    """A number in [0, 1)."""
    return int.from_bytes(blake2b(name.encode(), digest_size=6).digest()) / 2**48


def training_row(name: str, sample: Sample) -> dict:
    """What TRL trains on: the completion, and all before it as the prompt; with the names of the row where it has any.

    Args:
        name: The round. It is a part of the row's id, since a task gives one row per round.
        sample: The row.
    """
    completion = join_completion(sample.cot or None, sample.answer)
    row = {
        "id": f"{name}/{sample.id}",
        "prompt": chat(sample),
        "completion": [{"role": "assistant", "content": completion}],
    }
    return row | ({"names": sample.names} if sample.names else {})


def refuse_empty(name: str, outcomes: dict[str, int]) -> None:
    """Refuse a round without new rows: training on nothing new would look like a result.

    Args:
        name: The round.
        outcomes: Rows per outcome.

    Raises:
        DataError: No row is left.
    """
    if not outcomes["kept"] + outcomes["regenerated"] + outcomes["statement"]:
        raise DataError(
            f"round {name}: none of {sum(outcomes.values())} rows is left ({outcomes['dropped']} dropped, "
            f"{outcomes['hard']} hard); {paths.ledger(name)} says why, row by row: mend the source, the generator or "
            "the judge"
        )
