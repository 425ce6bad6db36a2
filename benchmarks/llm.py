"""What the client costs over bare vLLM: the same prompts, seeds and engine, and the same tokens out.

    python benchmarks/llm.py MODEL_FOLDER [prompts] [rounds]

Each round asks everything twice, by `vllm.LLM.chat` and by Client into an empty cache, in turns, so that both see
the same load of the machine; then Client over the full cache. Only a median over some rounds says anything.
"""

import sys
import tempfile
import time
from statistics import median

from funreason.llm import Cache, Client, Request, load_ref
from funreason.llm.vllm_engine import VllmEngine, engine_arguments
from funreason.params import load_params

SAMPLING = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 64, "seed": 0}
WORDS = "Paris Ghent Turin Lagos Kyoto Quito Oslo Hanoi Cusco Perth".split()


def chats(count: int) -> list[Request]:
    """Prompts of some 100 words, which share their first half, as a stage's prompts do."""
    shared = "You are an expert in composing functions. " * 8
    asks = [
        f"Order {n} tickets to {WORDS[n % 10]}, then tell what {n} of them cost. " * 4 for n in range(count)
    ]
    return [Request([{"role": "user", "content": shared + ask}]) for ask in asks]


def timed(work) -> tuple[float, list[str]]:
    """The seconds that `work` takes, and the texts it returns."""
    start = time.perf_counter()
    texts = work()
    return time.perf_counter() - start, texts


def bare(llm, requests: list[Request], seeds: list[int]) -> list[str]:
    """What somebody writes who uses vLLM directly."""
    from vllm import SamplingParams

    params = [SamplingParams(**SAMPLING | {"seed": seed}) for seed in seeds]
    outputs = llm.chat([request.messages for request in requests], params, use_tqdm=False)
    return [output.outputs[0].text for output in outputs]


def round_of(llm, ref, params, engine, requests: list[Request]) -> dict[str, float]:
    """Seconds of each way. Raises AssertionError if they do not write the same texts."""
    with tempfile.TemporaryDirectory() as folder, Cache(folder) as cache:
        client = Client(ref, params, SAMPLING, cache=cache, engine=engine)
        seeds = [client._job(request).seed for request in requests]
        llm.reset_prefix_cache()  # as the engine does
        alone, expected = timed(lambda: bare(llm, requests, seeds))
        cold, texts = timed(lambda: [response.text for response in client.run(requests)])
        warm, cached = timed(lambda: [response.text for response in client.run(requests)])
    assert expected == texts == cached, "vLLM and the client differ"
    return {"vllm.LLM.chat": alone, "client, cold": cold, "client, warm": warm}


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
    middle = {kind: median(result[kind] for result in results) for kind in results[0]}
    ratios = [result["vllm.LLM.chat"] / result["client, cold"] for result in results]
    print(f"{count} prompts, {rounds} rounds; cold over bare: {min(ratios):.2f} to {max(ratios):.2f}")
    for kind, taken in middle.items():
        print(f"{kind:<15}{count / taken:>10,.1f} rows/s{middle['vllm.LLM.chat'] / taken:>10.2f} x vLLM")


if __name__ == "__main__":
    main()
