"""How long reasoning and result are in tokens of the student: the numbers of FunReason's Table 1."""

from collections.abc import Callable, Iterable
from itertools import islice
from statistics import mean, median

from funreason.core.errors import ModelError
from funreason.llm.refs import ModelRef

BATCH = 1000  # texts a call of the tokenizer

Measure = Callable[[list[str]], list[int]]


def measure(ref: ModelRef) -> Measure:
    """Texts → numbers of tokens, without special ones, by the tokenizer of a local or hub model. Raises ModelError."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(ref.name_or_path, revision=ref.revision)
    except (OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        remedy = "give a folder or hub id with a tokenizer as models.base"
        raise ModelError(f"{ref.name_or_path}: its tokenizer cannot be loaded ({reason}); {remedy}") from None

    def lengths(texts: list[str]) -> list[int]:
        # not verbose: that a text is longer than the model's context is said by the trainer, which drops it
        return [len(ids) for ids in tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]]

    return lengths


def statistics(parts: Iterable[tuple[str | None, str]], lengths: Measure) -> dict:
    """Mean and median tokens of (reasoning, result) pairs; rows without reasoning count among the results only."""
    parts, found = iter(parts), {"reasoning": [], "result": []}
    while block := list(islice(parts, BATCH)):
        found["result"] += lengths([result for _, result in block])
        if reasonings := [reasoning for reasoning, _ in block if reasoning]:
            found["reasoning"] += lengths(reasonings)
    return {part: _summary(numbers) for part, numbers in found.items()}


def _summary(numbers: list[int]) -> dict:
    if not numbers:
        return {"rows": 0, "mean": None, "median": None}
    return {"rows": len(numbers), "mean": round(float(mean(numbers)), 2), "median": float(median(numbers))}
