"""Train one round by GRPO: the counterpart of `train/run.py`, with the same rows, start, checkpoints and files."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import datasets
from transformers.utils import logging

import funreason.grpo
import funreason.rewards
from funreason.config import GrpoParams, TrainParams
from funreason.core.errors import ParamsError
from funreason.core.jsonio import read_jsonl, write_details, write_json
from funreason.grpo.config import check_machine, check_room, grpo_config, reward_parts
from funreason.grpo.curves import CURVE, grpo_summary
from funreason.grpo.known import Rates
from funreason.grpo.rows import prompt_rows, tell
from funreason.grpo.selection import Selection
from funreason.grpo.trainer import GroupTrainer
from funreason.llm.refs import ModelRef
from funreason.srml.template import stop_tokens
from funreason.train.adapters import lora_config, quantization
from funreason.train.callbacks import HeldoutEpochs, Progress, TimedCheckpoints
from funreason.train.checkpoints import run_key
from funreason.train.curves import write_curve, write_heldout
from funreason.train.fallback import with_fallback
from funreason.train.keep import best_folder, kept_step
from funreason.train.run import checked_rows, save, to_the_end
from funreason.train.start import load
from funreason.train.token_losses import sample_rows, token_report


def train_by_grpo(
    rows: Path,
    ref: ModelRef,
    out: Path,
    metrics: Path,
    grpo: GrpoParams,
    train: TrainParams,
    *,
    checkpoints: Path,
    tokens: Path | None = None,
    rates: Rates | None = None,
    save_seconds: float = 60,
) -> None:
    """Train a model by rewards, from the last checkpoint of the same training where there is one.

    Args:
        rows: The JSONL file of the training rows: their prompts are sampled, their completions are the references.
        ref: The start model.
        out: The folder of the trained model.
        metrics: The folder of loss.csv, heldout.csv and train.json.
        grpo: The block `grpo` of params.yaml.
        train: The block `train`; its epochs, learning rate and batch size are those of supervised training.
        checkpoints: The folder of all trainings' checkpoints.
        tokens: The file for the losses of single tokens of a few rows; None writes none.
        rates: What the ledger knows of the start model's samples, as from `known.pass_rates`; None where they are not
            the start model's.
        save_seconds: Time between two checkpoints.

    Raises:
        DataError: Too many rows cannot be used, or none can be rewarded.
        ModelError: The start model cannot be loaded, or there is no space for checkpoints.
        ParamsError: The machine or the model cannot do what `grpo` asks for.
    """
    logging.disable_progress_bar()
    datasets.disable_progress_bars()
    check_machine(grpo)
    folder = checkpoints / run_key(
        rows, ref.identity, grpo.model_dump(), train.model_dump(), {"code": _code(), "rates": rates}
    )
    _ = grpo_config(folder, grpo, train, ref, []).device  # which connects the processes
    models = [load(ref, quantization(train.lora), train.attn_implementation)]
    model, tokenizer, dtype = models[0]
    (learned, heldout), reports, _, questions = checked_rows(rows, tokenizer, train, folder)
    prompts, ends = prompt_rows(learned, tokenizer, grpo.think)
    stops = sorted(ends | stop_tokens(tokenizer, model.generation_config.eos_token_id))
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    check_room(grpo, max(map(len, prompts["prompt_ids"])), positions)
    if len(prompts) * grpo.select.fraction < grpo.prompts:
        raise ParamsError(
            f"{len(prompts)} prompts times `grpo.select.fraction` {grpo.select.fraction:g} are fewer than "
            f"`grpo.prompts` {grpo.prompts}, those of one step; raise the fraction, or lower grpo.prompts"
        )
    del model
    sample = sample_rows(learned)

    def attempt(sized: TrainParams) -> tuple[Any, Any, Any]:
        """The trainer after training, and the losses of single tokens before and after."""
        selection = Selection(len(prompts), grpo.samples, grpo.select.fraction, train.seed)
        if rates:
            tell(selection, prompts, read_jsonl(rows), rates, tokenizer)
        trainer: Any = GroupTrainer(
            (models.pop() if models else load(ref, quantization(train.lora), train.attn_implementation))[0],
            grpo_config(folder, grpo, sized, ref, stops),
            rows=prompts,
            rewards=list(reward_parts(grpo)),
            selection=selection,
            stops=stops,
            first_samples=grpo.select.first_samples if grpo.select.fraction < 1 else 0,
            processing_class=tokenizer,
            peft_config=lora_config(train.lora),
            callbacks=[TimedCheckpoints(save_seconds), Progress(), *([HeldoutEpochs()] if len(heldout) else [])],
        )
        return trainer, *to_the_end(trainer, folder, train, questions, sample if tokens else None)

    trainer, before, after = with_fallback(train, None, attempt)
    kept = kept_step(trainer, train.keep)
    save(trainer, ref, dtype, out, None if kept == trainer.state.global_step else best_folder(folder, kept))
    if trainer.is_world_process_zero():
        history = trainer.state.log_history
        write_curve(metrics / "loss.csv", history, CURVE)
        write_heldout(metrics / "heldout.csv", history)
        figures = grpo_summary(history, reports, len(prompts), trainer.selection, kept)
        write_details(metrics / "train.json", figures)
        if tokens:
            write_json(tokens, token_report(sample, tokenizer, None, before, after))
        shutil.rmtree(folder)  # done: whoever runs it again wants it trained again


def _code() -> str:
    """The digest of the code that decides the weights, beside that of supervised training."""
    folders = [Path(next(iter(package.__path__))) for package in (funreason.grpo, funreason.rewards)]
    files = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
