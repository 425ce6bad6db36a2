"""What a stage may ask of a server: a limit that stops it before money is spent, not after."""

from funreason.llm.request import Job, Response, Sampling

CHARACTERS_A_TOKEN = 3  # of a prompt in flight, whose tokens only the server can count; English has 4, JSON 3


class Budget:
    """Requests (retries not counted: what fails is not billed) and tokens (prompts and answers); None is no limit.

    A request in flight holds back what it may cost at most, so that answers never exceed the limit.
    """

    def __init__(self, max_requests: int | None, max_tokens: int | None):
        self.max_requests, self.max_tokens = max_requests, max_tokens
        self.requests = self.tokens = 0
        self._held: dict[bytes, int] = {}

    def take(self, job: Job, sampling: Sampling) -> bool:
        """Whether the job still fits; if so it is counted."""
        cost = sampling.max_tokens + len(job.prompt) // CHARACTERS_A_TOKEN
        if self.max_requests is not None and self.requests >= self.max_requests:
            return False
        if self.max_tokens is not None and self.tokens + sum(self._held.values()) + cost > self.max_tokens:
            return False
        self.requests += 1
        self._held[job.key] = cost
        return True

    def settle(self, job: Job, response: Response | None) -> None:
        """The job has come back; None is a failure."""
        self._held.pop(job.key, None)
        if response:
            self.tokens += response.prompt_tokens + response.completion_tokens

    def __str__(self) -> str:
        limits = {"max_requests": (self.requests, self.max_requests), "max_tokens": (self.tokens, self.max_tokens)}
        return ", ".join(
            f"llm.server.{name}: {spent:,} of {limit:,}" for name, (spent, limit) in limits.items() if limit
        )
