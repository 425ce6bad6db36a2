"""The memory of a check over very many rows, in each mode, with a judge that answers at once.

    python benchmarks/refine_memory.py [ROWS ...] [--modes judge cascade heuristics]      1000000 where none is given

Rows of 1,000 characters go through the check query_tool as its stage takes them: questions, votes, ledger and rows.
Each row has a tool of its own, so that no cache helps and all of them fill. The judge is an engine that says True to
everything; all else is the product. Each mode runs in a process of its own.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llm_memory import peak

from funreason.config import load_params
from funreason.core.records import Sample
from funreason.ledger.files import write_step
from funreason.llm import Cache, Client, ModelRef, Request, Response
from funreason.refine.checks import check_named
from funreason.refine.judge import Judge
from funreason.refine.loop import run
from funreason.refine.metrics import CheckMetrics
from funreason.refine.modes import Decider, HeuristicsFirst, JudgesOnly
from funreason.refine.panel import Panel

MODES = ("judge", "cascade", "heuristics")
PROFILE = Path(__file__).resolve().parents[1] / "profiles/toy.yaml"


class Yes:
    """An engine that says True."""

    identity, dtype = "yes", None
    started = True

    def prompt(self, request: Request) -> str:
        return request.messages[-1]["content"]

    def would_give(self, response: Response, sampling) -> bool:
        return True

    def stream(self, jobs, sampling) -> Iterator[tuple]:
        for job in jobs:
            yield job, Response("The query names the event and the number. <judge>True</judge>", "stop", 300, 20)

    def close(self) -> None:
        pass


class YesJudge(Judge):
    """A judge over this engine."""

    def __init__(self, params, cache: Cache):
        ref, sampling = ModelRef("yes", None, "yes", "server"), {"temperature": 0.0, "max_tokens": 256}
        self.name, self.max_attempts, self.examples = "judge", params.judge.max_attempts, 0
        self._first = self._retry = Client(ref, None, sampling, cache=cache, engine=Yes())


def samples(rows: int) -> Iterator[Sample]:
    for number in range(rows):
        query = f"Order {number} tickets for the concert of the band B{number}, then tell me what they cost."
        answer = f"[book_{number}(event='band B{number}', count={number})]"
        yield Sample(str(number), query, [tool(number)], f"I need book_{number}. " * 8, answer)


def tool(number: int) -> dict[str, Any]:
    """A tool that no other row has."""
    event = {"type": "str", "description": f"The name of the event {number}. " * 4}
    count = {"type": "int", "description": f"How many tickets, at most {number}."}
    description = f"Book tickets for event {number}. " * 9
    return {"name": f"book_{number}", "description": description, "parameters": {"event": event, "count": count}}


def work(mode: str, rows: int) -> tuple[float, float, float]:
    """MiB at the start and at most, and rows per second."""
    params, before, start = load_params(PROFILE), peak(), time.perf_counter()
    fcdr = params.fcdr.model_copy(update={"mode": mode, "max_undecided": 1.0})  # the rows are all alike
    with tempfile.TemporaryDirectory() as folder, Cache(f"{folder}/cache") as cache:
        os.chdir(folder)
        panel = Panel({"judge": YesJudge(params, cache)}, fcdr)
        by_mode: dict[str, Decider] = {
            "judge": JudgesOnly(panel, fcdr.verifier),
            "cascade": HeuristicsFirst(panel, fcdr.verifier),
        }
        decider, metrics = by_mode.get(mode, HeuristicsFirst(None, fcdr.verifier)), CheckMetrics()
        write_step("r0", "query_tool", run(check_named("query_tool"), samples(rows), decider, fcdr, metrics))
        assert metrics.metrics()["in"] == rows
        os.chdir("/")
    return before, peak(), rows / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rows", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    arguments = parser.parse_args()
    for rows in arguments.rows:
        for mode in arguments.modes:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                before, most, speed = pool.apply(work, (mode, rows))
            print(f"{mode:<10} {rows:>10,} rows: {before:,.0f} MiB at the start, {most:,.0f} at most, "
                  f"{speed:,.0f} rows/s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
