"""The capacity model: the tokens of each stage that asks a model, over the speed of the GPUs.

    seconds of a stage = start_s + (prompt tokens / prefill + completion tokens / decode) / GPUs
    seconds of train   = start_s + all tokens / train / GPUs

`prefill`, `decode` and `train` are tokens per second of one GPU with full batches. The model is linear: it does not
know that the last responses of a stage leave batches half empty. docs/LOG.md tells how far off it was where it was
checked.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from funreason.config import Block, Count, Name, read_yaml
from funreason.config.messages import describe
from funreason.core.errors import DataError, ParamsError
from funreason.core.jsonio import read_details
from funreason.core.paths import STEPS, stem
from funreason.plan.estimate import EVALUATIONS, StageEstimate, measured, total

ASKING = STEPS[:-1]  # generate and the five checks; validate asks no model
EXAMPLE = "configs/capacity/32b.yaml"
HOUR = 3600
FORWARD_AND_BACKWARD = 3  # a training step computes three times what prefill does

Amount = Annotated[float, Field(ge=0)]
TokensPerSecond = Annotated[float, Field(gt=0)]


class StageAssumption(Block):
    """Requests per row of the source, and tokens per request."""

    requests: Amount
    prompt_tokens: Amount
    completion_tokens: Amount


class Speed(Block):
    """Tokens per second per GPU, seconds until a stage's model is loaded, price per GPU hour. None: not known.

    `train` without a value is assumed to be `prefill` / `FORWARD_AND_BACKWARD`.
    """

    prefill: TokensPerSecond | None = None
    decode: TokensPerSecond | None = None
    train: TokensPerSecond | None = None
    start_s: Amount = 0.0
    gpus: Count = 1
    price: Amount | None = None


class Assumptions(Block):
    """A file of assumptions: rows of the source, and what each stage of each round asks per row."""

    rows: Count
    rounds: Annotated[list[Name], Field(min_length=1)]
    stages: dict[str, StageAssumption]
    speed: Speed


def read_assumptions(path: str | Path) -> Assumptions:
    """Read a file of assumptions. Raises ParamsError naming every bad key on one line."""
    try:
        assumptions = Assumptions.model_validate(read_yaml(path))
    except ValidationError as error:
        raise ParamsError(f"{path}: {describe(error, Assumptions, EXAMPLE)}") from None
    if unknown := sorted(set(assumptions.stages) - set(ASKING)):
        raise ParamsError(
            f"{path}: stages.{unknown[0]} does not ask a model; the stages that do are {', '.join(ASKING)}"
        )
    return assumptions


def assumed_run(assumptions: Assumptions, rows: int) -> list[StageEstimate]:
    """What the assumed stages ask for `rows` rows of the source."""
    return [
        StageEstimate(
            f"{stage}@{name}",
            requests=round(requests := rows * assumption.requests),
            prompt_tokens=round(requests * assumption.prompt_tokens),
            completion_tokens=round(requests * assumption.completion_tokens),
        )
        for name in assumptions.rounds
        for stage, assumption in assumptions.stages.items()
    ]


def measured_run(folder: str | Path, rows: int | None) -> tuple[list[StageEstimate], int]:
    """A finished run, scaled.

    Args:
        folder: Of its metrics.
        rows: Of the source; those of the run where None.

    Returns:
        The stages that ask a model, and the rows.

    Raises:
        DataError: There is no such run, or its metrics are damaged.
    """
    first = f"{stem(ASKING[0])}.json"
    rounds = sorted(path.parent for path in Path(folder).glob(f"*/{first}"))
    if not rounds:
        remedy = "run `dvc repro`, or give a file of assumptions (--assume)"
        raise DataError(f"{folder} has no metrics of a round ({first}); {remedy}")
    estimates = []
    for metrics in rounds:
        own = read_details(metrics / first)["tasks"]
        rows = rows or own
        factor = rows / own
        estimates += [
            measured(metrics / f"{stem(step)}.json", f"{step}@{metrics.name}", factor, factor) for step in ASKING
        ]
    return estimates, rows or 0


def measured_rest(folder: str | Path, rows: int, epochs: float) -> list[StageEstimate]:
    """Training, scaled to the rows, and the evaluations, which are as large as they were, of a finished run.

    Args:
        folder: Of its metrics.
        rows: Of the source.
        epochs: That a model is trained.

    Raises:
        DataError: Metrics are damaged.
    """
    estimates = []
    for metrics in sorted(path for path in Path(folder).glob("*") if path.is_dir()):
        if (metrics / "train.json").is_file():
            estimates.append(_trained(metrics, rows, epochs))
        for benchmark in EVALUATIONS:
            if (metrics / f"{benchmark}.json").is_file():
                estimates.append(measured(metrics / f"{benchmark}.json", f"evaluate_{benchmark}@{metrics.name}"))
    return estimates


def _trained(metrics: Path, rows: int, epochs: float) -> StageEstimate:
    """The rows trained on, with prompts as long as those that were generated from."""
    counts, generated = read_details(metrics / "train.json"), read_details(metrics / f"{stem(ASKING[0])}.json")
    factor = rows / generated["tasks"]
    used = counts["rows"]["used"]
    prompt = generated["llm"]["prompt_tokens"] / max(generated["llm"]["requests"], 1)
    return StageEstimate(
        f"train@{metrics.name}",
        round(used * factor),
        prompt_tokens=round(used * factor * epochs * prompt),
        completion_tokens=round(sum(counts["tokens"].values()) * factor * epochs),
    )


def read_speed(path: str | Path) -> Speed:
    """What `funreason capacity measure` has written. Raises DataError."""
    try:
        return Speed.model_validate(json.loads(Path(path).read_text(encoding="utf-8"))["speed"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "write it with `funreason capacity measure`"
        raise DataError(f"{path} holds no speed ({' '.join(str(error).split())[:200]}); {remedy}") from None


def seconds(estimate: StageEstimate, speed: Speed) -> float | None:
    """How long a stage takes on all GPUs; None where the speed is not known."""
    if speed.prefill is None or speed.decode is None:
        return None
    if estimate.trains:
        train = speed.train or speed.prefill / FORWARD_AND_BACKWARD
        return speed.start_s + (estimate.prompt_tokens + estimate.completion_tokens) / train / speed.gpus
    if not estimate.requests:
        return 0.0
    computing = estimate.prompt_tokens / speed.prefill + estimate.completion_tokens / speed.decode
    return speed.start_s + computing / speed.gpus


def with_hours(estimates: Sequence[StageEstimate], speed: Speed) -> list[dict]:
    """One row per stage and one for their total, with hours and cost where speed and price are known."""
    times = [seconds(estimate, speed) for estimate in estimates]
    rows = [asdict(estimate) | _hours([time], speed) for estimate, time in zip(estimates, times, strict=True)]
    return [*rows, asdict(total(estimates)) | _hours(times, speed)]


def _hours(times: list[float | None], speed: Speed) -> dict[str, float]:
    known = [time for time in times if time is not None]
    if len(known) < len(times):
        return {}
    hours = sum(known) / HOUR
    figures = {"hours": round(hours, 3), "gpu_hours": round(hours * speed.gpus, 3)}
    return figures if speed.price is None else figures | {"cost": round(hours * speed.gpus * speed.price, 2)}
