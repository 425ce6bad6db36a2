"""Which stage of how many begins, and about how long the run still takes: a line on stderr, also in a log file.

DVC shows neither. How long each stage took the last time is kept beside DVC's own temporary files. Which stages a run
has is asked of DVC once, by the first stage, in a process of its own: DVC takes seconds to load.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

_PLANNER = "funreason.plan.coming"
_PLAN_S = 120  # seconds that the planner may take
_SAME_WORK = {"baseline_bfcl": "evaluate_bfcl", "baseline_code": "evaluate_code", "baseline_summary": "summary"}


class StageTimes:
    """The stages of one run of DVC, and how long they took before. What cannot be read counts as not known.

    Args:
        stage: The stage that begins, as DVC names it.
        dvc: DVC's process.
    """

    def __init__(self, stage: str, dvc: int):
        self._stage, self._dvc = stage, dvc
        self._folder = Path(os.environ.get("DVC_ROOT") or ".") / ".dvc/tmp/funreason"
        self._file = self._folder / "seconds.json"

    def announce(self) -> None:
        """Print the line; nothing for a stage of another pipeline, or a command that runs no known stages."""
        if ":" not in self._stage and (stages := self._stages()) and self._stage in stages:
            print(line(self._stage, stages, self._seconds()), file=sys.stderr, flush=True)

    def keep(self, seconds: float) -> None:
        """Note how long the stage took."""
        with suppress(OSError):
            _write(self._file, self._seconds() | {self._stage: round(seconds, 1)})

    def _stages(self) -> list[str]:
        """The stages that this run of DVC has, from its first one on, in DVC's order."""
        with suppress(OSError, ValueError, subprocess.TimeoutExpired):
            began = Path(f"/proc/{self._dvc}/stat").read_text().rpartition(")")[2].split()[19]
            plan = self._folder / f"run-{self._dvc}-{began}.json"
            if not plan.exists():
                for old in self._folder.glob("run-*.json"):
                    old.unlink(missing_ok=True)
                _write(plan, self._ask())
            return list(json.loads(plan.read_text()))
        return []

    def _ask(self) -> list[str]:
        words = Path(f"/proc/{self._dvc}/cmdline").read_bytes().decode(errors="replace").split("\0")
        command = [sys.executable, "-m", _PLANNER, self._stage, *words[:-1]]
        env = {key: value for key, value in os.environ.items() if key != "DVC_STAGE"}  # it is not a stage itself
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PLAN_S, check=False, env=env)
        return list(json.loads(done.stdout)) if done.returncode == 0 else []

    def _seconds(self) -> dict[str, float]:
        with suppress(OSError, ValueError, TypeError):
            return {name: float(value) for name, value in json.loads(self._file.read_text()).items()}
        return {}


def line(stage: str, stages: list[str], seconds: dict[str, float]) -> str:
    """The line of a stage that begins.

    Args:
        stage: Its name.
        stages: All stages of the run, in order.
        seconds: How long stages took the last time; a round that has not run yet is taken for one that has.
    """
    at = stages.index(stage)
    times = [_expected(name, seconds) for name in stages[at:]]
    known = [time for time in times if time is not None]
    shown = f"stage {at + 1} of {len(stages)}: {stage}"
    if not known:
        return f"{shown}; how long it takes is not known before the first run"
    unknown = len(times) - len(known)
    rest = f", and {unknown} stage{'s that have' if unknown > 1 else ' that has'} not run here yet" if unknown else ""
    return f"{shown}; about {_minutes(sum(known))} left in all{rest}"


def _expected(stage: str, seconds: dict[str, float]) -> float | None:
    if stage in seconds:
        return seconds[stage]
    step = stage.partition("@")[0]
    like = [time for name, time in seconds.items() if name.partition("@")[0] in (step, _SAME_WORK.get(step))]
    return like[-1] if like else None


def _minutes(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 120 * 60 else f"{seconds / 3600:.1f} h"


def _write(path: Path, value: Any) -> None:
    """Whole or not at all: stages of other runs may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_suffix(f".{os.getpid()}.tmp")
    own.write_text(json.dumps(value))
    own.replace(path)
