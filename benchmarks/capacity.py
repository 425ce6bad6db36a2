"""How far off the capacity model is: the time of a run, estimated from a quarter of its rows and then measured.

    python benchmarks/capacity.py MODEL [ROWS] [REPEATS]        in a folder with params.yaml and data/tasks.jsonl

By the clock and by processor time, which tells more where other work runs beside.
"""

import argparse
import tempfile
import time
from statistics import median

from funreason.config import load_params
from funreason.llm import Cache, Client, load_ref
from funreason.plan.capacity import Speed, seconds
from funreason.plan.estimate import StageEstimate
from funreason.plan.measure import measure, prompts, teacher_sampling, timed


def error(model: str, rows: int, clock) -> tuple[float, float, float]:
    """Seconds estimated and measured, both without the engine's start, and the ratio of completion tokens."""
    params = load_params()
    result = measure(model, rows // 4, params, clock)
    sample, factor = result["measured"], rows / result["measured"]["rows"]
    tokens = (round(factor * sample[key]) for key in ("prompt_tokens", "completion_tokens"))
    estimate = StageEstimate("generate", rows, rows, *tokens)
    estimated = seconds(estimate, Speed(**result["speed"]).model_copy(update={"start_s": 0.0}))
    requests = prompts(rows)
    with (
        tempfile.TemporaryDirectory() as folder,
        Cache(folder) as cache,
        Client(load_ref(model), params.llm, teacher_sampling(params), cache=cache) as client,
    ):
        timed(client, requests[:1])  # starts the engine
        actual, counts = timed(client, requests[1:], clock)
    return estimated, actual, estimate.completion_tokens / counts["completion_tokens"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a descriptor or a local folder")
    parser.add_argument("rows", type=int, nargs="?", default=800)
    parser.add_argument("repeats", type=int, nargs="?", default=3)
    arguments = parser.parse_args()
    for name, clock in (("clock", time.perf_counter), ("processor", time.process_time)):
        runs = [error(arguments.model, arguments.rows, clock) for _ in range(arguments.repeats)]
        estimated, actual, tokens = (median(column) for column in zip(*runs, strict=True))
        off = ", ".join(f"{100 * (before / after - 1):+.1f}" for before, after, _ in runs)
        print(f"{name}: {arguments.rows} rows estimated {estimated:.1f} s, measured {actual:.1f} s; off by {off} %;"
              f" completion tokens estimated {tokens:.2f} of the measured ones", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
