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
from itertools import count
from pathlib import Path

import psutil
from project import dvc, dvc_command, environment

from funreason.config import read_yaml

VICTIMS = ("dvc", "child", "both")
DAMAGED = {  # what DVC says of files that it writes in place, and was killed meanwhile
    "Unable to read RWLock-file": ".dvc/tmp/rwlock",
    "dvc.lock' validation failed": "dvc.lock",
    "dvc.lock', YAML file structure is corrupted": "dvc.lock",
}
LEFT_S = 30  # until the last process of a killed run must be gone: a loaded machine is slow to clear up
RUN_S = 3600
TRIES = 10  # to meet a stage that was faster than the kill, each in half the time of the one before


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

    def stages(self) -> Iterator[str]:
        """Its stages, as they start."""
        for number in count():
            with self.news:
                self.news.wait_for(lambda number=number: len(self.started) > number or self.ended, RUN_S)
            if len(self.started) <= number:
                return
            yield list(self.started)[number]

    def reaches(self, stage: str) -> bool:
        """Waits until a process of the stage is seen; False where all of it is over before that."""
        with self.news:
            self.news.wait_for(lambda: stage in self.started or self.ended, RUN_S)
        while not (seen := self.is_in(stage)) and not self._end(stage):
            time.sleep(0.01)
        return seen

    def is_in(self, stage: str) -> bool:
        """Whether a process of the stage is there, which has the name from DVC."""
        return any(_has(process, "DVC_STAGE", stage) for process in self._family())

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
        family = self._family()
        for process in {"dvc": family[:1], "child": family[1:2] or family[:1], "both": family[:2]}[victim]:
            with suppress(psutil.NoSuchProcess):  # it ended by itself meanwhile
                process.send_signal(number)
        return family

    def _family(self) -> list[psutil.Process]:
        """dvc and all under it; nobody once dvc is gone."""
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(self.process.pid)
            return [root, *root.children(recursive=True)]
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
        cache = environment(self.folder)["FUNREASON_CACHE"]
        return (process for process in psutil.process_iter() if _has(process, "FUNREASON_CACHE", cache))


def kill_every_stage(folder: Path, asked: list, unbroken: Repro, times: int = 2, seed: int = 5) -> tuple[Counter, int]:
    """Kill so many runs inside every stage, in the order of the unbroken run, at random points; the victims in turn.

    `asked`: what a server was asked so far. Returns the kills that met their stage, and how many met a run that had
    asked. Where a stage was over before the kill, it runs anew and is killed earlier.
    """
    rng, kills, asking = random.Random(seed), Counter(), 0
    for stage in unbroken.stages():
        for point in [rng.uniform(0, 0.8) for _ in range(times)]:
            for anew in ((), *TRIES * [("--force", "--single-item")]):
                before, victim = len(asked), VICTIMS[kills.total() % len(VICTIMS)]
                met = _kill_in(stage, _started(folder, *anew, stage), point * unbroken.seconds(stage), victim)
                asking += len(asked) > before
                if met:
                    kills[stage] += 1
                    break
                point /= 2
    return kills, asking


def _kill_in(stage: str, run: Repro, seconds: float, victim: str) -> bool:
    """Kill the run so long after it has come into the stage; whether it still was in it."""
    if met := run.reaches(stage):
        time.sleep(seconds)
        met = run.is_in(stage)
    assert run.left_behind(run.kill(victim)) == [], f"{stage}: {victim} killed, these went on"
    run.finished()
    return met


def same_bytes(broken: Path, whole: Path) -> bool:
    """Whether the killed run, brought to its end, has the hashes of the unbroken one. The root pipeline's only."""
    assert _started(broken).finished()[0] == 0
    assert "up to date" in dvc(broken, "status", "dvc.yaml")
    return read_yaml(broken / "dvc.lock") == read_yaml(whole / "dvc.lock")


def _started(folder: Path, *arguments: str) -> Repro:
    """A run; where a kill has left a damaged file, after the remedy of docs/troubleshooting.md."""
    run = Repro(folder, *arguments)
    said = "" if run.first() else run.finished()[1]
    for path in {path for words, path in DAMAGED.items() if words in said}:
        (folder / path).unlink()
        return Repro(folder, *arguments)
    return run


def _has(process: psutil.Process, name: str, value: str) -> bool:
    """Whether the process was started with this variable."""
    with suppress(OSError, psutil.Error):
        return f"{name}={value}".encode() in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    return False


def _alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
