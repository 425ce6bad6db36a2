"""How fast a model reads and writes on this machine: some of the run's own prompts, asked twice, past the cache.

Once for a single token each, which is reading; once as the sampler is asked, which is reading and writing.
"""

import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from funreason.config import Params
from funreason.core.errors import DataError
from funreason.core.paths import TASKS
from funreason.ledger.files import read_tasks
from funreason.llm import Cache, Client, Request, load_ref
from funreason.plan.capacity import Speed
from funreason.prompts.conversation import chat

Clock = Callable[[], float]


def measure(model: str, rows: int, params: Params, clock: Clock = time.perf_counter) -> dict:
    """`speed` (see Speed), and under `measured` what it was taken from; as `llm` and `generate` of params.yaml say."""
    requests = prompts(rows)
    sampling = teachers_sampling(params)
    with (
        tempfile.TemporaryDirectory() as folder,
        Cache(folder) as cache,
        Client(load_ref(model), params.llm, sampling | {"max_tokens": 1}, cache=cache) as reader,
    ):
        start_s, _ = timed(reader, requests[:1], clock)
        read_s, read = timed(reader, requests[1:], clock)
        writer = Client(load_ref(model), params.llm, sampling, cache=cache, engine=reader.engine)
        whole_s, written = timed(writer, requests[1:], clock)
    gpus = gpus_of(params.llm)
    tokens = {"prompt_tokens": read["prompt_tokens"], "output_tokens": written["completion_tokens"]}
    more = tokens["output_tokens"] - read["completion_tokens"]  # than the first token of each, which reading includes
    if more <= 0 or whole_s <= read_s:
        raise DataError(f"{len(requests) - 1} answers of {more} more tokens are too few to measure; give more --rows")
    speed = {"read": tokens["prompt_tokens"] / read_s / gpus, "written": more / (whole_s - read_s) / gpus}
    speed = {name: round(value, 1) for name, value in speed.items()} | {"start_s": round(start_s, 1), "gpus": gpus}
    return {"speed": Speed(**speed).model_dump(), "measured": {"model": model, "rows": len(requests) - 1, **tokens}}


def teachers_sampling(params: Params) -> dict:
    """How the first set asks, which has the most rows."""
    return params.generate.model_dump() | {"temperature": params.recipes.distill.temperature}


def timed(client: Client, requests: list[Request], clock: Clock = time.perf_counter) -> tuple[float, dict]:
    """Seconds, and the client's counts."""
    start = clock()
    client.run(requests, desc="measuring")
    seconds, counts = clock() - start, dict(client.stats)
    client.stats.update(dict.fromkeys(client.stats, 0))
    return seconds, counts


def prompts(rows: int) -> list[Request]:
    """One more than `rows` prompts of the sampler, from all over the tasks: the first one only starts the engine."""
    if not Path(TASKS).is_file():
        raise DataError(f"{TASKS} is not there; `dvc repro prepare` makes it")
    total = sum(1 for _ in read_tasks(TASKS))
    chosen = islice(read_tasks(TASKS), 0, None, max(1, total // (rows + 1)))
    return [Request(chat(task)) for task in islice(chosen, rows + 1)]


def gpus_of(llm) -> int:
    """GPUs that an engine uses; 1 for a server, of which nobody here knows, and for a CPU."""
    if llm.engine == "ray":
        return llm.tensor_parallel_size * llm.ray.pipeline_parallel_size * llm.ray.replicas
    return 1 if llm.engine == "server" else llm.tensor_parallel_size
