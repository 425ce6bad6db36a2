"""What the client costs over bare vLLM: the same prompts, sampling parameters and engine settings.

    python benchmarks/llm.py MODEL_FOLDER [ROWS] [ROUNDS]

Each round asks everything by `vllm.LLM.chat` and by `Client` into an empty cache, in turns, so that both see the same
load of the machine (same seeds, same engine, same tokens); then by `Client` over the full cache. The median of the
rounds counts. CPU time tells more than wall-clock time where other processes run; on a GPU only the wall clock does.
"""

import argparse
import tempfile
from statistics import median

from llm_common import BARE, SAMPLING, bare, one_engine, requests
from turns import Seconds, timed

from funreason.config import load_params
from funreason.llm import Cache, Client, load_ref


class Overhead:
    """vLLM and the client over one engine, in this process."""

    def __init__(self, model: str, rows: int):
        self.ref, self.params, self.requests = load_ref(model), load_params().llm, requests(rows)
        self.llm, self.engine = one_engine(self.ref, self.params)

    def round(self) -> dict[str, Seconds]:
        """Seconds by the name of the way. Raises AssertionError where the texts differ."""
        texts = {}
        with tempfile.TemporaryDirectory() as folder, Cache(folder) as cache:
            client = Client(self.ref, self.params, SAMPLING, cache=cache, engine=self.engine)
            chats = [request.messages for request in self.requests]
            samplings = [SAMPLING | {"seed": client._job(request).seed} for request in self.requests]

            def ask(name: str) -> None:
                texts[name] = [response.text for response in client.run(self.requests)]

            took = {BARE: timed(lambda: texts.update({BARE: bare(self.llm, chats, samplings)}))}
            took |= {name: timed(lambda name=name: ask(name)) for name in ("client, cold", "client, warm")}
        assert texts[BARE] == texts["client, cold"] == texts["client, warm"], "vLLM and the client differ"
        return took


def report(rounds: list[dict[str, Seconds]], rows: int) -> None:
    """Rows per second, and the ratio to bare vLLM."""
    for name in rounds[0]:
        clock, cpu = (median(took[name][which] for took in rounds) / rows for which in (0, 1))
        faster = [median(took[BARE][which] / took[name][which] for took in rounds) for which in (0, 1)]
        speed = f"{1 / clock:>10,.1f} rows/s, {1000 * cpu:>8.2f} ms of CPU time per row"
        print(f"{name:<13}{speed}; {faster[0]:.2f} and {faster[1]:.2f} times as fast as bare vLLM")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a local folder")
    parser.add_argument("rows", type=int, nargs="?", default=256)
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    arguments = parser.parse_args()
    overhead = Overhead(arguments.model, arguments.rows)
    overhead.round()  # to warm up
    rounds = [overhead.round() for _ in range(arguments.rounds)]
    print(f"{arguments.rows} prompts, {arguments.rounds} rounds")
    report(rounds, arguments.rows)


if __name__ == "__main__":
    main()
