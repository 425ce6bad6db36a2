"""The capacity model: the tokens of each stage that asks a model, over what GPUs read and write in a second.

    seconds of a stage = start_s + (prompt tokens / read + output tokens / written) / GPUs

`read` and `written` are tokens a second of one GPU whose seats are all taken. The model is linear: it does not know
that the last answers of a stage leave seats empty. docs/LOG.md has how far off it was where it was checked.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from funreason.config import Block, Count, Name, read_yaml
from funreason.config.messages import describe
from funreason.core.errors import DataError, ParamsError
from funreason.core.paths import STEPS, stem

ASKING = [stem(step) for step in STEPS[:-1]]  # generate and the five checks; validate asks nobody
HOUR = 3600

Amount = Annotated[float, Field(ge=0)]
Rate = Annotated[float, Field(gt=0)]


class Tokens(Block):
    """Of a stage: requests for a row of the source, tokens for a request."""

    requests: Amount
    prompt_tokens: Amount
    output_tokens: Amount


class Speed(Block):
    """Tokens a second and GPU, seconds until a stage's model is loaded, money for a GPU's hour. None: not known."""

    read: Rate | None = None
    written: Rate | None = None
    start_s: Amount = 0.0
    gpus: Count = 1
    price: Amount | None = None


class Plan(Block):
    """A file of assumptions: rows of the source, and what each stage of each set asks for a row."""

    rows: Count
    sets: Annotated[list[Name], Field(min_length=1)]
    stages: dict[str, Tokens]
    speed: Speed


@dataclass(frozen=True)
class Load:
    """What a stage of a set asks of a model: counts."""

    set: str
    stage: str
    requests: float
    prompt_tokens: float
    output_tokens: float

    def seconds(self, speed: Speed) -> float:
        if not self.requests:
            return 0.0
        return speed.start_s + (self.prompt_tokens / speed.read + self.output_tokens / speed.written) / speed.gpus


def assumed(path: str | Path) -> Plan:
    """Read a file of assumptions. Raises ParamsError naming every bad key on one line."""
    try:
        plan = Plan.model_validate(read_yaml(path))
    except ValidationError as error:
        raise ParamsError(f"{path}: {describe(error, Plan, 'configs/capacity/32b.yaml')}") from None
    if strange := sorted(set(plan.stages) - set(ASKING)):
        raise ParamsError(f"{path}: stages.{strange[0]} is no stage that asks a model; these are {', '.join(ASKING)}")
    return plan


def planned(plan: Plan, rows: int) -> list[Load]:
    return [
        Load(name, stage, (asks := rows * of.requests), asks * of.prompt_tokens, asks * of.output_tokens)
        for name in plan.rounds
        for stage, of in plan.stages.items()
    ]


def measured(folder: str | Path, rows: int | None) -> tuple[list[Load], int]:
    """The loads of a finished run, scaled to `rows`, and the rows. Raises DataError where there is no such run."""
    folder = Path(folder)
    loads = []
    for first in sorted(folder.glob(f"*/{ASKING[0]}.json")):
        own = _metrics(first)["tasks"]
        rows = rows or own
        loads += [_load(first.with_name(f"{stage}.json"), rows / own) for stage in ASKING]
    if not loads:
        remedy = "run `dvc repro`, or give a file of assumptions (--assume)"
        raise DataError(f"{folder} has no metrics of a set ({ASKING[0]}.json); {remedy}")
    return loads, rows


def speed_of(path: str | Path) -> Speed:
    """What `funreason capacity measure` has written. Raises DataError."""
    try:
        return Speed.model_validate(json.loads(Path(path).read_text())["speed"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "write it with `funreason capacity measure`"
        raise DataError(f"{path} holds no speed ({' '.join(str(error).split())[:200]}); {remedy}") from None


def estimate(loads: list[Load], speed: Speed) -> list[dict]:
    """A row for each stage, and the sum; hours and cost where the speed is known."""
    rows = [_row(load.set, load.stage, [load], speed) for load in loads]
    return [*rows, _row("all", "", loads, speed)]


def _row(name: str, stage: str, loads: list[Load], speed: Speed) -> dict:
    counts = {"requests": 0.0, "prompt_tokens": 0.0, "output_tokens": 0.0}
    row = {"set": name, "stage": stage} | {key: round(sum(getattr(it, key) for it in loads)) for key in counts}
    if speed.read and speed.written:
        hours = sum(load.seconds(speed) for load in loads) / HOUR
        row["hours"] = round(hours, 3)
        row["gpu_hours"] = round(hours * speed.gpus, 3)
        if speed.price is not None:
            row["cost"] = round(hours * speed.gpus * speed.price, 2)
    return row


def _load(path: Path, factor: float) -> Load:
    used = _metrics(path)["llm"]
    counts = (used["requests"], used["prompt_tokens"], used["completion_tokens"])
    return Load(path.parent.name, path.stem, *(factor * count for count in counts))


def _metrics(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: {reason}; run `dvc repro`, or `git checkout` the metrics") from None
