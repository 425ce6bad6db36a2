"""Which of several accepted samples of a query are trained on, and which earlier rows are trained on again."""

from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b

from funreason.ledger.pools import Way


def votes_for(way: Way) -> float:
    """The share of the checks' readable votes that were for the row; 1 where nobody voted (rules decided)."""
    votes = [vote["value"] for verdict in way.verdicts for vote in verdict.votes if verdict.check != "generate"]
    readable = [value for value in votes if value is not None]
    return sum(readable) / len(readable) if readable else 1.0


# The least is chosen, of equals the first.
ORDERS: dict[str, Callable[[Way], float]] = {
    "first": lambda way: 0,
    "shortest": lambda way: len(way.sample.cot),
    "best": lambda way: -votes_for(way),
}


def chosen(ways: list[Way], choice: str) -> list[Way]:
    """Of the accepted samples of one query those to train on: all of them, or one."""
    return ways if choice == "all" or not ways else [min(ways, key=ORDERS[choice])]


def replayed(rows: Iterable[dict], share: float) -> Iterator[dict]:
    """About this share of the rows, each chosen by the hash of its id: the same ones whatever else is in the file."""
    return (row for row in rows if _place(row["id"]) < share)


def _place(name: str) -> float:
    """A number in [0, 1)."""
    return int.from_bytes(blake2b(name.encode(), digest_size=6).digest()) / 2**48
