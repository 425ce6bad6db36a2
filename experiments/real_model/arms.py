"""An arm of the experiment: a setting of the λ sweep, and the training rows.

`sft`, `ssb` and `msl-<λ>` train on the refined rows; `sft-all` on all of them, `sft-right` on those with the official
verdict `right`, which is as good as a refinement can get. `sft-defective` trains on the right rows with defects planted
in a fraction of them, `sft-filtered` on what FCDR keeps of these. `<arm>-grpo` trains the model of an arm further, by
rewards.
"""

from sweep import loss_of

from funreason.config import LossParams

REFINED, OTHERS = "refined", ("all", "right", "defective", "filtered")
GRPO = "-grpo"


def setting_of(arm: str) -> tuple[str, str]:
    """The setting of the sweep, and the name of the training rows."""
    supervised = arm.removesuffix(GRPO)
    setting, _, rows = supervised.rpartition("-")
    return (setting, rows) if rows in OTHERS else (supervised, REFINED)


def arm_of(arm: str, loss: LossParams) -> tuple[LossParams, str]:
    """The loss of an arm, everything else as in `loss`, and the name of its training rows.

    Raises:
        ParamsError: There is no such arm.
    """
    setting, rows = setting_of(arm)
    return loss_of(setting, loss), rows
