"""Options of SRMLTrainer: TRL's SFTConfig with the weighting of reasoning against result."""

from dataclasses import dataclass, field
from math import fsum

from trl import SFTConfig

from funreason.srml.adaptive import Balance
from funreason.srml.loss import REDUCTIONS
from funreason.srml.segments import NAMES

LOSSES = ("msl", "ssb", "sft")
HEADS = ("auto", "fused", "linear")
# Options of SFTConfig that would change the loss or the labels behind our back, with the only value allowed.
FIXED = {
    "loss_type": "nll",
    "label_smoothing_factor": 0.0,
    "assistant_only_loss": False,
    "packing_strategy": "bfd",  # the others cut samples in two
    "eval_packing": None,
    "eos_token": None,
    "chat_template_path": None,
    "average_tokens_across_devices": True,
}


@dataclass
class SRMLConfig(SFTConfig):
    """SFTConfig plus the fields below. `max_length` drops longer rows here, where TRL truncates them.

    Raises ValueError naming the option, its value and what is allowed.
    """

    _VALID_DICT_FIELDS = [*SFTConfig._VALID_DICT_FIELDS, "segment_weights"]  # as JSON on a command line

    segment_loss: str = field(
        default="msl",
        metadata={
            "help": "`'msl'`: λ · L_think + (1 − λ) · L_result, each a mean over its segment's tokens in the "
            "optimizer step (FunReason, https://arxiv.org/abs/2505.20192). `'ssb'`: the same with λ learned "
            "(BalanceSFT, v3 of it). `'sft'`: the mean over all.",
            "choices": list(LOSSES),
        },
    )
    think_weight: float = field(
        default=0.7,
        metadata={
            "help": "λ of `'msl'`, between 0 and 1 (exclusive): the weight of the reasoning's loss; where `'ssb'` "
            "starts. `'sft'` implies about 0.92 on FunReason's data; BalanceSFT starts from 0.7."
        },
    )
    segment_weights: dict[str, float] | str | None = field(
        default=None,
        metadata={
            "help": "Other segments than reasoning and result, with their weights in `'msl'`: at least 0, together 1, "
            "such as {'plan': 0.2, 'call': 0.5, 'answer': 0.3}. They are numbered from 1 in this order. Needs a "
            "`cut` of SRMLTrainer, or rows that have `segment_ids`. Replaces `think_weight`."
        },
    )
    segment_reduction: str = field(
        default="batch",
        metadata={
            "help": "What a segment's loss is the mean of: `'batch'`, the tokens of the optimizer step; `'sample'`, "
            "the means of its samples, so that long ones count no more than short ones.",
            "choices": list(REDUCTIONS),
        },
    )
    ssb_rate: float = field(default=0.01, metadata={"help": "η of `'ssb'`: the step of logit λ, more than 0."})
    ssb_anchor: float = field(
        default=1.0,
        metadata={
            "help": "τ of `'ssb'` in nats, 0 or more: how strongly λ is held at its start; 0 is the paper's form, "
            "in which it runs into a bound. ssb_rate · ssb_anchor is at most 1."
        },
    )
    ssb_min: float = field(default=0.1, metadata={"help": "Smallest λ that `'ssb'` may learn, more than 0."})
    ssb_max: float = field(default=0.95, metadata={"help": "Largest λ that `'ssb'` may learn, less than 1."})
    max_dropped_fraction: float = field(
        default=0.05,
        metadata={
            "help": "Largest share of rows, 0 to 1, that may be dropped for being over `max_length` or "
            "impossible to label. More is an error."
        },
    )
    expected_world_size: int | None = field(
        default=None,
        metadata={"help": "Processes that must take part; some launchers start fewer than asked for, silently."},
    )
    head: str = field(
        default="auto",
        metadata={
            "help": "How a token's loss is computed without the full logits: `'fused'`, TRL's head; `'linear'`, "
            "torch's `linear_cross_entropy` in chunks: on a CPU less time and memory, but no `entropy` and "
            "`mean_token_accuracy`. `'auto'`: linear on a CPU where the model allows it, else fused.",
            "choices": list(HEADS),
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
        choices = {"segment_loss": LOSSES, "segment_reduction": REDUCTIONS, "head": HEADS}
        for name, allowed in choices.items():
            if (value := getattr(self, name)) not in allowed:
                raise ValueError(f"`{name}` is {value!r}, allowed are {', '.join(allowed)}")
        if self.packing and self.max_length is None:
            raise ValueError("`packing` needs `max_length`, the tokens of a packed row, and it is None")
        if self.head == "linear" and not self.compact_head:
            raise ValueError("`head` is 'linear', which scores labelled positions only; set `compact_head=True`")
        if not 0 <= self.max_dropped_fraction <= 1:
            raise ValueError(f"`max_dropped_fraction` is {self.max_dropped_fraction}, allowed is 0 to 1")
        self._check_weights()

    def _check_weights(self):
        if not 0 < self.think_weight < 1:
            raise ValueError(
                f"`think_weight` is {self.think_weight}, allowed is between 0 and 1 (exclusive); "
                "for the plain token mean set segment_loss='sft'"
            )
        if self.segment_loss == "ssb":
            self.balance()
        if self.segment_weights is None:
            return
        if self.segment_loss == "ssb":
            raise ValueError("`segment_weights` are fixed, and 'ssb' learns the weight of reasoning; use 'msl'")
        values = list(self.segment_weights.values())
        if min(values, default=-1) < 0 or abs(fsum(values) - 1) > 1e-6:
            raise ValueError(f"`segment_weights` is {self.segment_weights}, wanted are weights from 0, summing to 1")

    @property
    def segment_names(self) -> tuple[str, ...]:
        """The segments, in the order of their numbers 1, 2, …"""
        return tuple(self.segment_weights or NAMES)

    def balance(self) -> Balance:
        """SSB's start and rule. Raises ValueError."""
        return Balance(self.think_weight, self.ssb_rate, self.ssb_anchor, self.ssb_min, self.ssb_max)
