"""A prompt–completion row as text: rendered by the model's chat template, and cut into segments."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

OPEN, CLOSE = "<think>", "</think>"
DATE = "26 Jul 2024"  # the default of Llama-3.2's template; else it writes today's, and no run could be repeated

Message = dict[str, Any]
# completion → [(segment, index of its first character)], the first at 0, in order, each at most once.
# Raises UnusableRow.
Cut = Callable[[str], Sequence[tuple[str, int]]]
# Rewrites the messages of a prompt for the tokenizer's chat template, such as results of tools that it cannot show.
AdaptPrompt = Callable[[list[Message], PreTrainedTokenizerBase], list[Message]]

_PROBE: list[Message] = [
    {"role": "user", "content": "?"},
    {"role": "assistant", "content": "[f()]"},
    {"role": "tool", "content": "a result of f"},
]


class UnusableRow(ValueError):
    """A row that cannot be labelled. The message is the reason under which it is counted."""


class TrainingDataError(ValueError):
    """A data set that cannot be trained on: too many unusable rows, segments without a name, rows that are too long."""


def think_and_result(completion: str) -> list[tuple[str, int]]:
    """Cut a completion into reasoning and result.

    The reasoning ends with `</think>` and the white space after it. Without think marks all is result. A lone
    `</think>` closes a `<think>` at the end of the prompt, where the chat templates of QwQ and DeepSeek-R1 write it.
    Raises UnusableRow.
    """
    opens, closes = completion.count(OPEN), completion.count(CLOSE)
    if opens > 1 or closes > 1:
        raise UnusableRow("repeated_think")
    if opens > closes:
        raise UnusableRow("unclosed_think")
    if opens and completion[: completion.index(OPEN)].strip():
        raise UnusableRow("text_before_think")
    end = completion.index(CLOSE) + len(CLOSE) if closes else 0
    result = completion[end:]
    if not result.strip():
        raise UnusableRow("empty_result")
    return [("think", 0), ("result", end + len(result) - len(result.lstrip()))] if closes else [("result", 0)]


def check_cut(cuts: Sequence[tuple[str, int]], completion: str, names: Sequence[str]) -> list[tuple[str, int]]:
    """Check that the segments of a cut tile the completion.

    Args:
        cuts: What a `Cut` returned.
        completion: The text that was cut.
        names: The known segments.

    Returns:
        `cuts` as a list.

    Raises:
        ValueError: The segments do not tile the completion: the function that cuts is wrong, not the row.
    """
    starts = [start for _, start in cuts]
    tiles = bool(starts) and starts[0] == 0 and starts == sorted(set(starts)) and starts[-1] < len(completion)
    if not tiles or not {name for name, _ in cuts} <= set(names):
        raise ValueError(
            f"the cut of a completion of {len(completion)} characters is {list(cuts)}; wanted are segments of "
            f"{', '.join(names)}, the first at 0, the others in ascending order before the end"
        )
    return list(cuts)


def render(
    row: dict[str, Any], tokenizer: PreTrainedTokenizerBase, adapt_prompt: AdaptPrompt | None = None
) -> tuple[str, str, str]:
    """Write a row as the text that the model sees.

    The completion is the template's own form of it where that differs in white space alone: Qwen3's template sets
    `<think>` on a line of its own (and adds an empty one where there is none), Llama-3's trims.

    Args:
        row: `prompt` and `completion`, two texts or two lists of messages; `tools`, if there are any.
        tokenizer: Its chat template is used.
        adapt_prompt: Rewrites the prompt's messages first.

    Returns:
        The prompt, the completion, and what the chat template adds after it.

    Raises:
        UnusableRow: The template changes more than white space (QwQ's and DeepSeek-R1's strip the reasoning), or leaves
            out messages of role `tool`.
    """
    if isinstance(row["prompt"], str):
        return row["prompt"], row["completion"], str(tokenizer.eos_token or "")
    if [message["role"] for message in row["completion"]] != ["assistant"]:
        raise UnusableRow("not_one_assistant_turn")
    messages = _messages(row["prompt"], tokenizer, adapt_prompt)
    options: dict[str, Any] = {"tools": row.get("tools"), "tokenize": False, "date_string": DATE}
    prompt = str(tokenizer.apply_chat_template(messages, add_generation_prompt=True, **options))
    full = str(tokenizer.apply_chat_template(messages + row["completion"], **options))
    if not full.startswith(prompt):
        raise UnusableRow("rewritten_by_template")
    written, completion = full[len(prompt) :], row["completion"][0]["content"]
    length = len(completion) if written.startswith(completion) else _length_in(written, completion)
    return prompt, written[:length], written[length:]


def shows_tool_results(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the chat template shows messages of role `tool`: some refuse them, some leave them out."""
    try:
        return _PROBE[-1]["content"] in str(tokenizer.apply_chat_template(_PROBE, tokenize=False))
    except TemplateError:
        return False


def _messages(
    prompt: list[Message], tokenizer: PreTrainedTokenizerBase, adapt_prompt: AdaptPrompt | None
) -> list[Message]:
    if adapt_prompt is not None:
        return adapt_prompt(prompt, tokenizer)
    if any(message["role"] == "tool" for message in prompt) and not shows_tool_results(tokenizer):
        raise UnusableRow("tool_results_not_in_template")
    return prompt


def _length_in(written: str, completion: str) -> int:
    """Characters that `completion` takes at the start of what the template wrote. Raises UnusableRow."""
    head, close, result = completion.rpartition(CLOSE)
    reasoning = head.strip().removeprefix(OPEN).strip()
    marks = rf"\s*{OPEN}\s*{re.escape(reasoning)}\s*{CLOSE}"
    match = re.match(rf"{marks if close else f'({marks})?'}\s*{re.escape(result.strip())}", written)
    if not match:
        raise UnusableRow("rewritten_by_template")
    return match.end()
