"""What the responses of a stage cost: every Client inside a `counting` block adds to it.

Cached responses count like new ones, so that the figures are the same for every run over the same requests. What a
run really asked is on its progress line.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from funreason.config import LlmParams, PricesParams
from funreason.llm.refusals import refusal_reason
from funreason.llm.request import Response

MILLION = 1_000_000


@dataclass
class Usage:
    """Responses and their tokens by the name of the model; `prices` are per million tokens."""

    prices: PricesParams
    requests: int = 0
    prompt_tokens: Counter[str] = field(default_factory=Counter)
    completion_tokens: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)  # by reason
    dtypes: set[str] = field(default_factory=set)

    def add(self, response: Response, model: str, dtype: str | None) -> None:
        """Count a response under the name of its model, and note the dtype that it was computed in."""
        if dtype:
            self.dtypes.add(dtype)
        self.requests += 1
        self.prompt_tokens[model] += response.prompt_tokens
        self.completion_tokens[model] += response.completion_tokens
        if reason := refusal_reason(response):
            self.refused[reason] += 1

    def metrics(self) -> dict:
        """Counts, the cost in the currency of the prices, dtypes; `refused` where a server did not answer all."""
        refused = {"refused": dict(sorted(self.refused.items()))} if self.refused else {}
        return {
            "requests": self.requests,
            "prompt_tokens": self.prompt_tokens.total(),
            "completion_tokens": self.completion_tokens.total(),
            "cost": round(sum(map(self._cost, sorted(self.prompt_tokens))) / MILLION, 6),
            **({"dtype": ", ".join(sorted(self.dtypes))} if self.dtypes else {}),
            **refused,
        }

    def _cost(self, model: str) -> float:
        price = self.prices.models.get(model, self.prices)
        return self.prompt_tokens[model] * price.prompt + self.completion_tokens[model] * price.completion


_current: ContextVar[Usage | None] = ContextVar("usage", default=None)


@contextmanager
def counting(llm_params: LlmParams) -> Iterator[Usage]:
    """Count the responses of all clients inside the `with` block, at the prices of `llm_params`."""
    usage = Usage(llm_params.prices)
    token = _current.set(usage)
    try:
        yield usage
    finally:
        _current.reset(token)


def count(response: Response, model: str, dtype: str | None = None) -> None:
    """Count a response that `Client` hands out.

    Args:
        response: It.
        model: A name that `llm.prices.models` may have.
        dtype: The dtype that it was computed in, where that is known.
    """
    if (usage := _current.get()) is not None:
        usage.add(response, model, dtype)
