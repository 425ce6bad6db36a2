"""What a stage's answers cost: every Client inside a `counting` block adds to it.

Cached answers count like new ones, so that the figures are the same for every run over the same requests; what a
run really asked is on its progress line.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from funreason.llm.request import Response

MILLION = 1_000_000


@dataclass
class Usage:
    """Answers and their tokens; `prices` has the money for a million tokens, of prompts and of completions."""

    prices: object
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, response: Response) -> None:
        self.requests += 1
        self.prompt_tokens += response.prompt_tokens
        self.completion_tokens += response.completion_tokens

    def metrics(self) -> dict:
        """Counts, and the cost in the currency of the prices."""
        cost = self.prompt_tokens * self.prices.prompt + self.completion_tokens * self.prices.completion
        return {
            "requests": self.requests,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost": round(cost / MILLION, 6),
        }


_current: ContextVar[Usage | None] = ContextVar("usage", default=None)


@contextmanager
def counting(llm_params) -> Iterator[Usage]:
    """Count the answers of all clients in the block: with one way of asking, the metrics of a stage."""
    usage = Usage(llm_params.prices)
    token = _current.set(usage)
    try:
        yield usage
    finally:
        _current.reset(token)


def count(response: Response) -> None:
    """Called by Client for every response it hands out."""
    if (usage := _current.get()) is not None:
        usage.add(response)
