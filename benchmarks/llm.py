"""What the client costs over bare vLLM, and beside a peer: the same prompts, sampling and engine settings.

    python benchmarks/llm.py MODEL_FOLDER [ROWS] [ROUNDS] [--peer VENV]

Each round asks everything by `vllm.LLM.chat` and by Client into an empty cache, in turns, so that both see the same
load of the machine (same seeds, same engine, same tokens out); then by Client over the full cache. With --peer each
round then runs ours and distilabel 1.5.3 (llm_beside.py has its environment), in processes of their own: to the end,
and killed after half of the rows and started again. The middle of the rounds counts. The processor's time tells more
than the clock's where other work runs beside; on a GPU only the clock's tells anything.
"""

import argparse
import tempfile
import time
from statistics import median

from funreason.config import load_params
from funreason.llm import Cache, Client, Request, load_ref
from funreason.llm.engines.vllm import VllmEngine, engine_arguments

SAMPLING = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 64, "seed": 0}
BARE = "vllm.LLM.chat"
Chats = list[list[dict]]  # the messages of each
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


def one_engine(ref, params):
    """(vLLM as somebody uses it directly, our engine around the same one): nothing but the way in differs."""
    engine = VllmEngine(ref, params)
    from vllm import LLM

    llm = LLM(**engine_arguments(ref, params))
    engine._engine = llm.llm_engine
    return llm, engine


def bare(llm, chats: Chats, samplings: list[dict]) -> list[str]:
    """What somebody writes who uses vLLM directly; with an empty prefix cache, as our engine begins."""
    from vllm import SamplingParams

    llm.reset_prefix_cache()
    params = [SamplingParams(**sampling) for sampling in samplings]
    outputs = llm.chat(chats, params, use_tqdm=False)
    return [output.outputs[0].text for output in outputs]


class Here:
    """vLLM and the client over one engine, in this process."""

    def __init__(self, model: str, requests: list[Request]):
        self.ref, self.params, self.requests = load_ref(model), load_params().llm, requests
        self.llm, self.engine = one_engine(self.ref, self.params)

    def round(self) -> dict[str, tuple[float, float]]:
        """Seconds of each way, by the clock and of the processor. Raises AssertionError where their texts differ."""
        with tempfile.TemporaryDirectory() as folder, Cache(folder) as cache:
            client = Client(self.ref, self.params, SAMPLING, cache=cache, engine=self.engine)
            chats = [request.messages for request in self.requests]
            samplings = [SAMPLING | {"seed": client._job(request).seed} for request in self.requests]
            alone, expected = timed(lambda: bare(self.llm, chats, samplings))
            cold, texts = timed(lambda: [response.text for response in client.run(self.requests)])
            warm, cached = timed(lambda: [response.text for response in client.run(self.requests)])
        assert expected == texts == cached, "vLLM and the client differ"
        return {BARE: alone, "client, cold": cold, "client, warm": warm}


def print_overhead(rounds: list[dict[str, tuple[float, float]]], rows: int) -> None:
    """Rows per second and the ratio to bare vLLM."""
    for kind in rounds[0]:
        clock, processor = (median(found[kind][which] for found in rounds) / rows for which in (0, 1))
        faster = [median(found[BARE][n] / found[kind][n] for found in rounds) for n in (0, 1)]
        speed = f"{1 / clock:>10,.1f} rows/s, {1000 * processor:>8.2f} ms of the processor a row"
        print(f"{kind:<13}{speed}; {faster[0]:.2f} and {faster[1]:.2f} x bare vLLM")


def print_beside(name: str, rounds: list, rows: int) -> None:
    clock, processor = (median(found.cold[which] for found in rounds) / rows for which in (0, 1))
    print(f"{name}, cold: {1 / clock:,.1f} rows/s, {1000 * processor:.2f} ms of the processor a row;"
          f" {median(found.whole_s for found in rounds):.1f} s with its start")  # fmt: skip
    kept, asked, taken = (median(getattr(it, what) for it in rounds) for what in ("kept", "asked", "recovery_s"))
    stuck = f"{sum(it.stuck for it in rounds)} of {len(rounds)} stood still"
    print(f"{name}, killed at half: {kept:g} rows were done, {asked:g} asked after it, {kept + asked - rows:g} of them"
          f" again; {taken:.1f} s to the end; {stuck}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a local folder")
    parser.add_argument("rows", type=int, nargs="?", default=256)
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    parser.add_argument("--peer", metavar="VENV", help="an environment with vLLM and distilabel 1.5.3")
    arguments = parser.parse_args()
    requests = chats(arguments.rows)
    here, found, beside = Here(arguments.model, requests), [], {"ours": [], "distilabel": []}
    here.round()  # to warm up
    if arguments.peer:
        from llm_beside import Peer, ours

        texts = [request.messages[0]["content"] for request in requests]
        peer = Peer(arguments.peer, arguments.model, engine_arguments(here.ref, here.params), SAMPLING, texts)
    for _ in range(arguments.rounds):
        found.append(here.round())
        if arguments.peer:
            beside["ours"].append(ours(arguments.model, arguments.rows))
            beside["distilabel"].append(peer.outcome())
    print(f"{arguments.rows} prompts, {arguments.rounds} rounds")
    print_overhead(found, arguments.rows)
    for name, rounds in beside.items():
        if rounds:
            print_beside(name, rounds, arguments.rows)


if __name__ == "__main__":
    main()
