"""An arm of the experiment: a loss, and the training rows.

`sft`, `ssb` and `msl-<λ>` train on the refined rows; `sft-all` on all of them, `sft-right` on those with the official
verdict `right`, which is as good as a refinement can get.
"""

import re

from pydantic import ValidationError

from funreason.config import LossParams
from funreason.config.messages import describe
from funreason.core.errors import ParamsError

SETS = ("refined", "all", "right")
SSB_START = 0.7  # BalanceSFT's


def arm_of(arm: str, loss: LossParams) -> tuple[LossParams, str]:
    """The loss of an arm, everything else as in `loss`, and the name of its training rows.

    Raises:
        ParamsError: There is no such arm.
    """
    match = re.fullmatch(r"(sft|ssb|msl-(0\.\d+))(?:-(all|right))?", arm)
    if not match:
        raise ParamsError(f"the arm is {arm!r}; allowed are sft, ssb or msl-0.5 for λ = 0.5, each with -all or -right")
    weight = float(match[2]) if match[2] else SSB_START if match[1] == "ssb" else loss.lambda_
    try:
        values = loss.model_dump(by_alias=True) | {"kind": arm[:3], "lambda": weight}
        return LossParams.model_validate(values), match[3] or "refined"
    except ValidationError as error:
        raise ParamsError(f"{arm}: {describe(error, LossParams)}; correct `loss` in params.yaml") from None
