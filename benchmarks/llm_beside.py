"""Ours beside a peer, each in processes of its own: a run to the end, and a run killed at half and started again.

    python benchmarks/llm_beside.py MODEL_FOLDER VENV [ROWS] [ROUNDS]

distilabel 1.5.3 with its vLLM backend stands for the peers. Its environment, beside the locked one:

    uv venv VENV && uv pip sync -p VENV requirements/cpu.lock
    uv pip install -p VENV distilabel==1.5.3 -c requirements/cpu.lock

A killed pipeline is run again with its own cache (`use_cache=True`), as its documentation says. Where that run hangs
(argilla-io/distilabel#1065), it is ended and the pipeline is run without the cache, as its users do; the time until
somebody notices that it hangs is not counted. The median of the rounds counts.
"""

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from llm_common import SAMPLING, requests
from llm_kill import KilledRun, killed

from funreason.config import load_params
from funreason.llm import load_ref
from funreason.llm.engines.vllm import engine_arguments

BATCH = 50  # distilabel's own default
START_S, PATIENCE_S = 900, 120  # seconds until the peer is loaded; without a batch (of a few seconds) until it hangs


@dataclass(frozen=True)
class SystemRound:
    """One system in one round: a run to the end, and a run that was killed."""

    cold: tuple[float, float]  # seconds of asking: wall clock, CPU
    whole_s: float  # with the start
    kept: int  # rows that were done at the moment of the kill
    asked: int  # rows asked after it
    recovery_s: float  # of the run that goes to the end
    hung: bool = False  # a run before it hung


def ours(model: str, rows: int) -> SystemRound:
    with tempfile.TemporaryDirectory() as folder:
        cold = killed(model, rows, folder, None)
    with tempfile.TemporaryDirectory() as folder:
        before: KilledRun = killed(model, rows, folder, rows // 2)
        after: KilledRun = killed(model, rows, folder, None)
    return SystemRound(cold.asking, cold.seconds, len(before.stored), len(after.stored), after.seconds)


class Peer:
    """distilabel over the same prompts."""

    def __init__(self, venv: str, model: str, engine: dict, sampling: dict, texts: list[str]):
        self.model, self.rows = model, len(texts)
        self.python = str(Path(venv, "bin", "python"))
        engine = {name: value for name, value in engine.items() if name != "model"}
        self.task = json.dumps({"texts": texts, "sampling": sampling, "engine": engine, "batch": BATCH})

    def round(self) -> SystemRound:
        with tempfile.TemporaryDirectory() as folder:
            whole_s, batches = self._run(folder)
            cold = sum(batch[1] for batch in batches), sum(batch[2] for batch in batches)
        with tempfile.TemporaryDirectory() as folder:
            _, before = self._run(folder, self.rows // 2)
            recovery_s, after = self._run(folder)
            if hung := recovery_s is None:
                recovery_s, anew = self._run(folder, None, "anew")
                after += anew
        return SystemRound(cold, whole_s, _rows(before), _rows(after), recovery_s, hung)

    def _run(self, folder: str, kill_after: int | None = None, *anew) -> tuple[float | None, list[tuple]]:
        """Seconds (None where it did not end) and, per batch, (rows, wall-clock seconds, CPU seconds)."""
        times = Path(folder, "times")
        times.write_text("")
        Path(folder, "prompts.json").write_text(self.task)
        script = Path(__file__).with_name("llm_peer.py")
        start = time.perf_counter()
        with open(Path(folder, "log"), "ab") as log:
            child = subprocess.Popen([self.python, script, self.model, f"{folder}/prompts.json", folder, *anew],
                                     stdout=log, stderr=log, start_new_session=True)  # fmt: skip
        ended = _watch(child, times, kill_after)
        return time.perf_counter() - start if ended else None, _batches(times)


def _watch(child: subprocess.Popen, times: Path, kill_after: int | None) -> bool:
    """Wait for the end, the kill or the deadline; whether it ended by itself."""
    deadline, seen = time.monotonic() + START_S, 0
    while child.poll() is None:
        batches = _batches(times)
        if len(batches) > seen:
            deadline, seen = time.monotonic() + PATIENCE_S, len(batches)
        if (kill_after and _rows(batches) >= kill_after) or time.monotonic() > deadline:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        time.sleep(0.02)
    return child.returncode == 0


def _batches(times: Path) -> list[tuple[int, float, float]]:
    lines = [line.split() for line in times.read_text().splitlines()]
    return [(int(rows), float(clock), float(cpu)) for rows, clock, cpu in lines]


def _rows(batches: list[tuple[int, float, float]]) -> int:
    return sum(rows for rows, *_ in batches)


def report(name: str, rounds: list[SystemRound], rows: int) -> None:
    clock, cpu = (median(result.cold[which] for result in rounds) / rows for which in (0, 1))
    print(f"{name}, cold: {1 / clock:,.1f} rows/s, {1000 * cpu:.2f} ms of CPU time per row;"
          f" {median(result.whole_s for result in rounds):.1f} s with the start")  # fmt: skip
    kept, asked, recovery = (
        median(getattr(result, name) for result in rounds) for name in ("kept", "asked", "recovery_s")
    )
    hung = f"{sum(result.hung for result in rounds)} of {len(rounds)} hung"
    print(f"{name}, killed at half: {kept:g} rows were done, {asked:g} asked after it, {kept + asked - rows:g} of them"
          f" again; {recovery:.1f} s to the end; {hung}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a local folder")
    parser.add_argument("venv", help="an environment with vLLM and distilabel 1.5.3")
    parser.add_argument("rows", type=int, nargs="?", default=256)
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    arguments = parser.parse_args()
    texts = [request.messages[0]["content"] for request in requests(arguments.rows)]
    engine = engine_arguments(load_ref(arguments.model), load_params().llm)
    peer = Peer(arguments.venv, arguments.model, engine, SAMPLING, texts)
    results: dict[str, list[SystemRound]] = {"ours": [], "distilabel": []}
    for _ in range(arguments.rounds):
        results["ours"].append(ours(arguments.model, arguments.rows))
        results["distilabel"].append(peer.round())
    print(f"{arguments.rows} prompts, {arguments.rounds} rounds")
    for name, rounds in results.items():
        report(name, rounds, arguments.rows)


if __name__ == "__main__":
    main()
