"""The model in training answers the rows held out, and the exact answers are counted over all processes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from accelerate.utils import DistributedType
from torch.distributed.fsdp import FSDPModule
from transformers import GenerationConfig, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from funreason.srml import SRMLTrainer
from funreason.srml.heads import unwrap_peft
from funreason.train.exact import Question, is_right, stop_ids, text_of

SHARDED = (DistributedType.FSDP, DistributedType.DEEPSPEED)
ROOM = 2  # an answer may be that many times as long as the longest of the rows' own
# Tokens answered at a time, in micro-batches of training: keys and values are a small part of a token's activations.
MICRO_BATCHES = 4


class ExactCalls(TrainerCallback):
    """Logs the exact answers after each evaluation.

    `eval_exact_calls` and `eval_exact_no_call` are fractions of the rows that need a call and of the others
    (`eval_call_rows`, `eval_no_call_rows`); `eval_cut_answers` ended at the limit. A side without rows is left out.

    Args:
        trainer: The trainer, with a tokenizer.
        questions: The rows to answer.
    """

    def __init__(self, trainer: SRMLTrainer, questions: Sequence[Question]):
        self.trainer = trainer
        self.questions = sorted(questions, key=lambda question: (len(question.prompt), question.prompt))

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Answer, count and log, on all ranks."""
        self.trainer.log(count_exact(self.trainer, self.questions))


def count_exact(trainer: SRMLTrainer, questions: Sequence[Question]) -> dict[str, float]:
    """Answer the rows, each rank its share, and count. Greedy: it draws no random number.

    Args:
        trainer: The trainer.
        questions: The same on all ranks.

    Returns:
        Name in the log → value, the same on all ranks, see `ExactCalls`.
    """
    accelerator = trainer.accelerator
    own = list(questions[accelerator.process_index :: accelerator.num_processes])
    marks = []
    for question, (text, ended) in zip(own, _answers(trainer, questions, own), strict=True):
        right, call = is_right(question, text, ended), question.calls is not None
        marks.append([right and call, call, right and not call, not call, not ended])
    counts = torch.tensor(marks, dtype=torch.long, device=accelerator.device).view(-1, 5).sum(0)
    calls, call_rows, no_call, no_call_rows, cut = accelerator.reduce(counts, "sum").tolist()
    rows = {"eval_call_rows": call_rows, "eval_no_call_rows": no_call_rows, "eval_cut_answers": cut}
    sides = {"eval_exact_calls": (calls, call_rows), "eval_exact_no_call": (no_call, no_call_rows)}
    return {name: right / asked for name, (right, asked) in sides.items() if asked} | rows


def _answers(trainer: SRMLTrainer, questions: Sequence[Question], own: list[Question]) -> list[tuple[str, bool]]:
    """The answers to a rank's own questions: texts, and whether they ended by themselves."""
    tokenizer: Any = trainer.processing_class
    model: Any = unwrap_peft(trainer.accelerator.unwrap_model(trainer.model))
    stops = stop_ids(questions, tokenizer, model.generation_config.eos_token_id)
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else stops[0]
    limit = ROOM * max(len(question.own_answer) for question in questions)
    # Where each rank holds a part of the weights, all have to take part in every forward pass.
    synced = trainer.accelerator.distributed_type in SHARDED and trainer.accelerator.num_processes > 1
    share = -(-len(questions) // trainer.accelerator.num_processes) if synced else len(own)
    asked = own + [questions[0]] * (share - len(own))
    size = _batch_size(trainer, max(len(question.prompt) for question in questions) + limit)
    answers: list[tuple[str, bool]] = []
    with _generating(trainer, model, stops, padding):
        for start in range(0, share, size):
            prompts = [question.prompt for question in asked[start : start + size]]
            answers += [text_of(ids, tokenizer, stops) for ids in _generate(model, prompts, padding, limit, synced)]
    return answers[: len(own)]


def _batch_size(trainer: SRMLTrainer, length: int) -> int:
    """How many answers of at most `length` tokens are generated at a time."""
    args = trainer.args
    room = args.per_device_train_batch_size * (args.max_length or length)
    return max(1, (1 if args.gradient_checkpointing else MICRO_BATCHES) * room // length)


@contextmanager
def _generating(trainer: SRMLTrainer, model: Any, stops: list[int], padding: int) -> Iterator[None]:
    """While active, the model generates greedily, in the precision of its training, whatever its own config says."""
    wrapped = trainer.accelerator.unwrap_model(trainer.model)
    # FSDP gathers the outermost module's weights when that one is called; with adapters, the model inside is.
    gathered = isinstance(wrapped, FSDPModule) and model is not wrapped
    kept = model.generation_config
    model.generation_config = GenerationConfig(do_sample=False, eos_token_id=stops, pad_token_id=padding)
    trainer.model.eval()
    if gathered:
        wrapped.unshard()
    try:
        with trainer.accelerator.autocast():
            yield
    finally:
        model.generation_config = kept
        if gathered:
            wrapped.reshard()


def _generate(model: Any, prompts: list[list[int]], padding: int, limit: int, synced: bool) -> list[list[int]]:
    """The token ids that follow each prompt. Prompts are padded on the left, whatever side training pads on."""
    width = max(map(len, prompts))
    ids = torch.full((len(prompts), width), padding, device=model.device)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    longest = getattr(model.config.get_text_config(), "max_position_embeddings", None) or width + limit
    options = {"max_new_tokens": max(1, min(limit, longest - width)), "use_cache": True, "synced_gpus": synced}
    return model.generate(input_ids=ids, attention_mask=mask, **options)[:, width:].tolist()
