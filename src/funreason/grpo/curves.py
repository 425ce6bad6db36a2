"""The curve and the final figures of a training by GRPO, from the Trainer's log of every step."""

import math
from typing import Any

from funreason.grpo.selection import Selection
from funreason.srml.segments import LabelReport
from funreason.train.curves import FINAL_FRACTION, evaluations, exact_figures, means

# Column of loss.csv → name in the log. `exact`: fraction of the samples that earn Tool-N1's reward; `dead_groups`:
# fraction of the groups whose samples all earn the same; `length`: tokens of a completion. A part of the reward that
# is not asked for has no value.
CURVE = {
    "total": "loss",
    "reward": "reward",
    "exact": "rewards/exact/mean",
    "format": "rewards/format/mean",
    "correctness": "rewards/correctness/mean",
    "length_penalty": "rewards/length/mean",
    "dead_groups": "frac_reward_zero_std",
    "kl": "kl",
    "entropy": "entropy",
    "length": "completions/mean_length",
    "learning_rate": "learning_rate",
}


def grpo_summary(
    history: list[dict], reports: tuple[LabelReport, LabelReport], prompts: int, selection: Selection, kept: int
) -> dict[str, Any]:
    """The content of metrics/<round>/train.json; no times, so that equal trainings give equal files.

    Args:
        history: The Trainer's log.
        reports: Counts of the rows trained on and of those held out.
        prompts: Different prompts trained on.
        selection: The trainer's, for its first sampling.
        kept: The step whose weights are kept.
    """
    steps = [entry for entry in history if "loss" in entry]
    last = steps[-math.ceil(FINAL_FRACTION * len(steps)) :]
    measured = [entry for entry in evaluations(history) if entry["step"] == kept]
    sampled = int(steps[-1]["num_tokens"])
    learned, heldout = reports
    both = learned + heldout
    return {
        "method": "grpo",
        "loss": means(last, {"total": "loss"}),
        "heldout": None,
        "exact": exact_figures(measured[-1]) if measured else None,
        "samples": means(last, {name: key for name, key in CURVE.items() if name not in ("total", "learning_rate")}),
        "dead_groups": {"before": selection.dead_before, "trained": means(steps, CURVE).get("dead_groups")},
        "weight": None,
        "grad_fraction": None,
        "tokens": {name: learned.tokens[name] for name in ("think", "result")},
        "think_token_fraction": learned.tokens["think"] / max(learned.tokens.total(), 1),
        # Of prompts and completions. Each sample is trained on once, but for those of the first sampling.
        "sampled_tokens": sampled,
        "trained_tokens": sampled - selection.first_tokens,
        "rows": {
            "given": both.used + sum(both.dropped.values()),
            "used": learned.used,
            "prompts": prompts,
            "heldout": heldout.used,
            "without_think": learned.without["think"],
            "with_control_tokens": both.protected,
            "dropped": dict(sorted(both.dropped.items())),
        },
        "steps": len(steps),
    }
