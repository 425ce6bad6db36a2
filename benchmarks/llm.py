"""What the client costs over bare vLLM: the same prompts, seeds and engine, and the same tokens out.

    python benchmarks/llm.py MODEL_FOLDER [prompts] [rounds]

Each round asks everything twice, by `vllm.LLM.chat` and by Client into an empty cache, in turns, so that both see
the same load of the machine; then Client over the full cache. The middle of the rounds counts. The processor's
time tells more than the clock's where other work runs beside; on a GPU only the clock's tells anything.
"""

import sys
import tempfile
import time
from statistics import median

from funreason.llm import Cache, Client, Request, load_ref
from funreason.llm.vllm_engine import VllmEngine, engine_arguments
from funreason.params import load_params

SAMPLING = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 64, "seed": 0}
BARE = "vllm.LLM.chat"
WORDS = "Paris Ghent Turin Lagos Kyoto Quito Oslo Hanoi Cusco Perth".split()


def chats(count: int) -> list[Request]:
    """Prompts of some 100 words, which share their first half, as a stage's prompts do."""
    shared = "You are an expert in composing functions. " * 8
    asks = [f"Order {n} tickets to {WORDS[n % 10]}, then tell what {n} of them cost. " * 4 for n in range(count)]
    return [Request([{"role": "user", "content": shared + ask}]) for ask in asks]


def timed(work) -> tuple[tuple[float, float], list[str]]:
    """The seconds that `work` takes, by the clock and of the processor, and the texts it returns."""
    start = time.perf_counter(), time.process_time()
    texts = work()
    return (time.perf_counter() - start[0], time.process_time() - start[1]), texts


def bare(llm, requests: list[Request], seeds: list[int]) -> list[str]:
    """What somebody writes who uses vLLM directly."""
    from vllm import SamplingParams

    params = [SamplingParams(**SAMPLING | {"seed": seed}) for seed in seeds]
    outputs = llm.chat([request.messages for request in requests], params, use_tqdm=False)
    return [output.outputs[0].text for output in outputs]


def round_of(llm, ref, params, engine, requests: list[Request]) -> dict[str, tuple[float, float]]:
    """Seconds of each way, by the clock and of the processor. Raises AssertionError where their texts differ."""
    with tempfile.TemporaryDirectory() as folder, Cache(folder) as cache:
        client = Client(ref, params, SAMPLING, cache=cache, engine=engine)
        seeds = [client._job(request).seed for request in requests]
        llm.reset_prefix_cache()  # as the engine does
        alone, expected = timed(lambda: bare(llm, requests, seeds))
        cold, texts = timed(lambda: [response.text for response in client.run(requests)])
        warm, cached = timed(lambda: [response.text for response in client.run(requests)])
    assert expected == texts == cached, "vLLM and the client differ"
    return {BARE: alone, "client, cold": cold, "client, warm": warm}


def main() -> None:
    """Print rows per second and the ratio to bare vLLM."""
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    model, count, rounds = (sys.argv[1:] + ["256", "5"][len(sys.argv) - 2 :])[:3]
    count, rounds = int(count), int(rounds)
    ref, params, requests = load_ref(model), load_params().llm, chats(count)
    engine = VllmEngine(ref, params)
    from vllm import LLM

    llm = LLM(**engine_arguments(ref, params))
    engine._engine = llm.llm_engine  # one engine for both: nothing but the way in differs
    results = [round_of(llm, ref, params, engine, requests) for _ in range(rounds + 1)][1:]  # one to warm up
    print(f"{count} prompts, {rounds} rounds")
    for kind in results[0]:
        clock, processor = (median(result[kind][which] for result in results) / count for which in (0, 1))
        faster = [median(result[BARE][n] / result[kind][n] for result in results) for n in (0, 1)]
        speed = f"{1 / clock:>10,.1f} rows/s, {1000 * processor:>8.2f} ms of the processor a row"
        print(f"{kind:<13}{speed}; {faster[0]:.2f} and {faster[1]:.2f} x bare vLLM")


if __name__ == "__main__":
    main()
