"""The training set of a round: the earlier set's rows, then the new ones, as conversational prompt–completion."""

from funreason.calls import join_completion
from funreason.core.errors import DataError
from funreason.core.records import Sample
from funreason.prompts.conversation import chat


def training_row(chosen: str, sample: Sample) -> dict:
    """What TRL trains on: the completion, and all before it as the prompt. The id tells the set, since one task gives
    a row in every set.
    """
    completion = join_completion(sample.cot or None, sample.answer)
    return {
        "id": f"{chosen}/{sample.id}",
        "prompt": chat(sample),
        "completion": [{"role": "assistant", "content": completion}],
    }


def refuse_empty(chosen: str, fates: dict[str, int]) -> None:
    """Training on nothing new would look like a result. Raises DataError."""
    if not fates["kept"] + fates["regenerated"] + fates["statement"]:
        raise DataError(
            f"set {chosen}: none of {sum(fates.values())} rows is left ({fates['dropped']} dropped, {fates['hard']} "
            f"hard); data/{chosen}/ledger.jsonl says why, row by row: mend the source, the sampler or the judge"
        )
