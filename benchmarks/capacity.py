"""How far off the capacity model is: a run's time foretold from a quarter of its rows, and then measured.

    python benchmarks/capacity.py MODEL [ROWS] [ROUNDS]         in a folder with params.yaml and data/tasks.jsonl

By the clock and by the processor, which tells more where other work runs beside.
"""

import argparse
import tempfile
import time
from statistics import median

from funreason.config import load_params
from funreason.llm import Cache, Client, load_ref
from funreason.plan.capacity import Load, Speed
from funreason.plan.measure import measure, prompts, teachers_sampling, timed


def error(model: str, rows: int, clock) -> tuple[float, float, float]:
    """Seconds foretold and measured, both without the engine's start, and the foretold share of the measured tokens."""
    params = load_params()
    found = measure(model, rows // 4, params, clock)
    taken, factor = found["measured"], rows / found["measured"]["rows"]
    load = Load("", "", rows, factor * taken["prompt_tokens"], factor * taken["output_tokens"])
    foretold = load.seconds(Speed(**found["speed"]).model_copy(update={"start_s": 0.0}))
    requests = prompts(rows)
    with (
        tempfile.TemporaryDirectory() as folder,
        Cache(folder) as cache,
        Client(load_ref(model), params.llm, teachers_sampling(params), cache=cache) as client,
    ):
        timed(client, requests[:1])  # starts the engine
        seconds, counts = timed(client, requests[1:], clock)
    return foretold, seconds, load.output_tokens / counts["completion_tokens"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a descriptor or a local folder")
    parser.add_argument("rows", type=int, nargs="?", default=800)
    parser.add_argument("rounds", type=int, nargs="?", default=3)
    arguments = parser.parse_args()
    for name, clock in (("clock", time.perf_counter), ("processor", time.process_time)):
        rounds = [error(arguments.model, arguments.rows, clock) for _ in range(arguments.rounds)]
        foretold, measured, tokens = (median(column) for column in zip(*rounds, strict=True))
        off = ", ".join(f"{100 * (said / seen - 1):+.1f}" for said, seen, _ in rounds)
        print(f"{name}: {arguments.rows} rows foretold {foretold:.1f} s, measured {measured:.1f} s; off by {off} %;"
              f" output tokens foretold {tokens:.2f} of those seen", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
