"""What happens beside the steps of the train stage: a progress bar, and the held-out losses of every epoch."""

from tqdm import tqdm
from transformers import TrainerCallback


class HeldoutEpochs(TrainerCallback):
    """Evaluates with an epoch's last step, and with the last of all.

    Trainer's own `eval_strategy="epoch"` evaluates after the step's checkpoint: a training that dies between the two
    would never evaluate that epoch.
    """

    def on_step_end(self, args, state, control, **kwargs):
        control.should_evaluate = state.epoch == int(state.epoch) or state.global_step == state.max_steps


class Progress(TrainerCallback):
    """One bar over the optimizer steps with both losses, silent where stderr is not a terminal."""

    def on_train_begin(self, args, state, control, **kwargs):
        off = None if state.is_world_process_zero else True  # None: off without a terminal
        self.bar = tqdm(total=state.max_steps, initial=state.global_step, desc="train", disable=off)

    def on_step_end(self, args, state, control, **kwargs):
        self.bar.update()

    def on_log(self, args, state, control, logs=None, **kwargs):
        shown = {name: f"{logs[name]:.3f}" for name in ("loss_think", "loss_result", "weight_think") if name in logs}
        if "tokens_per_second" in logs:
            shown["tokens/s"] = f"{logs['tokens_per_second']:.0f}"
        self.bar.set_postfix(shown, refresh=False)

    def on_train_end(self, args, state, control, **kwargs):
        self.bar.close()
