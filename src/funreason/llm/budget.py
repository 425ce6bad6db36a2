"""A limit on what a stage may ask of a server, which stops it before money is spent."""

from funreason.llm.request import Job, Response, Sampling

CHARACTERS_PER_TOKEN = 3  # of a prompt in flight, whose tokens only the server can count; English has 4, JSON 3


def tokens_of(text: str) -> int:
    """An estimate, for where nothing counts the tokens."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


class Budget:
    """Requests and tokens that may be spent, and those that were.

    A request in flight reserves the most that it may cost, so that the responses never exceed the limit.

    Args:
        max_requests: Retries do not count: what fails is not billed. None: no limit.
        max_tokens: Of prompts and responses. None: no limit.
    """

    def __init__(self, max_requests: int | None, max_tokens: int | None):
        self.max_requests, self.max_tokens = max_requests, max_tokens
        self.requests = self.tokens = 0
        self._reserved: dict[bytes, int] = {}

    def take(self, job: Job, sampling: Sampling) -> bool:
        """Whether the budget allows one more job; if so, its cost is reserved."""
        cost = sampling.max_tokens + len(job.prompt) // CHARACTERS_PER_TOKEN
        if self.max_requests is not None and self.requests >= self.max_requests:
            return False
        if self.max_tokens is not None and self.tokens + sum(self._reserved.values()) + cost > self.max_tokens:
            return False
        self.requests += 1
        self._reserved[job.key] = cost
        return True

    def settle(self, job: Job, response: Response | None) -> None:
        """Replace the reserved cost of a job by what it has cost; a `response` of None is a failure."""
        self._reserved.pop(job.key, None)
        if response:
            self.tokens += response.prompt_tokens + response.completion_tokens
        else:
            self.requests -= 1  # it may be asked again

    def __str__(self) -> str:
        limits = {"max_requests": (self.requests, self.max_requests), "max_tokens": (self.tokens, self.max_tokens)}
        return ", ".join(
            f"llm.server.{name}: {spent:,} of {limit:,}" for name, (spent, limit) in limits.items() if limit
        )
