"""The curves of a training that still runs, from its last checkpoint."""

from pathlib import Path

from funreason.core.jsonio import JsonObject, read_json

# The name of a column in loss.csv: its name in the Trainer's log. The second half is of trainings by GRPO.
_COLUMNS = {"step": "step", "think": "loss_think", "result": "loss_result", "total": "loss", "weight": "weight_think",
            "grad_fraction": "grad_fraction_think", "learning_rate": "learning_rate",
            "tokens_per_second": "tokens_per_second", "reward": "reward", "exact": "rewards/exact/mean",
            "format": "rewards/format/mean", "correctness": "rewards/correctness/mean",
            "length_penalty": "rewards/length/mean", "dead_groups": "frac_reward_zero_std", "kl": "kl",
            "entropy": "entropy", "length": "completions/mean_length"}  # fmt: skip


def running(checkpoints: Path) -> JsonObject:
    """The newest training with a checkpoint.

    Args:
        checkpoints: the folder of all trainings' checkpoints.

    Returns:
        {"step", "steps", "loss": rows as of loss.csv}; {} where none runs: a training that ends removes its
        checkpoints.
    """
    states = sorted(checkpoints.glob("*/checkpoint-*/trainer_state.json"), key=lambda path: path.stat().st_mtime)
    if not states:
        return {}
    state = read_json(states[-1])
    entries = [entry for entry in state.get("log_history", []) if "loss" in entry]
    rows = [{column: entry.get(key) for column, key in _COLUMNS.items()} for entry in entries]
    return {"step": state.get("global_step"), "steps": state.get("max_steps"), "loss": rows}
