"""Ours and a peer, each in processes of its own: a run to the end, and one that is killed at half and started again.

distilabel 1.5.3 with its vLLM backend stands for the peers. Its environment, beside the locked one:

    uv venv VENV && uv pip sync -p VENV requirements/cpu.lock
    uv pip install -p VENV distilabel==1.5.3 -c requirements/cpu.lock

A pipeline that was killed is run again with its own cache (`use_cache=True`), as its documentation says. Where that run
stands still (argilla-io/distilabel#1065), it is ended and the pipeline run without the cache, as its users do; the time
until somebody sees that it stands still is not counted.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from llm_kill import Run, killed

BATCH = 50  # distilabel's own default
START_S, PATIENCE_S = 900, 120  # until the peer is loaded; without a batch, of a few seconds, until it stands still


@dataclass(frozen=True)
class Outcome:
    """One system, one round: a run to the end, and one that was killed."""

    cold: tuple[float, float]  # seconds of asking, by the clock and of the processor
    whole_s: float  # with the start
    kept: int  # rows that were done in the moment of the kill
    asked: int  # after it
    recovery_s: float  # from the start of the run that goes to the end until all rows are there
    stuck: bool = False  # one run before it stood still


def ours(model: str, rows: int) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        cold = killed(model, rows, folder, None)
    with tempfile.TemporaryDirectory() as folder:
        before: Run = killed(model, rows, folder, rows // 2)
        after: Run = killed(model, rows, folder, None)
    return Outcome(cold.asking, cold.seconds, len(before.said), len(after.said), after.seconds)


class Peer:
    """distilabel over the prompts of llm.py."""

    def __init__(self, venv: str, model: str, engine: dict, sampling: dict, texts: list[str]):
        self.model, self.rows = model, len(texts)
        self.python = str(Path(venv, "bin", "python"))
        engine = {name: value for name, value in engine.items() if name != "model"}
        self.given = json.dumps({"texts": texts, "sampling": sampling, "engine": engine, "batch": BATCH})

    def outcome(self) -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            whole_s, batches = self._run(folder)
            cold = sum(batch[1] for batch in batches), sum(batch[2] for batch in batches)
        with tempfile.TemporaryDirectory() as folder:
            _, before = self._run(folder, self.rows // 2)
            recovery_s, after = self._run(folder)
            if stuck := recovery_s is None:
                recovery_s, anew = self._run(folder, None, "anew")
                after += anew
        return Outcome(cold, whole_s, _rows(before), _rows(after), recovery_s, stuck)

    def _run(self, folder: str, kill_after: int | None = None, *anew) -> tuple[float | None, list[tuple]]:
        """Seconds, None where it did not end, and (rows, seconds by the clock, of the processor) of each batch."""
        times = Path(folder, "times")
        times.write_text("")
        Path(folder, "prompts.json").write_text(self.given)
        script = Path(__file__).with_name("llm_peer.py")
        start = time.perf_counter()
        with open(Path(folder, "log"), "ab") as log:
            child = subprocess.Popen([self.python, script, self.model, f"{folder}/prompts.json", folder, *anew],
                                     stdout=log, stderr=log, start_new_session=True)  # fmt: skip
        ended = _watch(child, times, kill_after)
        return time.perf_counter() - start if ended else None, _batches(times)


def _watch(child: subprocess.Popen, times: Path, kill_after: int | None) -> bool:
    """Wait for the end, the kill, or for the last patience; whether it ended by itself."""
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
    return [(int(rows), float(clock), float(processor)) for rows, clock, processor in lines]


def _rows(batches: list[tuple[int, float, float]]) -> int:
    return sum(rows for rows, *_ in batches)
