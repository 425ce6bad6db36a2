"""How fast a model answers on this machine: some of the run's own prompts, asked twice, past the cache.

Once for a single token each, which is prefill; once with the sampling of the generator, which is prefill and decode.
"""

import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from funreason.config import LlmParams, Params
from funreason.core.errors import DataError
from funreason.core.paths import TASKS
from funreason.ledger.files import read_tasks
from funreason.llm import Cache, Client, Request, load_ref
from funreason.plan.capacity import Speed
from funreason.prompts.conversation import chat

Clock = Callable[[], float]


def measure(model: str, rows: int, params: Params, clock: Clock = time.perf_counter) -> dict:
    """Measure a model with the engine of params.yaml.

    Args:
        model: A descriptor (models/teacher.json) or a folder.
        rows: Prompts to ask.
        params: `llm` and `generate` of it are used.
        clock: Seconds, by the clock or of the processor.

    Returns:
        `speed` (see Speed), and under `measured` what it was computed from.

    Raises:
        DataError: There are no tasks, or too few prompts to measure.
    """
    requests = prompts(rows)
    sampling = teacher_sampling(params)
    with (
        tempfile.TemporaryDirectory() as folder,
        Cache(folder) as cache,
        Client(load_ref(model), params.llm, sampling | {"max_tokens": 1}, cache=cache) as first_tokens,
    ):
        start_s, _ = timed(first_tokens, requests[:1], clock)
        prefill_s, prefill = timed(first_tokens, requests[1:], clock)
        completions = Client(load_ref(model), params.llm, sampling, cache=cache, engine=first_tokens.engine)
        whole_s, whole = timed(completions, requests[1:], clock)
    gpus = gpus_of(params.llm)
    tokens = {"prompt_tokens": prefill["prompt_tokens"], "completion_tokens": whole["completion_tokens"]}
    decoded = tokens["completion_tokens"] - prefill["completion_tokens"]  # prefill includes each first token
    if decoded <= 0 or whole_s <= prefill_s:
        raise DataError(f"{len(requests) - 1} responses with {decoded} tokens are too few to measure; give more --rows")
    speed = Speed(
        prefill=round(tokens["prompt_tokens"] / prefill_s / gpus, 1),
        decode=round(decoded / (whole_s - prefill_s) / gpus, 1),
        start_s=round(start_s, 1),
        gpus=gpus,
    )
    return {"speed": speed.model_dump(), "measured": {"model": model, "rows": len(requests) - 1, **tokens}}


def teacher_sampling(params: Params) -> dict:
    """How the first round asks, which has the most rows."""
    return params.generate.model_dump(exclude={"watch"}) | {"temperature": params.recipes.distill.temperature}


def timed(client: Client, requests: list[Request], clock: Clock = time.perf_counter) -> tuple[float, dict]:
    """Ask, and take the time.

    Args:
        client: Its counts are set back to zero.
        requests: What to ask.
        clock: Seconds.

    Returns:
        The seconds, and the counts of the client.
    """
    start = clock()
    client.run(requests, desc="measuring")
    seconds, counts = clock() - start, dict(client.stats)
    client.stats.update(dict.fromkeys(client.stats, 0))
    return seconds, counts


def prompts(rows: int) -> list[Request]:
    """One more than `rows` prompts of the generator, from all over the tasks: the first one only starts the engine."""
    if not Path(TASKS).is_file():
        raise DataError(f"{TASKS} does not exist; `dvc repro prepare` makes it")
    total = sum(1 for _ in read_tasks(TASKS))
    spread = islice(read_tasks(TASKS), 0, None, max(1, total // (rows + 1)))
    return [Request(chat(task)) for task in islice(spread, rows + 1)]


def gpus_of(llm: LlmParams) -> int:
    """GPUs that an engine uses; 1 for a CPU, and for a server, whose GPUs are not known here."""
    if llm.engine == "ray":
        return llm.tensor_parallel_size * llm.ray.pipeline_parallel_size * llm.ray.replicas
    return 1 if llm.engine == "server" else llm.tensor_parallel_size * llm.data_parallel_size
