"""What `Client` needs of an engine. A new engine is a class of this shape, and a line in `client.make_engine`."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from funreason.llm.request import Job, Request, Response, Sampling


class Engine(Protocol):
    """One model. Cheap to make: it loads and connects at the first job that needs it."""

    @property
    def identity(self) -> str:
        """Part of every cache key."""

    @property
    def dtype(self) -> str | None:
        """The dtype that answers are computed in; None where it is not known."""

    @property
    def started(self) -> bool:
        """Whether something was loaded or connected to."""

    def prompt(self, request: Request) -> str:
        """The text that stands for the request in the cache key."""

    def would_give(self, response: Response, sampling: Sampling) -> bool:
        """Whether this engine's settings could have given this stored response."""

    def stream(self, jobs: Iterable[Job], sampling: Sampling) -> Iterator[tuple[Job, Response]]:
        """Answer jobs, and take the next ones as there is room.

        Args:
            jobs: The requests, in the order in which they are to be started.
            sampling: How tokens are drawn.

        Yields:
            Each job with its response as soon as it is finished, in the order in which they finish.
        """

    def close(self) -> None:
        """Free what was started; the next `stream` starts it again."""
