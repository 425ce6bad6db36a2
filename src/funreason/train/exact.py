"""Exact calls while training: which of the rows held out are answered, and which answers are right."""

import hashlib
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from funreason.calls.forms import CALLS, REFUSALS, form_of_text
from funreason.calls.parser import exact_calls
from funreason.config import TrainParams
from funreason.srml import TrainingDataError
from funreason.srml.controls import CLOSE, OPEN
from funreason.srml.segments import IGNORED
from funreason.srml.template import stop_tokens


@dataclass(frozen=True)
class Question:
    """A row that is answered.

    Attributes:
        prompt: Its token ids up to the assistant's turn, as they are trained on.
        own_answer: The token ids of the row's own completion, with the end of the turn.
        calls: The row's own calls, as from `exact_calls`; None where no call is right: `[]`, or a statement.
        opened: Whether the prompt has opened the reasoning.
    """

    prompt: list[int]
    own_answer: list[int]
    calls: list[str] | None
    opened: bool


def choose(heldout: Dataset, tokenizer: PreTrainedTokenizerBase, train: TrainParams) -> list[Question]:
    """Choose the rows that are answered by a hash of their prompts, so that the rounds of a chain answer the same ones.

    A prompt that several rows have is answered once.

    Args:
        heldout: The labelled rows held out.
        tokenizer: The start model's.
        train: `eval_rows` and `keep`.

    Returns:
        At most `eval_rows` questions. Where there are none, a line on stderr says why.

    Raises:
        TrainingDataError: `keep` is best, and there is no row that needs a call.
    """
    by_prompt: dict[str, dict[str, Any]] = {}
    for row in heldout.select_columns(["input_ids", "labels"]):
        size = row["labels"].count(IGNORED)
        key = hashlib.sha256(str(row["input_ids"][:size]).encode()).hexdigest()
        by_prompt.setdefault(key, {"prompt": row["input_ids"][:size], "own_answer": row["input_ids"][size:]})
    questions: list[Question] = []
    for key in sorted(by_prompt):
        if len(questions) == train.eval_rows:
            break
        question = _question(by_prompt[key], tokenizer)
        questions += [question] if question else []
    problem = _problem(questions, len(heldout), train.keep)
    if problem and train.keep == "best":
        remedy = "raise train.heldout_fraction or train.eval_rows, or set train.keep to last"
        raise TrainingDataError(f"{problem}, and train.keep best compares exact calls; {remedy}")
    if problem:  # a round of few rows does not end a chain for a figure
        print(f"train: {problem}: train.eval_rows {train.eval_rows} has nothing to measure here", file=sys.stderr)
    return questions


def stop_ids(questions: Sequence[Question], tokenizer: PreTrainedTokenizerBase, model_stops: Any) -> list[int]:
    """The tokens that end an answer: those that end the rows' own, and those at which a server stops.

    Args:
        questions: As from `choose`.
        tokenizer: Its end token is one of them.
        model_stops: `eos_token_id` of the model's generation config: a number, a list of numbers, or None.
    """
    return sorted({question.own_answer[-1] for question in questions} | stop_tokens(tokenizer, model_stops))


def text_of(ids: Sequence[int], tokenizer: PreTrainedTokenizerBase, stops: Collection[int]) -> tuple[str, bool]:
    """The text of an answer up to the first of `stops`, and whether there is one: else it was cut."""
    end = next((at for at, number in enumerate(ids) if number in stops), None)
    text = tokenizer.decode(list(ids[:end]), skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return str(text), end is not None


def is_right(question: Question, text: str, ended: bool) -> bool:
    """Whether an answer has exactly the row's own calls; where no call is right, whether it refuses readably.

    Args:
        question: The row.
        text: The answer.
        ended: Whether it ended by itself. One that was cut neither calls nor refuses.
    """
    result = _result(text, question.opened) if ended else None
    if result is None:
        return False
    return form_of_text(result) in REFUSALS if question.calls is None else exact_calls(result) == question.calls


def _question(row: dict[str, Any], tokenizer: PreTrainedTokenizerBase) -> Question | None:
    """The row as a question; None where its own answer is neither calls nor a refusal."""
    text = text_of(row["own_answer"], tokenizer, row["own_answer"][-1:])[0]
    opened = CLOSE in text and not text.lstrip().startswith(OPEN)
    result = _result(text, opened) or ""
    form = form_of_text(result)
    if form not in (CALLS, *REFUSALS):
        return None
    return Question(**row, calls=exact_calls(result) if form == CALLS else None, opened=opened)


def _result(text: str, opened: bool) -> str | None:
    """What follows the reasoning; None where that never ends."""
    before, close, result = text.rpartition(CLOSE)
    return None if not close and (opened or OPEN in text) else result.strip()


def _problem(questions: Sequence[Question], heldout: int, keep: str) -> str | None:
    """Why there is nothing to measure or, for `keep: best`, to compare."""
    if not heldout:
        return "no row is held out"
    if not questions:
        return f"none of the {heldout} rows held out has calls, [] or a statement as its answer"
    if keep == "best" and all(question.calls is None for question in questions):
        return f"none of the {len(questions)} rows held out to be answered needs a call"
    return None
