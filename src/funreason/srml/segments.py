"""Which token belongs to the reasoning and which to the result.

The reasoning runs through `</think>` and the blanks behind it; the result from the next character through the
end-of-turn token. A row that cannot be cut that way is refused with a reason: a mislabelled row would train
silently, and truncating an over-long one would cut off the call, which stands last.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from datasets import Dataset, Features, List, Value
from transformers import PreTrainedTokenizerBase

from funreason.calls.completion import CLOSE, OPEN
from funreason.errors import DataError

MASKED, THINK, RESULT = 0, 1, 2
IGNORED = -100  # the label that PyTorch's and TRL's losses skip
FEATURES = Features(
    {"input_ids": List(Value("int32")), "labels": List(Value("int32")), "segment_ids": List(Value("int8"))}
)


class Refused(Exception):
    """A row that cannot be labelled; the message is the reason it is counted under."""


@dataclass
class LabelReport:
    """What became of the rows: used + the sum of dropped = all. Tokens are those of the used rows, once."""

    used: int = 0
    no_think: int = 0
    think_tokens: int = 0
    result_tokens: int = 0
    dropped: Counter = field(default_factory=Counter)

    def check(self, max_dropped_share: float) -> None:
        """Raise DataError if more than this share of the rows was dropped, or nothing is left."""
        dropped = sum(self.dropped.values())
        if self.used and dropped <= max_dropped_share * (self.used + dropped):
            return
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(self.dropped.items())) or "no rows given"
        raise DataError(
            f"{dropped} of {self.used + dropped} training rows cannot be used ({reasons}), allowed is a "
            f"share of {max_dropped_share}; mend the rows, or raise max_length or max_dropped_share"
        )


def result_start(completion: str) -> int:
    """Index of the first character of the result. Raises Refused.

    Without think marks all is result: 0. A lone `</think>` closes a `<think>` that the prompt opened, as the
    chat templates of QwQ and DeepSeek-R1 do.
    """
    opens, closes = completion.count(OPEN), completion.count(CLOSE)
    if opens > 1 or closes > 1:
        raise Refused("repeated_think")
    if opens > closes:
        raise Refused("unclosed_think")
    if opens and completion[: completion.index(OPEN)].strip():
        raise Refused("text_before_think")
    end = completion.index(CLOSE) + len(CLOSE) if closes else 0
    result = completion[end:]
    if not result.strip():
        raise Refused("empty_result")
    return end + len(result) - len(result.lstrip()) if closes else 0


def render(row: dict, tokenizer: PreTrainedTokenizerBase) -> tuple[str, str, str]:
    """(prompt, completion, what the chat template adds behind it) of a prompt–completion row. Raises Refused.

    Checked, because some templates rewrite an assistant's message: Qwen3's strips `<think>` from the history.
    """
    if isinstance(row["prompt"], str):
        return row["prompt"], row["completion"], tokenizer.eos_token
    if [message["role"] for message in row["completion"]] != ["assistant"]:
        raise Refused("not_one_assistant_turn")
    extra = {"tools": row.get("tools"), "tokenize": False}
    prompt = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, **extra)
    full = tokenizer.apply_chat_template(row["prompt"] + row["completion"], **extra)
    completion = row["completion"][0]["content"]
    if not full.startswith(prompt + completion):
        raise Refused("rewritten_by_template")
    return prompt, completion, full[len(prompt + completion) :]


def label(row: dict, tokenizer: PreTrainedTokenizerBase, max_length: int | None = None) -> dict[str, list]:
    """Token ids, labels and segments of one row, three lists of one length. Raises Refused.

    The completion is tokenised once: its segments apart would have other ids where a token spans the cut.
    A token that reaches into the result is result, so that the call's tokens stay whole.
    """
    prompt, completion, tail = render(row, tokenizer)
    start = result_start(completion)
    prompt_ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    encoded = tokenizer(completion + tail, add_special_tokens=False, return_offsets_mapping=True)
    ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
    size = _turn_end(ids, offsets, len(completion), tokenizer)
    _check_tiling(completion + tail, offsets[:size])
    if max_length is not None and len(prompt_ids) + size > max_length:
        raise Refused("over_long")
    segments = [RESULT if start == 0 or end > start else THINK for _, end in offsets[:size]]
    masked = len(prompt_ids)
    return {
        "input_ids": prompt_ids + ids[:size],
        "labels": [IGNORED] * masked + ids[:size],
        "segment_ids": [MASKED] * masked + segments,
    }


def label_rows(
    rows: Iterable[dict], tokenizer: PreTrainedTokenizerBase, max_length: int | None = None
) -> tuple[Dataset, LabelReport]:
    """Label all rows; the refused ones are left out and counted by reason. Raises DataError."""
    if not tokenizer.is_fast:
        kind = type(tokenizer).__name__
        raise DataError(f"{kind} gives no character offsets; use the model's fast tokenizer")
    report, columns = LabelReport(), {name: [] for name in FEATURES}
    for row in rows:
        try:
            labelled = label(row, tokenizer, max_length)
        except Refused as reason:
            report.dropped[str(reason)] += 1
            continue
        for name, values in labelled.items():
            columns[name].append(values)
        _count(report, labelled["segment_ids"])
    return Dataset.from_dict(columns, features=FEATURES), report


def _count(report: LabelReport, segments: list[int]) -> None:
    think = segments.count(THINK)
    report.used += 1
    report.no_think += think == 0
    report.think_tokens += think
    report.result_tokens += segments.count(RESULT)


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
