"""What Client needs of an engine; a new one (a cluster, a shared server) is a class of this shape."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from funreason.llm.request import Job, Request, Response, Sampling


class Engine(Protocol):
    """One model. Cheap to make: it loads and connects at the first job that needs it."""

    identity: str  # part of every cache key

    @property
    def started(self) -> bool: ...

    def prompt(self, request: Request) -> str:
        """The text that stands for the request in the cache key."""

    def would_give(self, response: Response, sampling: Sampling) -> bool:
        """Whether this engine's settings could have given this stored response."""

    def stream(self, jobs: Iterable[Job], sampling: Sampling) -> Iterator[tuple[Job, Response]]:
        """(job, response) in the order they finish, each as soon as it does; takes jobs as it has room."""

    def close(self) -> None:
        """Free what was started; a next stream would start it again."""
