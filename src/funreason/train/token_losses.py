"""The losses of single tokens before and after a training, for a few of its rows: what the report page shows."""

from typing import Any

import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerBase, Trainer

from funreason.srml.segments import MASKED, NAMES

ROWS = 12
Losses = list[list[float | None]]
LONGEST = 1_024  # tokens of a row; a longer one is not sampled


def sample_rows(rows: Dataset) -> Dataset:
    """At most ROWS labelled rows, evenly spaced over those that are not too long."""
    short = [at for at, tokens in enumerate(rows["input_ids"]) if len(tokens) <= LONGEST]
    size = min(ROWS, len(short))
    return rows.select([short[place * len(short) // size] for place in range(size)])


@torch.no_grad()
def token_losses(trainer: Trainer, rows: Dataset) -> Losses | None:
    """The loss of every token given those before it, under the trainer's model as it is now.

    Args:
        trainer: The trainer.
        rows: Labelled rows.

    Returns:
        For each row one value per token, in nats; None for the first token. None as a whole with several processes,
        which may each hold a part of the model.
    """
    if trainer.args.world_size > 1:
        return None
    model: Any = trainer.model
    training = model.training
    model.eval()
    losses: Losses = []
    for tokens in rows["input_ids"]:
        ids = torch.tensor([tokens], device=model.device)
        with trainer.accelerator.autocast():  # some attention kernels take no float32
            logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
        row = torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="none")
        losses.append([None, *(round(value, 4) for value in row.tolist())])
    model.train(training)
    return losses


def token_report(
    rows: Dataset,
    tokenizer: PreTrainedTokenizerBase,
    weight: float | None,
    before: Losses | None,
    after: Losses | None,
) -> dict[str, Any]:
    """The content of data/<round>/tokens.json.

    Args:
        rows: The sampled rows.
        tokenizer: The model's.
        weight: λ at the end of the training; None where every token weighs the same.
        before: The losses of the start model, as from `token_losses`; None for a report without rows.
        after: Those of the trained model.

    Returns:
        {"rows": [{"id": place in the sample, "tokens": [[text, segment, weight, loss before, loss after]]}]}, of the
        tokens that are trained on. The weights of a row add up to 1: λ is shared by its reasoning, 1 − λ by its result.
    """
    report: list[dict[str, Any]] = []
    if before is None or after is None:
        return {"rows": report}
    for place, row in enumerate(rows):
        segments = [NAMES[number - 1] if number != MASKED else None for number in row["segment_ids"]]
        weights = _weights(segments, weight)
        tokens = [
            [tokenizer.decode([token]), segment, weights[segment], *losses]
            for token, segment, *losses in zip(row["input_ids"], segments, before[place], after[place], strict=True)
            if segment
        ]
        report.append({"id": f"row {place + 1} of {len(rows)}", "tokens": tokens})
    return {"rows": report}


def _weights(segments: list[str | None], weight: float | None) -> dict[str, float]:
    """Segment → weight of each of its tokens in the loss of the row."""
    counts = {name: segments.count(name) for name in NAMES}
    if weight is None or not all(counts.values()):
        return dict.fromkeys(NAMES, round(1 / max(sum(counts.values()), 1), 6))
    return {name: round(share / counts[name], 6) for name, share in zip(NAMES, (weight, 1 - weight), strict=True)}
