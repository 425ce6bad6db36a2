"""Kill -9 a run again and again: which responses are lost, and which are asked twice.

    python benchmarks/llm_kill.py MODEL_FOLDER [--kills 20] [--prompts 400] [--keep-alive-s 600]

The run asks a real vLLM engine. It is killed after a random number of responses until it has been killed so often,
then left to end. A response is lost if it was stored and is gone or changed; it is asked twice if it was stored and is
asked again.
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

from llm_common import SAMPLING, requests

from funreason.config import load_params
from funreason.llm import Cache, Client, load_ref


@dataclass
class KilledRun:
    """What a run has printed before it ended or was killed."""

    stored: list[tuple[str, str]] = field(default_factory=list)  # keys and texts
    asking: tuple[float, float] | None = None  # seconds without the start: wall clock, CPU; None where it was killed
    seconds: float = 0.0  # with the start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a local folder")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--prompts", type=int, default=400)
    parser.add_argument("--keep-alive-s", type=float, default=600.0, help="0: each run starts an engine")
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


def ask(arguments: argparse.Namespace) -> None:
    """The run: prints a line per response once it is stored, and the seconds at the end."""
    params = load_params().llm.model_copy(update={"keep_alive_s": arguments.keep_alive_s})
    with Client(load_ref(arguments.model), params, SAMPLING, cache=Cache(arguments.folder)) as client:
        stream = client.engine.stream

        def printing(*stream_arguments):
            for job, response in stream(*stream_arguments):
                yield job, response  # when the client asks for the next one, it has stored this one
                print(json.dumps([job.key.hex(), response.text]), flush=True)

        client.engine.stream = printing
        if not arguments.keep_alive_s:
            client.engine.load()
        start = time.perf_counter(), time.process_time()
        client.run(requests(arguments.prompts))
        print(json.dumps({"asking": [time.perf_counter() - start[0], time.process_time() - start[1]]}), flush=True)


def killed(model: str, prompts: int, folder: str, limit: int | None, keep_alive_s: float = 0.0) -> KilledRun:
    """A run over the cache in `folder`, killed after `limit` stored responses; None lets it end."""
    command = [sys.executable, __file__, model, "--prompts", str(prompts), "--folder", folder]
    command += ["--keep-alive-s", str(keep_alive_s)]
    run, start = KilledRun(), time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            message = json.loads(line) if line.endswith("\n") else None
            if isinstance(message, list):
                run.stored.append(tuple(message))
            elif message:
                run.asking = tuple(message["asking"])
            if len(run.stored) == limit:
                child.kill()
    run.seconds = time.perf_counter() - start
    print(f"run over: {len(run.stored)} responses", file=sys.stderr, flush=True)
    assert child.returncode == (0 if limit is None else -signal.SIGKILL), child.returncode
    return run


def report(arguments: argparse.Namespace, runs: list[KilledRun]) -> None:
    stored = [item for run in runs for item in run.stored]
    twice = len(stored) - len({key for key, _ in stored})
    with tempfile.TemporaryDirectory() as folder:
        whole = dict(killed(arguments.model, arguments.prompts, folder, None, arguments.keep_alive_s).stored)
    lost = sum(whole[key] != text for key, text in stored)
    print(f"{len(runs) - 1} kills, {arguments.prompts} prompts: {lost} responses lost or other than without a kill,")
    print(f"{twice} asked twice, {len(whole) - len(stored)} finished at the moment of a kill")


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    main()
