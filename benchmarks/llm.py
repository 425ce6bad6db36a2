"""What the client costs over bare vLLM: the same prompts, seeds and engine, and the same tokens out.

    python benchmarks/llm.py MODEL_FOLDER [prompts] [rounds] [PYTHON]

Each round asks everything twice, by `vllm.LLM.chat` and by Client into an empty cache, in turns, so that both see
the same load of the machine; then Client over the full cache. The middle of the rounds counts. The processor's
time tells more than the clock's where other work runs beside; on a GPU only the clock's tells anything.

PYTHON is that of an environment with distilabel 1.5.3 and vLLM, a peer: its pipeline is run once over the same prompts
(only its engine's time counts, not its start), and once more, killed at half and started again.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from funreason.llm import Cache, Client, Request, load_ref
from funreason.llm.vllm_engine import VllmEngine, engine_arguments
from funreason.params import load_params

SAMPLING = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 64, "seed": 0}
PEER_BATCH = 50  # distilabel's own default
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


class Peer:
    """distilabel over the prompts, its cache in a folder of its own."""

    def __init__(self, python: str, ref, params, requests: list[Request], folder: str):
        engine = {name: value for name, value in engine_arguments(ref, params).items() if name != "model"}
        texts = [request.messages[0]["content"] for request in requests]
        given = {"texts": texts, "sampling": SAMPLING, "engine": engine, "batch": PEER_BATCH}
        self.times = Path(folder, "times")
        Path(folder, "prompts.json").write_text(json.dumps(given))
        script = Path(__file__).with_name("llm_peer.py")
        self.command = [python, script, ref.name_or_path, f"{folder}/prompts.json", folder]

    def run(self, kill_after: int | None = None) -> list[tuple[int, float, float]]:
        """(rows, seconds by the clock, of the processor) of each finished batch; killed after so many rows."""
        self.times.write_text("")
        child = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while child.poll() is None:
            if kill_after and rows_of(self.batches()) >= kill_after:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            time.sleep(0.02)
        return self.batches()

    def batches(self) -> list[tuple[int, float, float]]:
        lines = [line.split() for line in self.times.read_text().splitlines()]
        return [(int(rows), float(clock), float(processor)) for rows, clock, processor in lines]


def rows_of(batches: list[tuple[int, float, float]]) -> int:
    return sum(rows for rows, *_ in batches)


def beside(python: str, ref, params, requests: list[Request]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        done = Peer(python, ref, params, requests, folder).run()
    clock, processor = (sum(batch[which] for batch in done) / len(requests) for which in (1, 2))
    print(f"distilabel   {1 / clock:>10,.1f} rows/s, {1000 * processor:>8.2f} ms of the processor a row")
    with tempfile.TemporaryDirectory() as folder:
        peer = Peer(python, ref, params, requests, folder)
        before, after = peer.run(len(requests) // 2), peer.run()
    before, after = rows_of(before), rows_of(after)
    again = before + after - len(requests)
    print(f"distilabel, killed after {before} rows: asks {after} of {len(requests)} then, {again} of them again")


def main() -> None:
    """Print rows per second and the ratio to bare vLLM."""
    if not 2 <= len(sys.argv) <= 5:
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
    if len(sys.argv) == 5:
        beside(sys.argv[4], ref, params, requests)


if __name__ == "__main__":
    main()
