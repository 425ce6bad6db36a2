"""Options of SRMLTrainer: TRL's SFTConfig with the weighting of reasoning against result."""

import logging
from dataclasses import dataclass, field
from math import fsum
from typing import Any

from transformers.utils import is_torch_bf16_gpu_available, is_torch_xla_available
from trl import SFTConfig

from funreason.srml.adaptive import RULES, Balance
from funreason.srml.loss import REDUCTIONS
from funreason.srml.segments import NAMES

logger = logging.getLogger(__name__)

LOSSES = ("msl", "ssb", "sft")
HEADS = ("auto", "fused", "linear")
# Options of SFTConfig that would change the loss or the labels unnoticed, with the only value allowed.
FIXED: dict[str, Any] = {
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
    """SFTConfig plus the fields below. Each `help` says what an option does.

    Two of SFTConfig's options differ: rows longer than `max_length` are dropped, where TRL truncates them, and without
    an accelerator that computes in bfloat16 the default of `bf16` is False.

    Raises:
        ValueError: An option has a value that is not allowed; the message names both, and what is allowed.
    """

    _VALID_DICT_FIELDS = [*SFTConfig._VALID_DICT_FIELDS, "segment_weights"]  # as JSON on a command line

    segment_loss: str = field(
        default="msl",
        metadata={
            "help": "`'msl'`: λ · L_think + (1 − λ) · L_result, each a mean over its segment's tokens in the "
            "optimizer step (FunReason, https://arxiv.org/abs/2505.20192). `'ssb'`: the same with λ learned "
            "(BalanceSFT, version 3 of that paper). `'sft'`: the mean over all tokens.",
            "choices": list(LOSSES),
        },
    )
    think_weight: float = field(
        default=0.7,
        metadata={
            "help": "λ of `'msl'`, between 0 and 1 (exclusive): the weight of the reasoning's loss, from which `'ssb'` "
            "starts. `'sft'` implies about 0.92 on FunReason's data; BalanceSFT starts from 0.7."
        },
    )
    segment_weights: dict[str, float] | str | None = field(
        default=None,
        metadata={
            "help": "Segments other than reasoning and result, with their weights in `'msl'`: each at least 0, "
            "together 1, such as {'plan': 0.2, 'call': 0.5, 'answer': 0.3}. They are numbered from 1 in this order. "
            "Needs a `cut` of SRMLTrainer, or rows that have `segment_ids`. Replaces `think_weight`."
        },
    )
    segment_reduction: str = field(
        default="batch",
        metadata={
            "help": "What a segment's loss is the mean of: `'batch'`, the tokens of the optimizer step; `'sample'`, "
            "the means of its samples, so that long samples count no more than short ones.",
            "choices": list(REDUCTIONS),
        },
    )
    ssb_rule: str = field(
        default="anchored",
        metadata={
            "help": "How `'ssb'` learns λ: `'anchored'`, ours: mirror descent at `ssb_rate`, held near its start by "
            "`ssb_anchor`; `'plain'`, the paper's: λ is one more parameter of AdamW, at the model's learning rate.",
            "choices": list(RULES),
        },
    )
    ssb_rate: float = field(default=0.01, metadata={"help": "η of `'anchored'`: the step of logit λ, more than 0."})
    ssb_anchor: float = field(
        default=1.0,
        metadata={
            "help": "τ of `'anchored'` in nats, 0 or more: how strongly λ is held near its start. "
            "ssb_rate · ssb_anchor is at most 1."
        },
    )
    ssb_min: float = field(default=0.1, metadata={"help": "Smallest λ that `'ssb'` may learn, more than 0."})
    ssb_max: float = field(default=0.95, metadata={"help": "Largest λ that `'ssb'` may learn, less than 1."})
    max_dropped_fraction: float = field(
        default=0.05,
        metadata={
            "help": "Largest fraction of the rows, 0 to 1, that may be dropped for being over `max_length` or "
            "impossible to label. More is an error."
        },
    )
    expected_world_size: int | None = field(
        default=None,
        metadata={"help": "Number of processes that must take part; some launchers silently start fewer."},
    )
    head: str = field(
        default="auto",
        metadata={
            "help": "How a token's loss is computed without the full logits: `'fused'`, TRL's head; `'linear'`, "
            "torch's `linear_cross_entropy` in chunks (torch 2.13 or later): on a CPU less time and memory, but no "
            "`entropy` and `mean_token_accuracy`. `'auto'`: linear on a CPU where torch and the model allow it, else "
            "fused.",
            "choices": list(HEADS),
        },
    )
    compact_head: bool = field(
        default=True,
        metadata={
            "help": "Whether to hand only positions with a label to the LM head. TRL does so only on CUDA; on a CPU "
            "it doubles the speed. The gradients agree up to rounding; with `False` they are TRL's bit for bit."
        },
    )

    def __post_init__(self) -> None:
        self._choose_bf16()
        super().__post_init__()
        for name, allowed in FIXED.items():
            if (value := getattr(self, name)) != allowed:
                raise ValueError(f"`{name}` is {value!r}: SRMLTrainer allows only {allowed!r}")
        choices = {"segment_loss": LOSSES, "segment_reduction": REDUCTIONS, "head": HEADS, "ssb_rule": RULES}
        for name, values in choices.items():
            if (value := getattr(self, name)) not in values:
                raise ValueError(f"`{name}` is {value!r}, allowed are {', '.join(values)}")
        if self.packing and self.max_length is None:
            raise ValueError("`packing` needs `max_length`, the tokens of a packed row, and it is None")
        if self.head == "linear" and not self.compact_head:
            raise ValueError("`head` is 'linear', which scores labelled positions only; set `compact_head=True`")
        if not 0 <= self.max_dropped_fraction <= 1:
            raise ValueError(f"`max_dropped_fraction` is {self.max_dropped_fraction}, allowed is 0 to 1")
        self._check_weights()

    def _choose_bf16(self) -> None:
        """TRL's default is bf16, which without an accelerator fails, or is slow: float32 there, unless asked for."""
        if is_torch_bf16_gpu_available() or is_torch_xla_available():
            return
        if self.bf16 and not self.use_cpu:
            raise ValueError(
                "`bf16` is True and no accelerator here computes in bfloat16; leave it out to train in float32, or "
                "set use_cpu=True for bfloat16 on the CPU"
            )
        if self.bf16 is None and not self.fp16:
            logger.warning("no accelerator here computes in bfloat16: training in float32 (bf16=False)")
            self.bf16 = False

    def _check_weights(self) -> None:
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
        if isinstance(self.segment_weights, str):
            raise ValueError(f"`segment_weights` is {self.segment_weights!r}, wanted is a JSON object of weights")
        values = list(self.segment_weights.values())
        if min(values, default=-1) < 0 or abs(fsum(values) - 1) > 1e-6:
            raise ValueError(f"`segment_weights` is {self.segment_weights}, wanted are weights from 0, summing to 1")

    @property
    def segment_names(self) -> tuple[str, ...]:
        """The segments, in the order of their numbers 1, 2, …"""
        return tuple(self.fixed_weights or NAMES)

    @property
    def fixed_weights(self) -> dict[str, float] | None:
        """`segment_weights`, which was JSON on a command line, as the mapping it is by now."""
        return self.segment_weights if isinstance(self.segment_weights, dict) else None

    def balance(self) -> Balance:
        """SSB's λ at its start, with the rule by which it is learned. Raises ValueError."""
        return Balance(self.think_weight, self.ssb_rate, self.ssb_anchor, self.ssb_min, self.ssb_max, self.ssb_rule)
