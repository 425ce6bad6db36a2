"""Kill -9 a run again and again: what is lost, and what is asked twice.

    python benchmarks/llm_kill.py MODEL_FOLDER [--kills 20] [--prompts 400] [--keep-s 600]

The run asks a real vLLM engine; it is killed after a random number of answers until it has been killed so often, then
left to end. Lost is an answer that was stored and is gone or another one; twice is one that was asked although it was
stored.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from llm import SAMPLING, chats

from funreason.config import load_params
from funreason.llm import Cache, Client, load_ref

HERE = Path(__file__)


@dataclass
class Run:
    """What a run said: the keys and texts that it had stored, and at its end how long it took."""

    said: list[tuple[str, str]] = field(default_factory=list)
    asking: tuple[float, float] | None = None  # seconds without the start, by the clock and of the processor
    seconds: float = 0.0  # of all of it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a local folder")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--prompts", type=int, default=400)
    parser.add_argument("--keep-s", type=float, default=600.0, help="0: an engine start a run")
    parser.add_argument("--folder", help="of the cache: this is the run that is killed")
    arguments = parser.parse_args()
    if arguments.folder:
        ask(arguments)
        return
    most = max(2, arguments.prompts // arguments.kills)
    limits = [random.Random(seed).randrange(1, most) for seed in range(arguments.kills)]
    with tempfile.TemporaryDirectory() as folder:
        report(arguments, [killed(arguments.model, arguments.prompts, folder, limit, arguments.keep_alive_s)
                           for limit in [*limits, None]])  # fmt: skip


def ask(arguments) -> None:
    """The run: writes a line for each answer once it is stored, and how long it took in the end."""
    params = load_params().llm.model_copy(update={"keep_alive_s": arguments.keep_alive_s})
    with Client(load_ref(arguments.model), params, SAMPLING, cache=Cache(arguments.folder)) as client:
        stream = client.engine.stream

        def told(*given):
            for job, response in stream(*given):
                yield job, response  # when the client comes back for more, it has stored this one
                print(json.dumps([job.key.hex(), response.text]), flush=True)

        client.engine.stream = told
        if not arguments.keep_alive_s:
            client.engine.load()
        start = time.perf_counter(), time.process_time()
        client.run(chats(arguments.prompts))
        print(json.dumps({"asking": [time.perf_counter() - start[0], time.process_time() - start[1]]}), flush=True)


def killed(model: str, prompts: int, folder: str, limit: int | None, keep_alive_s: float = 0.0) -> Run:
    """A run over the cache in `folder`, killed after `limit` stored answers; None lets it end."""
    command = [
        sys.executable,
        HERE,
        model,
        "--prompts",
        str(prompts),
        "--folder",
        folder,
        "--keep-s",
        str(keep_alive_s),
    ]
    run, start = Run(), time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            said = json.loads(line) if line.endswith("\n") else None
            if isinstance(said, list):
                run.said.append(tuple(said))
            elif said:
                run.asking = tuple(said["asking"])
            if len(run.said) == limit:
                child.kill()
    run.seconds = time.perf_counter() - start
    print(f"run over: {len(run.said)} answers", file=sys.stderr, flush=True)
    assert child.returncode == (0 if limit is None else -signal.SIGKILL), child.returncode
    return run


def report(arguments, runs: list[Run]) -> None:
    said = [item for run in runs for item in run.said]
    twice = len(said) - len({key for key, _ in said})
    with tempfile.TemporaryDirectory() as folder:
        whole = dict(killed(arguments.model, arguments.prompts, folder, None, arguments.keep_alive_s).said)
    lost = sum(whole[key] != text for key, text in said)
    print(f"{len(runs) - 1} kills, {arguments.prompts} prompts: {lost} answers lost or other than without a kill,")
    print(f"{twice} asked twice, {len(whole) - len(said)} finished in the moment of a kill")


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    main()
