"""Token labels: which token belongs to which segment, the reasoning, the result, or segments of one's own.

The result includes the end-of-turn token. A row that cannot be cut is dropped under a reason: a mislabelled row would
train silently, and truncating an over-long one would cut off the call, which stands last.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from datasets import Dataset, Features, List, Value
from transformers import PreTrainedTokenizerBase

from funreason.srml.controls import MARK, Controls
from funreason.srml.formats import TrainingDataError, prompt_completion
from funreason.srml.rows import (
    AdaptPrompt,
    Cut,
    UnusableRow,
    check_cut,
    render,
    think_and_result,
)
from funreason.srml.template import ChatTemplate, unmarked

NAMES = ("think", "result")
MASKED, THINK, RESULT = 0, 1, 2  # a segment's number is its place among the names, from 1
IGNORED = -100  # the label that PyTorch's and TRL's losses skip
FEATURES = Features(
    {"input_ids": List(Value("int32")), "labels": List(Value("int32")), "segment_ids": List(Value("int8"))}
)


@dataclass
class LabelReport:
    """Counts of labelled rows: `used` and the sum of `dropped` are all rows. Tokens are those of the used rows."""

    used: int = 0
    tokens: Counter[str] = field(default_factory=Counter)  # by segment
    without: Counter[str] = field(default_factory=Counter)  # rows without a token of a segment
    dropped: Counter[str] = field(default_factory=Counter)  # by reason
    protected: int = 0  # rows in which a text spells a control token, which is tokenised as text

    def __add__(self, other: "LabelReport") -> "LabelReport":
        return LabelReport(
            self.used + other.used,
            self.tokens + other.tokens,
            self.without + other.without,
            self.dropped + other.dropped,
            self.protected + other.protected,
        )

    def count(self, segments: list[int], names: Sequence[str]) -> None:
        """Count a used row.

        Args:
            segments: The segment number of each of its tokens.
            names: The segments, in the order of their numbers 1, 2, …
        """
        self.used += 1
        for number, name in enumerate(names, 1):
            tokens = segments.count(number)
            self.tokens[name] += tokens
            self.without[name] += tokens == 0

    def check(self, max_dropped_fraction: float) -> None:
        """Raise TrainingDataError if more than this fraction of the rows was dropped, or no row is left."""
        dropped = sum(self.dropped.values())
        if self.used and dropped <= max_dropped_fraction * (self.used + dropped):
            return
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(self.dropped.items())) or "no rows given"
        raise TrainingDataError(
            f"{dropped} of {self.used + dropped} training rows cannot be used ({reasons}), the allowed fraction is "
            f"{max_dropped_fraction}; correct the rows, or raise max_length or max_dropped_fraction"
        )


def label(
    row: dict[str, Any],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int | None = None,
    cut: Cut = think_and_result,
    names: Sequence[str] = NAMES,
    adapt_prompt: AdaptPrompt | None = None,
) -> dict[str, list[int]]:
    """Token ids, labels and segments of one row.

    The completion is tokenised once: tokenised apart, its segments would have other ids where a token spans the cut.
    A token that reaches into a segment is that segment's, so that the call's tokens stay whole.

    Args:
        row: `prompt` and `completion`, see `funreason.srml.rows.render`.
        tokenizer: A fast tokenizer.
        max_length: Most tokens of prompt and completion; None for no limit.
        cut: Where the segments of a completion begin.
        names: The segments, in the order of their numbers 1, 2, …
        adapt_prompt: Rewrites the prompt's messages first.

    Returns:
        `input_ids`, `labels` and `segment_ids`, of one length.

    Raises:
        UnusableRow: The row cannot be labelled.
    """
    return _label(render(row, tokenizer, adapt_prompt), tokenizer, max_length, cut, names)


def _label(
    rendered: tuple[str, str, str],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int | None,
    cut: Cut,
    names: Sequence[str],
) -> dict[str, list[int]]:
    prompt, completion, tail = rendered
    controls, text = ChatTemplate.of(tokenizer).controls, unmarked(completion)
    cuts = check_cut(cut(text), text, names)
    prompt_ids = controls.encode(prompt)[0]
    ids, offsets = _continuation(controls, prompt, prompt_ids, completion + tail)
    size = _turn_end(ids, offsets, len(text), controls)
    _check_tiling(text + tail, offsets[:size])
    if max_length is not None and len(prompt_ids) + size > max_length:
        raise UnusableRow("over_long")
    masked = len(prompt_ids)
    return {
        "input_ids": prompt_ids + ids[:size],
        "labels": [IGNORED] * masked + ids[:size],
        "segment_ids": [MASKED] * masked + [_segment(end, cuts, names) for _, end in offsets[:size]],
    }


def label_rows(
    rows: Iterable[dict[str, Any]],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int | None = None,
    cut: Cut = think_and_result,
    names: Sequence[str] = NAMES,
    adapt_prompt: AdaptPrompt | None = None,
    first: int = 0,
) -> tuple[Dataset, LabelReport]:
    """Label all rows, each as `label` does, with the same arguments.

    Rows may have any of the formats of `funreason.srml.formats`. Errors count them from `first`.

    Returns:
        A data set of FEATURES without the unusable rows, and the report that counts those by reason.

    Raises:
        TrainingDataError: The tokenizer gives no character offsets, or a row has a format that is not known.
    """
    if not tokenizer.is_fast:
        kind = type(tokenizer).__name__
        raise TrainingDataError(f"{kind} gives no character offsets; use the model's fast tokenizer")
    report, columns = LabelReport(), {name: [] for name in FEATURES}  # type: tuple[LabelReport, dict[str, list[Any]]]
    for number, row in enumerate(rows, first):
        row = prompt_completion(row, number)
        try:
            rendered = render(row, tokenizer, adapt_prompt)
            labelled = _label(rendered, tokenizer, max_length, cut, names)
        except UnusableRow as reason:
            report.dropped[str(reason)] += 1
            continue
        for name, values in labelled.items():
            columns[name].append(values)
        report.count(labelled["segment_ids"], names)
        report.protected += any(MARK in text for text in rendered)
    return Dataset.from_dict(columns, features=FEATURES), report


def _segment(end: int, cuts: list[tuple[str, int]], names: Sequence[str]) -> int:
    """The segment of a token that ends before character `end`."""
    return 1 + names.index(next(name for name, start in reversed(cuts) if start == 0 or end > start))


def _continuation(
    controls: Controls, prompt: str, prompt_ids: list[int], text: str
) -> tuple[list[int], list[tuple[int, int]]]:
    """Token ids and offsets of what the model writes after a prompt.

    Tokenizers that put a blank in front of a text (Llama-2's) would put one at this border: there, the text is
    tokenised together with its prompt.
    """
    if controls.adds_blank:
        ids, offsets = controls.encode(prompt + text)
        begin, size = len(unmarked(prompt)), len(prompt_ids)
        if ids[:size] == prompt_ids:
            return ids[size:], [(max(start - begin, 0), max(end - begin, 0)) for start, end in offsets[size:]]
    return controls.encode(text)


def _turn_end(ids: list[int], offsets: list[tuple[int, int]], length: int, controls: Controls) -> int:
    """Number of tokens including the end of the turn; what a template writes after it is never generated."""
    for at, (number, (start, _)) in enumerate(zip(ids, offsets, strict=True)):
        if start < length and number in controls.special_ids:
            # Such a row would teach to stop, or to change turns, in the middle.
            raise UnusableRow("special_token_in_completion")
        if start >= length and number in controls.ids:
            return at + 1
    raise UnusableRow("no_end_of_turn")


def _check_tiling(text: str, offsets: list[tuple[int, int]]) -> None:
    """Raise UnusableRow unless the tokens hold every character in order; some tokenizers leave white space out."""
    reached = 0
    for start, end in offsets:
        if text[reached:start].strip() or end < reached:
            raise UnusableRow("offsets_do_not_tile")
        reached = end
