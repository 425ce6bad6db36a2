"""Which token belongs to which segment: the reasoning or the result, or segments of one's own.

The result runs through the end-of-turn token. A row that cannot be cut is refused with a reason: a mislabelled row
would train silently, and truncating an over-long one would cut off the call, which stands last.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from datasets import Dataset, Features, List, Value
from transformers import PreTrainedTokenizerBase

from funreason.calls.completion import CLOSE, OPEN
from funreason.core.errors import DataError
from funreason.srml.cut import Cut, Refused, checked, think_and_result
from funreason.srml.render import render

NAMES = ("think", "result")
MASKED, THINK, RESULT = 0, 1, 2  # a segment's number is its place among the names, from 1
IGNORED = -100  # the label that PyTorch's and TRL's losses skip
FEATURES = Features(
    {"input_ids": List(Value("int32")), "labels": List(Value("int32")), "segment_ids": List(Value("int8"))}
)


@dataclass
class LabelReport:
    """What became of the rows: used + the sum of dropped = all. Tokens are those of the used rows, once."""

    used: int = 0
    tokens: Counter = field(default_factory=Counter)  # by segment
    without: Counter = field(default_factory=Counter)  # rows without a token of a segment
    dropped: Counter = field(default_factory=Counter)  # by reason

    def __add__(self, other: "LabelReport") -> "LabelReport":
        parts = (getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__)
        return LabelReport(*parts)

    def check(self, max_dropped_fraction: float) -> None:
        """Raise DataError if more than this share of the rows was dropped, or nothing is left."""
        dropped = sum(self.dropped.values())
        if self.used and dropped <= max_dropped_fraction * (self.used + dropped):
            return
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(self.dropped.items())) or "no rows given"
        raise DataError(
            f"{dropped} of {self.used + dropped} training rows cannot be used ({reasons}), allowed is a "
            f"share of {max_dropped_fraction}; mend the rows, or raise max_length or max_dropped_fraction"
        )


def label(
    row: dict,
    tokenizer: PreTrainedTokenizerBase,
    max_length: int | None = None,
    cut: Cut = think_and_result,
    names: Sequence[str] = NAMES,
) -> dict[str, list]:
    """Token ids, labels and segments of one row, three lists of one length. Raises Refused.

    The completion is tokenised once: its segments apart would have other ids where a token spans the cut.
    A token that reaches into a segment is that segment's, so that the call's tokens stay whole.
    """
    prompt, completion, tail = render(row, tokenizer)
    cuts = checked(cut(completion), completion, names)
    prompt_ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    encoded = tokenizer(completion + tail, add_special_tokens=False, return_offsets_mapping=True)
    ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
    size = _turn_end(ids, offsets, len(completion), tokenizer)
    _check_tiling(completion + tail, offsets[:size])
    if max_length is not None and len(prompt_ids) + size > max_length:
        raise Refused("over_long")
    masked = len(prompt_ids)
    return {
        "input_ids": prompt_ids + ids[:size],
        "labels": [IGNORED] * masked + ids[:size],
        "segment_ids": [MASKED] * masked + [_segment(end, cuts, names) for _, end in offsets[:size]],
    }


def label_rows(
    rows: Iterable[dict],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int | None = None,
    cut: Cut = think_and_result,
    names: Sequence[str] = NAMES,
) -> tuple[Dataset, LabelReport]:
    """Label all rows; the refused ones are left out and counted by reason. Raises DataError."""
    if not tokenizer.is_fast:
        kind = type(tokenizer).__name__
        raise DataError(f"{kind} gives no character offsets; use the model's fast tokenizer")
    report, columns = LabelReport(), {name: [] for name in FEATURES}
    for row in rows:
        try:
            labelled = label(row, tokenizer, max_length, cut, names)
        except Refused as reason:
            report.dropped[str(reason)] += 1
            continue
        for name, values in labelled.items():
            columns[name].append(values)
        _count(report, labelled["segment_ids"], names)
    return Dataset.from_dict(columns, features=FEATURES), report


def _count(report: LabelReport, segments: list[int], names: Sequence[str]) -> None:
    report.used += 1
    for number, name in enumerate(names, 1):
        tokens = segments.count(number)
        report.tokens[name] += tokens
        report.without[name] += tokens == 0


def _segment(end: int, cuts: list[tuple[str, int]], names: Sequence[str]) -> int:
    """The segment of a token that ends before character `end`."""
    return 1 + names.index(next(name for name, start in reversed(cuts) if start == 0 or end > start))


def _turn_end(ids: list[int], offsets: list, length: int, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens up to and with the end-of-turn token; what a template writes after it is never generated."""
    marks = {i for i, t in tokenizer.added_tokens_decoder.items() if t.content in (OPEN, CLOSE)}
    special = {i for i, t in tokenizer.added_tokens_decoder.items() if t.special} - marks
    first = next((i for i, token in enumerate(ids) if token in special), None)
    if first is None:
        raise Refused("no_end_of_turn")
    if offsets[first][0] < length:  # such a row would teach to stop, or to change turns, in the middle
        raise Refused("special_token_in_completion")
    return first + 1


def _check_tiling(text: str, offsets: list) -> None:
    """Raise Refused unless the tokens hold every character in order; some tokenizers leave blanks out."""
    reached = 0
    for start, end in offsets:
        if text[reached:start].strip() or end < reached:
            raise Refused("offsets_do_not_tile")
        reached = end
