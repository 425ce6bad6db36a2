"""The client's memory over very many requests, each number of rows in processes of its own.

    python benchmarks/llm_memory.py [ROWS ...]        200000 1000000 where none is given

Stored: a cache is filled with a response to each request (500 characters), then the client runs over all of them, in
blocks of 10,000 as the stages do, and asks nobody. Asked: the same with an empty cache, and an engine that answers at
once.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from funreason.cache.exchange import take
from funreason.llm import Cache, Client, ModelRef, Request, Response
from funreason.llm.cache import batched

MIB = 1024
BLOCK = 10_000
REF = ModelRef("echo", None, "echo", "server")
SAMPLING = {"temperature": 0.0, "max_tokens": 256}


class Echo:
    """An engine that answers with the end of the prompt."""

    identity, dtype = "echo", None
    started = False

    def prompt(self, request: Request) -> str:
        return request.messages[0]["content"]

    def would_give(self, response: Response, sampling) -> bool:
        return True

    def stream(self, jobs, sampling) -> Iterator[tuple]:
        self.started = True
        for job in jobs:
            yield job, response_to(job.prompt)

    def close(self) -> None:
        pass


def response_to(prompt: str) -> Response:
    return Response(f"{prompt[-60:]} " * 8, "stop", 375, 125)


def requests(rows: int) -> Iterator[Request]:
    """Prompts of 1,500 characters that share their first two thirds."""
    shared = "You are an expert in composing functions. " * 24
    for number in range(rows):
        content = shared + f"Order {number} tickets, then tell what they cost. " * 10
        yield Request([{"role": "user", "content": content}])


def fill(folder: str, rows: int) -> None:
    with Cache(folder) as cache:
        client = Client(REF, None, SAMPLING, cache=cache, engine=Echo())
        jobs = (client._job(request) for request in requests(rows))
        take(cache, ((job.key, "echo", *vars(response_to(job.prompt)).values()) for job in jobs))


def run(folder: str, rows: int, stored: bool) -> int:
    """The number of responses."""
    with Cache(folder) as cache:
        client = Client(REF, None, SAMPLING, cache=cache, engine=Echo())
        count = sum(len(client.run(block)) for block in batched(requests(rows), BLOCK))
        assert client.stats["cache_hits"] == (rows if stored else 0) and client.engine.started != stored
        return count


def measured(work: Callable[[str, int], int], folder: str, rows: int) -> tuple[float, float, float]:
    """MiB at the start and at most, and rows per second, of `work` in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, folder, rows))


def _measured(work: Callable[[str, int], int], folder: str, rows: int) -> tuple[float, float, float]:
    before, start = peak(), time.perf_counter()
    assert work(folder, rows) == rows
    return before, peak(), rows / (time.perf_counter() - start)


def peak() -> float:
    """The most memory of this process so far, in MiB."""
    """Not getrusage's, which counts what the parent had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / MIB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rows", type=int, nargs="*", default=[200_000, 1_000_000])
    for rows in parser.parse_args().rows:
        for name, stored in (("stored", True), ("asked", False)):
            with tempfile.TemporaryDirectory() as folder:
                if stored:
                    fill(folder, rows)
                before, most, speed = measured(partial(run, stored=stored), folder, rows)
            print(f"{name:<8} {rows:>10,} rows: {before:,.0f} MiB at the start, {most:,.0f} at most, "
                  f"{speed:,.0f} rows/s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
