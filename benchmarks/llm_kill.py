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
from pathlib import Path

from llm import SAMPLING, chats

from funreason.llm import Cache, Client, load_ref
from funreason.params import load_params

HERE = Path(__file__)


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
    with tempfile.TemporaryDirectory() as folder:
        report(arguments, [killed(arguments, folder, n) for n in range(arguments.kills)] + [killed(arguments, folder)])


def ask(arguments) -> None:
    """The run: writes a line for each answer once it is stored."""
    params = load_params().llm.model_copy(update={"keep_s": arguments.keep_s})
    with Client(load_ref(arguments.model), params, SAMPLING, cache=Cache(arguments.folder)) as client:
        stream = client.engine.stream

        def told(*given):
            for job, response in stream(*given):
                yield job, response  # when the client comes back for more, it has stored this one
                print(json.dumps([job.key.hex(), response.text]), flush=True)

        client.engine.stream = told
        client.run(chats(arguments.prompts))


def killed(arguments, folder: str, seed: int | None = None) -> list[tuple[str, str]]:
    """The (key, text) that a run said it had stored, before it was killed; None lets it end."""
    command = [sys.executable, HERE, arguments.model, "--prompts", str(arguments.prompts), "--folder", folder]
    limit = None if seed is None else random.Random(seed).randrange(1, max(2, arguments.prompts // arguments.kills))
    said = []
    with subprocess.Popen([*command, "--keep-s", str(arguments.keep_s)], stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            if line.endswith("\n"):
                said.append(tuple(json.loads(line)))
            if len(said) == limit:
                child.kill()
    print(f"run over: {len(said)} answers", file=sys.stderr, flush=True)
    assert child.returncode == (0 if limit is None else -signal.SIGKILL), child.returncode
    return said


def report(arguments, runs: list[list[tuple[str, str]]]) -> None:
    said = [item for run in runs for item in run]
    twice = len(said) - len({key for key, _ in said})
    with tempfile.TemporaryDirectory() as folder:
        whole = dict(killed(arguments, folder))
    lost = sum(whole[key] != text for key, text in said)
    print(f"{len(runs) - 1} kills, {arguments.prompts} prompts: {lost} answers lost or other than without a kill,")
    print(f"{twice} asked twice, {len(whole) - len(said)} finished in the moment of a kill")


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    main()
