"""A prompt–completion row as text, by the model's own chat template."""

import re

from transformers import PreTrainedTokenizerBase

from funreason.calls.completion import CLOSE, OPEN
from funreason.calls.results import for_template
from funreason.srml.cut import Refused

DATE = "26 Jul 2024"  # the default of Llama-3.2's template; else it writes today's, and no run could be repeated


def render(row: dict, tokenizer: PreTrainedTokenizerBase) -> tuple[str, str, str]:
    """(prompt, completion, what the chat template adds behind it) of a prompt–completion row. Raises Refused.

    The completion is the template's own form of it where that differs in blanks alone: Qwen3's sets `<think>` on a
    line of its own (and adds an empty one where there is none), Llama-3's trims. Any other change is refused: QwQ's
    and DeepSeek-R1's templates strip the reasoning.
    """
    if isinstance(row["prompt"], str):
        return row["prompt"], row["completion"], tokenizer.eos_token or ""
    if [message["role"] for message in row["completion"]] != ["assistant"]:
        raise Refused("not_one_assistant_turn")
    extra = {"tools": row.get("tools"), "tokenize": False, "date_string": DATE}
    asked = for_template(row["prompt"], tokenizer)
    prompt = tokenizer.apply_chat_template(asked, add_generation_prompt=True, **extra)
    full = tokenizer.apply_chat_template(asked + row["completion"], **extra)
    if not full.startswith(prompt):
        raise Refused("rewritten_by_template")
    written, completion = full[len(prompt) :], row["completion"][0]["content"]
    length = len(completion) if written.startswith(completion) else _length_in(written, completion)
    return prompt, written[:length], written[length:]


def _length_in(written: str, completion: str) -> int:
    """Characters that `completion` takes at the start of what the template wrote. Raises Refused."""
    head, close, result = completion.rpartition(CLOSE)
    reasoning = head.strip().removeprefix(OPEN).strip()
    marks = rf"\s*{OPEN}\s*{re.escape(reasoning)}\s*{CLOSE}"
    found = re.match(rf"{marks if close else f'({marks})?'}\s*{re.escape(result.strip())}", written)
    if not found:
        raise Refused("rewritten_by_template")
    return found.end()
