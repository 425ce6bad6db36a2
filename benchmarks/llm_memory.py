"""The client's memory over very many requests, each number of rows in processes of its own.

    python benchmarks/llm_memory.py [ROWS ...]        200000 1000000 where none is given

Stored: a cache is filled with an answer to each request (500 characters), then the client streams all of them and asks
nobody. Waiting: the same requests, none answered, through the spool on the disk that they wait in for an engine.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from funreason.llm.spool import Spool

from funreason.config import load_params
from funreason.llm import Cache, Client, ModelRef, Request, Response
from funreason.llm.cache import batched, digest, insert

MIB = 1024
REF = ModelRef("recorded", None, "server:recorded", "server")
SAMPLING = {"temperature": 0.0, "max_tokens": 256}


def requests(rows: int) -> Iterator[Request]:
    """Prompts of 1,500 characters that share their first two thirds."""
    shared = "You are an expert in composing functions. " * 24
    for number in range(rows):
        yield Request(
            [{"role": "user", "content": shared + f"Order {number} tickets, then tell what they cost. " * 10}]
        )


def client(cache: Cache) -> Client:
    llm = load_params().llm
    nobody = llm.server.model_copy(update={"base_url": "http://127.0.0.1:9/v1"})
    return Client(REF, llm.model_copy(update={"engine": "server", "server": nobody}), SAMPLING, cache=cache)


def fill(folder: str, rows: int) -> None:
    with Cache(folder) as cache, client(cache) as asker:
        for block in batched(requests(rows), 10_000):
            jobs = [asker._job(request) for request in block]
            answers = [Response(f"{job.prompt[-60:]} " * 8, "stop", 375, 125) for job in jobs]
            rows_of = [(job.key, "server:recorded", *vars(it).values()) for job, it in zip(jobs, answers, strict=True)]
            cache.do(lambda database: _store(database, rows_of))  # noqa: B023, used at once


def _store(database, rows: list[tuple]) -> None:
    database.execute("BEGIN")
    database.executemany(insert("IGNORE"), [(*row, digest(row)) for row in rows])
    database.execute("COMMIT")


def stored(folder: str, rows: int) -> int:
    """Rows that came out, all of them from the cache."""
    with Cache(folder) as cache, client(cache) as asker:
        count = sum(1 for _ in asker.stream(requests(rows)))
        assert asker.stats["cache_hits"] == count == rows and not asker.engine.started
        return count


def waiting(folder: str, rows: int) -> int:
    with Cache(folder) as cache, client(cache) as asker:
        spool = Spool()
        for block in batched(requests(rows), 500):
            spool.add([asker._job(request) for request in block], ())
        return sum(1 for _ in spool.jobs())


def measured(work, folder: str, rows: int) -> tuple[float, float, int]:
    """MiB before and at the most, and rows a second, of `work` in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, folder, rows))


def _measured(work, folder: str, rows: int) -> tuple[float, float, float]:
    before, start = _peak(), time.perf_counter()
    assert work(folder, rows) == rows
    return before, _peak(), rows / (time.perf_counter() - start)


def _peak() -> float:
    """Not getrusage's, which counts what the parent had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / MIB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rows", type=int, nargs="*", default=[200_000, 1_000_000])
    for rows in parser.parse_args().rows:
        with tempfile.TemporaryDirectory() as folder:
            fill(folder, rows)
            for name, work in (("stored", stored), ("waiting", waiting)):
                before, most, speed = measured(work, folder, rows)
                print(f"{name:<8} {rows:>10,} rows: {before:,.0f} MiB at the start, {most:,.0f} at the most, "
                      f"{speed:,.0f} rows/s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
