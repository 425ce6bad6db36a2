"""`train.keep: best`: the weights of the epoch with the most exact calls are kept, also over kills."""

import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from funreason.srml import SRMLTrainer

BEST = "best"


def best_step(history: list[dict]) -> int | None:
    """The step of the evaluation with the most exact calls.

    Of equals, that with the least held-out loss of the result: SSB changes the weights in the total from epoch to
    epoch. Of equals in both, the first.

    Args:
        history: The Trainer's log.

    Returns:
        The step, or None before the first evaluation.
    """
    losses = {entry["step"]: entry.get("eval_loss_result", 0.0) for entry in history if "eval_loss" in entry}
    exact = {entry["step"]: entry["eval_exact_calls"] for entry in history if "eval_exact_calls" in entry}
    return max(exact, key=lambda step: (exact[step], -losses.get(step, 0.0), -step), default=None)


def best_folder(checkpoints: Path, step: int) -> Path:
    """Where the weights of the best epoch so far lie, beside the checkpoints of a training."""
    return checkpoints / f"{BEST}-{step}"


def kept_step(trainer: SRMLTrainer, keep: str) -> int:
    """The step whose weights are kept after a training; `keep` is `train.keep`."""
    best = best_step(trainer.state.log_history) if keep == "best" else None
    return trainer.state.global_step if best is None else best


class KeepBest(TrainerCallback):
    """Saves the weights of each epoch that is the best so far, but for the last, which are at hand.

    A training that goes on from its last checkpoint may decide otherwise after it. So the best of that checkpoint is
    deleted only after the next one.

    Args:
        trainer: The trainer. Its log has the exact calls before this callback is asked.
    """

    def __init__(self, trainer: SRMLTrainer):
        self.trainer = trainer

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Note the best epoch of the checkpoint."""
        self.in_checkpoint = best_step(state.log_history)

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Save the weights where they are the best, on all ranks."""
        if best_step(state.log_history) != state.global_step or state.global_step == state.max_steps:
            return
        self._delete_others(args, {self.in_checkpoint})
        self.trainer.accelerator.wait_for_everyone()
        self.trainer.save_model(str(best_folder(Path(str(args.output_dir)), state.global_step)))

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Delete what the new checkpoint needs no more."""
        self.in_checkpoint = best_step(state.log_history)
        self._delete_others(args, {self.in_checkpoint})

    def _delete_others(self, args: TrainingArguments, steps: set[int | None]) -> None:
        if self.trainer.is_world_process_zero():
            folder = Path(str(args.output_dir))
            for other in set(folder.glob(f"{BEST}-*")) - {best_folder(folder, step) for step in steps if step}:
                shutil.rmtree(other)
