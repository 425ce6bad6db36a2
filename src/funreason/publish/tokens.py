"""How many tokens of the student reasoning and result have: the numbers of FunReason's Table 1."""

from collections.abc import Callable, Iterable
from itertools import islice
from statistics import mean, median

from funreason.core.errors import ModelError, load_reason
from funreason.llm.refs import ModelRef

BATCH = 1000  # texts per call of the tokenizer

TokenCounter = Callable[[list[str]], list[int]]


def token_counter(ref: ModelRef) -> TokenCounter:
    """A function from texts to their numbers of tokens, without special tokens.

    Args:
        ref: A local model or one of the hub, whose tokenizer counts.

    Raises:
        ModelError: The tokenizer cannot be loaded.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(ref.name_or_path, revision=ref.revision, trust_remote_code=False)
    except (OSError, ValueError) as error:
        reason = load_reason(error)
        remedy = "give a folder or hub id with a tokenizer as models.base"
        raise ModelError(f"{ref.name_or_path}: its tokenizer cannot be loaded ({reason}); {remedy}") from None

    def count(texts: list[str]) -> list[int]:
        # Not verbose: the trainer, which drops such a row, warns of a text that is longer than the model's context.
        return [len(ids) for ids in tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]]

    return count


def token_statistics(
    completions: Iterable[tuple[str | None, str]], count: TokenCounter
) -> dict[str, dict[str, int | float | None]]:
    """The mean and median number of tokens of reasoning and result.

    Args:
        completions: (reasoning, result) of each row. A row without reasoning counts only among the results.
        count: Counts the tokens of texts.

    Returns:
        {"reasoning", "result"}, each {"rows", "mean", "median"}.
    """
    rest = iter(completions)
    lengths: dict[str, list[int]] = {"reasoning": [], "result": []}
    while block := list(islice(rest, BATCH)):
        lengths["result"] += count([result for _, result in block])
        if reasonings := [reasoning for reasoning, _ in block if reasoning]:
            lengths["reasoning"] += count(reasonings)
    return {part: _summary(of_part) for part, of_part in lengths.items()}


def _summary(numbers: list[int]) -> dict[str, int | float | None]:
    if not numbers:
        return {"rows": 0, "mean": None, "median": None}
    return {"rows": len(numbers), "mean": round(float(mean(numbers)), 2), "median": float(median(numbers))}
