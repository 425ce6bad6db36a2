"""Do learning rate, batch and epochs fit the student and its rows? Warnings only: trying finds the best values."""

import math
from collections.abc import Iterator

from funreason.config import Params
from funreason.doctor.diagnosis import Diagnosis, ok, warning
from funreason.doctor.rows import trained_rows
from funreason.doctor.weights import DamagedWeights, model_size

# An order of magnitude around what is usual for AdamW: 1e-5 to 5e-5 for all weights of models from 1 B parameters on
# (the papers: 4e-5 for 3 to 8 B), ten times that for smaller models. LoRA takes about ten times the rate of full
# fine-tuning ("LoRA Without Regret", Thinking Machines 2025).
LARGE = 1_000_000_000  # parameters
LOWEST, HIGHEST = 1e-6, 5e-4  # of a large model with all its weights
FEW_STEPS = 10


def rates(params: Params) -> Iterator[Diagnosis]:
    """The learning rate of the student's size, and the optimizer steps that its rows make."""
    train = params.train
    try:
        size = model_size(params.models.base)
    except (DamagedWeights, OSError):  # access.models tells
        size = None
    if size:
        factor = (10 if train.lora.rank else 1) * (10 if size.parameters < LARGE else 1)
        low, high = LOWEST * factor, HIGHEST * factor
        kind = f"LoRA of rank {train.lora.rank}" if train.lora.rank else "training all weights"
        what = (
            f"train.learning_rate is {train.learning_rate:g} for {kind} of {size.parameters / 1e6:,.1f} M parameters; "
            f"usual are values between {low * 10:g} and {high / 10:g}"
        )
        fits = low <= train.learning_rate <= high
        yield ok(what) if fits else warning(f"{what}, this is off by ten times or more", "set it nearer to these")
    rows = trained_rows(params)
    if rows is None:
        return
    steps = math.ceil(rows[0] / train.batch_size) * train.epochs
    what = f"{rows[0]:,} rows make {steps:,.0f} optimizer steps of {train.batch_size} in {train.epochs:g} epochs"
    few = steps < FEW_STEPS
    yield warning(what, "lower train.batch_size, or raise train.epochs") if few else ok(what)
