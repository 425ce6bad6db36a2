"""Options of SRMLTrainer: TRL's SFTConfig with the weighting of reasoning against result."""

from dataclasses import dataclass, field

from trl import SFTConfig

LOSSES = ("msl", "sft")
# Options of SFTConfig that would change the loss or the labels behind our back, with the only value allowed.
FIXED = {
    "loss_type": "nll",
    "label_smoothing_factor": 0.0,
    "assistant_only_loss": False,
    "packing": False,
    "eos_token": None,
    "chat_template_path": None,
    "average_tokens_across_devices": True,
}


@dataclass
class SRMLConfig(SFTConfig):
    """SFTConfig plus the fields below. `max_length` drops longer rows here, where TRL truncates them.

    Raises ValueError naming the option, its value and what is allowed.
    """

    segment_loss: str = field(
        default="msl",
        metadata={
            "help": "`'msl'`: λ · L_think + (1 − λ) · L_result, each a mean over its segment's tokens in the "
            "optimizer step (FunReason, https://arxiv.org/abs/2505.20192). `'sft'`: the mean over all.",
            "choices": list(LOSSES),
        },
    )
    think_weight: float = field(
        default=0.7,
        metadata={
            "help": "λ of `'msl'`, between 0 and 1 (exclusive): the weight of the reasoning's loss. `'sft'` "
            "implies about 0.92 on FunReason's data; BalanceSFT starts from 0.7."
        },
    )
    max_dropped_share: float = field(
        default=0.05,
        metadata={
            "help": "Largest share of rows, 0 to 1, that may be dropped for being over `max_length` or "
            "impossible to label. More is an error."
        },
    )
    compact_head: bool = field(
        default=True,
        metadata={
            "help": "Whether to hand only positions with a label to the LM head. TRL does so only on CUDA; "
            "on a CPU it doubles the speed. Gradients agree to rounding; `False` is bit for bit TRL's."
        },
    )

    def __post_init__(self):
        super().__post_init__()
        for name, allowed in FIXED.items():
            if (value := getattr(self, name)) != allowed:
                raise ValueError(f"`{name}` is {value!r}: SRMLTrainer allows only {allowed!r}")
        if self.segment_loss not in LOSSES:
            raise ValueError(f"`segment_loss` is {self.segment_loss!r}, allowed are {', '.join(LOSSES)}")
        if not 0 < self.think_weight < 1:
            raise ValueError(
                f"`think_weight` is {self.think_weight}, allowed is between 0 and 1 (exclusive); "
                "for the plain token mean set segment_loss='sft'"
            )
        if not 0 <= self.max_dropped_share <= 1:
            raise ValueError(f"`max_dropped_share` is {self.max_dropped_share}, allowed is 0 to 1")
