"""Trainer callbacks of the train stage: checkpoints by the clock, held-out losses per epoch, a progress bar."""

import shutil
import time
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import broadcast
from tqdm import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from funreason.core.runtime import TimeLeft
from funreason.train.checkpoints import COMPLETE

COST = 20  # a save of c seconds is followed by 20·c without one: checkpoints take at most 5 % of the time


class TimedCheckpoints(TrainerCallback):
    """Saves every `seconds`, more rarely where saving is slow; a complete save replaces the one before."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.cost = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock."""
        self.last = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Ask for a save where one is due, but not after the last step."""
        self.asked = time.monotonic()
        due = self.asked - self.last >= max(self.seconds, COST * self.cost)
        if args.world_size > 1:  # the ranks' clocks differ, and saving waits for all of them
            due = bool(broadcast(torch.tensor(due, device=args.device)))
        if due and state.global_step < state.max_steps:
            control.should_save = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Mark the checkpoint as complete, and delete the others."""
        self.last = time.monotonic()
        self.cost = self.last - self.asked
        PartialState().wait_for_everyone()  # each rank writes a part of the checkpoint
        if state.is_world_process_zero:
            new = Path(str(args.output_dir), f"checkpoint-{state.global_step}")
            (new / COMPLETE).touch()
            for old in set(new.parent.glob("checkpoint-*")) - {new}:
                shutil.rmtree(old)


class HeldoutEpochs(TrainerCallback):
    """Evaluates with the last step of every epoch, and with the last step of all.

    Trainer's own `eval_strategy="epoch"` evaluates after the step's checkpoint: a training that is killed between the
    two would never evaluate that epoch.
    """

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Ask for an evaluation where one is due."""
        epoch = state.epoch or 0.0
        control.should_evaluate = epoch == int(epoch) or state.global_step == state.max_steps


class Progress(TrainerCallback):
    """One bar over the optimizer steps with both losses; a line per minute where stderr is not a terminal."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Show the bar."""
        off = None if state.is_world_process_zero else True  # None: off without a terminal
        self.bar = tqdm(total=state.max_steps, initial=state.global_step, desc="train", disable=off)
        self.lines = bool(self.bar.disable) and state.is_world_process_zero
        self.time_left = TimeLeft("train", state.max_steps, state.global_step)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Move the bar by one step."""
        self.bar.update()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Show the losses and the speed of the last step."""
        logs = logs or {}
        names = [name for name in ("loss_think", "loss_result", "weight_think") if name in logs]
        shown: dict[str, str] = {name: f"{logs[name]:.3f}" for name in names}
        if "tokens_per_second" in logs:
            shown["tokens/s"] = f"{logs['tokens_per_second']:.0f}"
        self.bar.set_postfix(shown, refresh=False)
        if self.lines:
            place = f"step {state.global_step} of {state.max_steps}"
            figures = [f"{name} {value}" for name, value in shown.items()]
            self.time_left.update(state.global_step, lambda _: ", ".join([place, *figures]))

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Close the bar."""
        self.bar.close()
