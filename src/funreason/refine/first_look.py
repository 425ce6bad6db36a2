"""A generator under watch: one whose answers cannot be used is noticed after a few of them, before all are paid for.

The answers of the first look are answers of the stage: none is asked or paid twice.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from funreason.config import GenerateParams
from funreason.core.errors import ModelError
from funreason.ledger.results import CheckResult
from funreason.llm import Request, Response

MIN_ANSWERS = 10  # fewer say nothing about a generator
SHOWN = 3  # answers in the message
CHARACTERS = 60  # of each
T = TypeVar("T")


class FirstLook:
    """Looks at the first answers of the generator of a round, once.

    Args:
        generator: Its name, for the message.
        params: The block `generate`.
    """

    def __init__(self, generator: str, params: GenerateParams):
        self.generator, self.params = generator, params
        self.due = params.watch.rows > 0

    def at(
        self,
        requests: Sequence[Request],
        ask: Callable[[list[Request]], list[Response]],
        read: Callable[[int, Response], CheckResult],
    ) -> dict[int, Response]:
        """Ask a few requests, unless that was done before.

        Args:
            requests: The stage's own.
            ask: Gives the responses to requests.
            read: Reads the response to the request with this place; a row that it drops cannot be used.

        Returns:
            The responses, by the places of their requests.

        Raises:
            ModelError: More answers than `generate.watch.max_unreadable` cannot be used.
        """
        if not self.due:
            return {}
        self.due = False
        places = _of_all_lengths(requests, self.params.watch.rows)
        responses = ask([requests[place] for place in places])
        results = [read(place, response) for place, response in zip(places, responses, strict=True)]
        unusable = [result for result in results if result.action == "drop"]
        enough = len(results) >= MIN_ANSWERS
        if enough and len(unusable) > self.params.watch.max_unreadable * len(results):
            raise ModelError(self._problem(unusable, len(results), len(requests) - len(results)))
        return dict(zip(places, responses, strict=True))

    def _problem(self, unusable: list[CheckResult], asked: int, others: int) -> str:
        counts = ", ".join(
            f"{count} {reason}" for reason, count in Counter(result.reason for result in unusable).most_common()
        )
        texts = dict.fromkeys(" ".join(str(result.votes[0]["text"]).split())[:CHARACTERS] for result in unusable)
        shown = ", ".join(map(repr, list(texts)[:SHOWN]))
        return (
            f"generator {self.generator}: {len(unusable)} of its first {asked} answers cannot be used ({counts}; they "
            f"begin {shown}), generate.watch.max_unreadable allows a fraction of {self.params.watch.max_unreadable}; "
            f"{asked} questions were asked, the other {others:,} were not. Take another model, raise "
            f"generate.max_tokens (now {self.params.max_tokens}) or llm.max_model_len, bring answers with the data "
            "(docs/own-data.md), or raise the limit"
        )


def _of_all_lengths(requests: Sequence[Request], number: int) -> list[int]:
    """Places of `number` requests at most, evenly spaced in the order of their lengths."""
    lengths = [sum(len(message["content"]) for message in request.messages) for request in requests]
    return sorted(evenly(sorted(range(len(requests)), key=lambda place: lengths[place]), number))


def evenly(ordered: Sequence[T], number: int) -> Iterator[T]:
    """`number` items at most, evenly spaced."""
    number = min(number, len(ordered))
    return (ordered[at * len(ordered) // number] for at in range(number))
