"""A prompt–completion row as text: rendered by the model's chat template, and cut into segments."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase

from funreason.srml.controls import CLOSE, OPEN
from funreason.srml.template import REFUSALS, ChatTemplate, opens_think

Message = dict[str, Any]
# completion → [(segment, index of its first character)], the first at 0, in order, each at most once.
# Raises UnusableRow.
Cut = Callable[[str], Sequence[tuple[str, int]]]
# Rewrites the messages of a prompt for the tokenizer's chat template, such as results of tools that it cannot show.
AdaptPrompt = Callable[[list[Message], PreTrainedTokenizerBase], list[Message]]


class UnusableRow(ValueError):
    """A row that cannot be labelled. The message is the reason under which it is counted."""


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
    """Write a row as the text that the model sees. Parts of it may be protected, see `funreason.srml.controls`.

    The prompt is the one that the model is asked with. The completion is the template's own form of it where that
    differs in white space alone: Qwen3's template sets `<think>` on a line of its own (and adds an empty one where
    there is none), Llama-3's trims. Where the template writes something else (QwQ's and DeepSeek-R1's leave the
    reasoning out), it is the text itself, from after the `<think>` that the prompt may have opened.

    Args:
        row: `prompt` and `completion`, two texts or two lists of messages; `tools`, if there are any.
        tokenizer: Its chat template is used.
        adapt_prompt: Rewrites the prompt's messages first.

    Returns:
        The prompt, the completion, and what ends the turn after it.

    Raises:
        UnusableRow: The template leaves out messages of role `tool`, or all texts, or refuses the chat.
    """
    if isinstance(row["prompt"], str):
        return row["prompt"], *_without_end(row["completion"], tokenizer)
    if [message["role"] for message in row["completion"]] != ["assistant"]:
        raise UnusableRow("not_one_assistant_turn")
    template, tools = ChatTemplate.of(tokenizer), row.get("tools")
    if not template.shows_texts:
        raise UnusableRow("texts_not_in_template")
    messages = _messages(row["prompt"], tokenizer, adapt_prompt)
    try:
        prompt = template.text(messages, tools=tools)
    except REFUSALS:
        raise UnusableRow("refused_by_template") from None
    completion = template.controls.protect(row["completion"][0]["content"], "assistant")
    if opens_think(prompt) and OPEN in completion and CLOSE not in completion:
        raise UnusableRow("unclosed_think")
    if found := _written(template, [*messages, *row["completion"]], tools, prompt, completion):
        return prompt, *found
    return prompt, _continued(prompt, completion), template.end_of_turn


def _without_end(completion: str, tokenizer: PreTrainedTokenizerBase) -> tuple[str, str]:
    """A completion that is a text, and what ends it: it may have the end of its turn already."""
    end = str(tokenizer.eos_token or "")
    for mark in filter(None, (end, ChatTemplate.of(tokenizer).end_of_turn if tokenizer.chat_template else "")):
        bare = completion.rstrip()
        if bare.endswith(mark):
            return bare.removesuffix(mark), mark
    return completion, end


def _written(
    template: ChatTemplate, messages: list[Message], tools: Any, prompt: str, completion: str
) -> tuple[str, str] | None:
    """The completion as the template writes it after the prompt, and what ends the turn; None where it rewrites it."""
    try:
        full = template.text(messages, tools=tools, add_generation_prompt=False)
    except REFUSALS:
        return None
    if not full.startswith(prompt):
        return None
    written = full[len(prompt) :]
    length = len(completion) if written.startswith(completion) else _length_in(written, completion, opens_think(prompt))
    if length is None:
        return None
    tail = written[length:]
    return written[:length], tail if template.controls.first(tail) else template.end_of_turn


def _continued(prompt: str, completion: str) -> str:
    """The completion as the model writes it after the prompt. Reasoning that the prompt opens is closed at once if the
    row has none."""
    if not opens_think(prompt):
        return completion
    blank = prompt[prompt.rindex(OPEN) + len(OPEN) :]  # a line of its own closes the reasoning, if one opens it
    head, close, result = completion.partition(CLOSE)
    if not close:
        return f"{blank}{CLOSE}\n\n{completion.lstrip()}"
    reasoning = head.lstrip().removeprefix(OPEN)
    return f"{reasoning.strip(chr(10))}{blank}{CLOSE}{result}" if blank else f"{reasoning}{CLOSE}{result}"


def _messages(
    prompt: list[Message], tokenizer: PreTrainedTokenizerBase, adapt_prompt: AdaptPrompt | None
) -> list[Message]:
    if adapt_prompt is not None:
        return adapt_prompt(prompt, tokenizer)
    if any(message["role"] == "tool" for message in prompt) and not ChatTemplate.of(tokenizer).shows_tool_results:
        raise UnusableRow("tool_results_not_in_template")
    return prompt


def _length_in(written: str, completion: str, opened: bool) -> int | None:
    """Characters that `completion` takes at the start of what the template wrote; None where it is not there."""
    head, close, result = completion.rpartition(CLOSE)
    reasoning = head.strip().removeprefix(OPEN).strip()
    open_mark = f"({OPEN})?" if opened else OPEN
    marks = rf"\s*{open_mark}\s*{re.escape(reasoning)}\s*{CLOSE}"
    match = re.match(rf"{marks if close else f'({marks})?'}\s*{re.escape(result.strip())}", written)
    return match.end() if match else None
