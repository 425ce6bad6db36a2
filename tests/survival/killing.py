"""A `dvc repro` that is watched, and killed: dvc, the stage, or both."""

import random
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from project import dvc, dvc_command, environment

from funreason.params import read_yaml

VICTIMS = ("dvc", "child", "both")
RWLOCK = "Unable to read RWLock-file"  # killed while DVC wrote it, which it does in place
LEFT_S = 30  # until the last process of a killed run must be gone: a loaded machine is slow to clear up
RUN_S = 3600


class Repro:
    """`dvc repro` in a copy of the project, in a process group of its own; its stages are known when they start."""

    def __init__(self, folder: Path, *arguments: str):
        self.folder = folder
        self.process = subprocess.Popen(
            dvc_command("repro", *arguments), cwd=folder, env=environment(folder), text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.said, self.started, self.ended = [], {}, 0.0
        self.news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            with self.news:
                self.said.append(line)
                if found := re.match(r"Running stage '(.+)':", line):
                    self.started[found[1]] = time.monotonic()
                self.news.notify_all()
        with self.news:
            self.ended = time.monotonic()
            self.news.notify_all()

    def first(self) -> str:
        """The first stage that runs, when it has started; empty if all is over before that."""
        with self.news:
            self.news.wait_for(lambda: self.started or self.ended, RUN_S)
            return next(iter(self.started), "")

    def go_on(self, seconds: float) -> None:
        """So long at most: only into the second stage."""
        with self.news:
            self.news.wait_for(lambda: len(self.started) > 1 or self.ended, seconds)

    def latest(self) -> str:
        """The stage that started last."""
        return list(self.started)[-1]

    def seconds(self, stage: str) -> float:
        """How long a stage took, DVC's part included; waits for its end."""
        with self.news:
            self.news.wait_for(lambda: self._end(stage), RUN_S)
            return self._end(stage) - self.started.get(stage, self._end(stage))

    def _end(self, stage: str) -> float:
        """The start of the stage after it, or the end of all; 0 before that."""
        names = list(self.started)
        after = names[names.index(stage) + 1 :] if stage in names else ()
        return self.started[after[0]] if after else self.ended

    def finished(self) -> tuple[int, str]:
        """Its exit status and what it said, at the end."""
        with self.news:
            self.news.wait_for(lambda: self.ended, RUN_S)
        return self.process.wait(RUN_S), "".join(self.said)

    def kill(self, victim: str, number: int = signal.SIGKILL) -> list[psutil.Process]:
        """Kill one of VICTIMS; the processes of the run before that."""
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(self.process.pid)
            family = [root, *root.children(recursive=True)]
            for process in {"dvc": family[:1], "child": family[1:2] or family[:1], "both": family[:2]}[victim]:
                with suppress(psutil.NoSuchProcess):  # it ended by itself meanwhile
                    process.send_signal(number)
            return family
        return []

    def left_behind(self, family: list[psutil.Process]) -> list[str]:
        """Processes of this run that go on for LEFT_S, those it started unseen included."""
        end = time.monotonic() + LEFT_S
        while alive := [str(process) for process in {*filter(_alive, family), *self._users()}]:
            if time.monotonic() > end:
                return alive
            time.sleep(0.05)
        return []

    def _users(self) -> Iterator[psutil.Process]:
        """Everybody with the response cache of this copy."""
        mark = f"FUNREASON_CACHE={environment(self.folder)['FUNREASON_CACHE']}".encode()
        for process in psutil.process_iter():
            with suppress(OSError, psutil.Error):
                if mark in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0"):
                    yield process


def kill_every_stage(folder: Path, asked: list, unbroken: Repro, times: int = 2, seed: int = 5) -> tuple[Counter, int]:
    """Start the run again and again, and kill each stage at random points of it, until it ends; the victims in turn.

    `asked`: what a server was asked so far. Returns kills by stage, and how many met a run that had asked.
    """
    rng, kills, asking = random.Random(seed), Counter(), 0
    while True:
        before, victim = len(asked), VICTIMS[kills.total() % len(VICTIMS)]
        run = _started(folder)
        if not (stage := run.first()):
            return kills, asking
        if kills[stage] >= times:
            run.go_on(RUN_S)
            stage = run.latest()
        time.sleep(rng.uniform(0, 0.3 + 0.5 * bool(kills[stage])) * unbroken.seconds(stage))
        assert run.left_behind(run.kill(victim)) == [], f"{stage}: {victim} killed, these went on"
        if run.finished()[0] == 0:
            return kills, asking  # the last stage was faster than the kill
        kills[stage] += 1
        asking += len(asked) > before


def same_bytes(broken: Path, whole: Path) -> bool:
    """Whether the killed run, brought to its end, has the hashes of the unbroken one."""
    assert _started(broken).finished()[0] == 0
    assert "up to date" in dvc(broken, "status")
    return read_yaml(broken / "dvc.lock") == read_yaml(whole / "dvc.lock")


def _started(folder: Path) -> Repro:
    run = Repro(folder)
    if run.first() or RWLOCK not in run.finished()[1]:
        return run
    (folder / ".dvc/tmp/rwlock").unlink()  # the remedy of docs/troubleshooting.md
    return Repro(folder)


def _alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
