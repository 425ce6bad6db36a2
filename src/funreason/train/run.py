"""Train one round: rows and a start model in; a model, loss curves and metrics out."""

import shutil
import sys
from pathlib import Path
from typing import Any

import datasets
import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerBase, PrinterCallback
from transformers.integrations import unset_hf_deepspeed_config
from transformers.utils import logging

from funreason.config import LossParams, TrainParams
from funreason.core.errors import DataError
from funreason.core.jsonio import read_jsonl, write_details, write_json
from funreason.llm.refs import ModelRef
from funreason.serve.certificate import check_before_training
from funreason.serve.template import served_template
from funreason.srml import SRMLTrainer, TrainingDataError
from funreason.srml.segments import LabelReport
from funreason.train.adapters import lora_config, merged, quantization
from funreason.train.answering import SHARDED, ExactCalls
from funreason.train.callbacks import HeldoutEpochs, Progress, TimedCheckpoints
from funreason.train.checkpoints import checkpoint_bytes, last_complete, require_space, run_key
from funreason.train.curves import summary, write_curve, write_heldout
from funreason.train.exact import Question, choose
from funreason.train.fallback import measured_peak, peak_estimate, with_fallback
from funreason.train.heldout import labelled_sides
from funreason.train.keep import KeepBest, best_folder, kept_step
from funreason.train.start import load, training_config
from funreason.train.token_losses import sample_rows, token_losses, token_report

OF_THIS_RUN = ("is_local", "local_files_only")  # transformers' notes in a tokenizer's configuration


def train_round(
    rows: Path,
    ref: ModelRef,
    out: Path,
    metrics: Path,
    loss: LossParams,
    train: TrainParams,
    *,
    checkpoints: Path,
    tokens: Path | None = None,
    save_seconds: float = 60,
) -> None:
    """Train a model, from the last checkpoint of the same training where there is one.

    Args:
        rows: The JSONL file of the training rows.
        ref: The start model.
        out: The folder of the trained model.
        metrics: The folder of loss.csv, heldout.csv and train.json.
        loss: The block `loss` of params.yaml.
        train: The block `train`.
        checkpoints: The folder of all trainings' checkpoints.
        tokens: The file for the losses of single tokens of a few rows; None writes none. `after` is
            the model of the last step. With several processes it holds no rows.
        save_seconds: Time between two checkpoints.

    Raises:
        DataError: Too many rows cannot be used.
        ModelError: The start model cannot be loaded, or there is no space for checkpoints.
    """
    logging.disable_progress_bar()
    datasets.disable_progress_bars()
    folder = checkpoints / run_key(rows, ref.identity, loss.model_dump(), train.model_dump())
    args = training_config(folder, loss, train)
    _ = args.device  # which connects the processes
    if train.bf16 and not args.bf16:
        print("train: `train.bf16` is true, but this machine computes no bfloat16: float32", file=sys.stderr)
    models = [load(ref, quantization(train.lora), train.attn_implementation)]
    model, tokenizer, dtype = models[0]
    (learned, heldout), reports, sizes, questions = checked_rows(rows, tokenizer, train, folder)
    parameters = max(model.num_parameters(), sum(map(size_of, model.parameters())))  # 4-bit ones count, too
    peak = peak_estimate(model.config, parameters, learned, train, bool(args.bf16))
    del model  # only `models` holds it: an attempt that runs out of memory leaves nothing behind
    sample = sample_rows(learned)

    def attempt(sized: TrainParams) -> tuple[SRMLTrainer, Any, Any]:
        """The trainer after training, and the losses of single tokens before and after."""
        trainer = SRMLTrainer(
            (models.pop() if models else load(ref, quantization(train.lora), train.attn_implementation))[0],
            training_config(folder, loss, sized),
            train_dataset=learned,
            eval_dataset=heldout if len(heldout) else None,
            processing_class=tokenizer,
            peft_config=lora_config(train.lora),
            callbacks=[TimedCheckpoints(save_seconds), Progress(), *([HeldoutEpochs()] if len(heldout) else [])],
        )
        return trainer, *to_the_end(trainer, folder, train, questions, sample if tokens else None)

    trainer, before, after = with_fallback(train, peak, attempt)
    kept = kept_step(trainer, train.keep)
    save(trainer, ref, dtype, out, None if kept == trainer.state.global_step else best_folder(folder, kept))
    if trainer.is_world_process_zero():
        history = trainer.state.log_history
        write_curve(metrics / "loss.csv", history)
        write_heldout(metrics / "heldout.csv", history)
        micro_batch = trainer.args.per_device_train_batch_size
        computed = {"autocast": "bfloat16" if args.bf16 else "float32", "micro_batch_size": micro_batch}
        figures = summary(history, *reports, kept) | sizes | computed
        write_details(metrics / "train.json", figures)
        if tokens:
            write_json(tokens, token_report(sample, tokenizer, figures["weight"], before, after))
        if peak:
            estimated = f"{peak(micro_batch).total / 1e9:.1f} GB were expected"
            print(f"train: at most {measured_peak() / 1e9:.1f} GB of memory per process; {estimated}", file=sys.stderr)
        shutil.rmtree(folder)  # done: whoever runs it again wants it trained again


def checked_rows(
    rows: Path, tokenizer: PreTrainedTokenizerBase, train: TrainParams, folder: Path
) -> tuple[tuple[datasets.Dataset, datasets.Dataset], tuple[LabelReport, LabelReport], dict[str, Any], list[Question]]:
    """The rows of a training, compared with what will be served, and labelled.

    Args:
        rows: Their JSONL file.
        tokenizer: The start model's.
        train: The block `train`.
        folder: Of the checkpoints; deleted where the rows cannot be used.

    Returns:
        What `heldout.labelled_sides` returns, and the questions that are answered after each epoch.

    Raises:
        DataError: Too many rows cannot be used.
    """
    check_before_training(read_jsonl(rows), tokenizer)
    try:
        sides, reports, sizes = labelled_sides(rows, tokenizer, train, folder / "labels")
        return sides, reports, sizes, choose(sides[1], tokenizer, train) if train.eval_rows else []
    except TrainingDataError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(str(error)) from None


def to_the_end(
    trainer: Any, folder: Path, train: TrainParams, questions: list[Question], sample: datasets.Dataset | None
) -> tuple[Any, Any]:
    """Train from the last checkpoint, if there is one.

    Args:
        trainer: Of TRL, before training.
        folder: Of the checkpoints.
        train: The block `train`.
        questions: What is answered after each epoch, as from `exact.choose`; may be empty.
        sample: Rows whose tokens' losses are measured; None measures none.

    Returns:
        The losses of the sample's tokens before and after training.

    Raises:
        ModelError: There is no space for checkpoints.
    """
    require_space(folder, checkpoint_bytes(train.launcher, train.keep, *trained_sizes(trainer.model)))
    trainer.remove_callback(PrinterCallback)
    if questions:
        trainer.add_callback(ExactCalls(trainer, questions))
    if train.keep == "best":
        trainer.add_callback(KeepBest(trainer))
    before = token_losses(trainer, sample) if sample is not None else None
    trainer.train(resume_from_checkpoint=last_complete(folder, delete=trainer.is_world_process_zero()))
    return before, token_losses(trainer, sample) if sample is not None else None


def trained_sizes(model: torch.nn.Module) -> tuple[int, int]:
    """Numbers in the trained parameters, and in those of them that have a second name."""
    every, once = (
        sum(size_of(p) for _, p in model.named_parameters(remove_duplicate=remove) if p.requires_grad)
        for remove in (False, True)
    )
    return once, every - once


def size_of(parameter: torch.nn.Parameter) -> int:
    """Numbers in a parameter; ZeRO-3 leaves none on a rank, and notes how many there are."""
    return int(getattr(parameter, "ds_numel", parameter.numel()))


def save(trainer: SRMLTrainer, ref: ModelRef, dtype: torch.dtype, out: Path, weights: Path | None = None) -> None:
    """Write the model that vLLM and the next round load, whole or not at all, without times, paths or run state.

    Called on all ranks. A model that is sharded over them, or adapters, go through a folder of their own, from which
    the first rank makes the whole model.

    Args:
        trainer: The trainer after training.
        ref: The start model, to which adapters are added.
        dtype: In which the weights are stored.
        out: The folder of the model.
        weights: The folder of the weights to keep; None for those that the trainer has.
    """
    adapted = hasattr(trainer.model, "peft_config")
    apart = adapted or trainer.accelerator.distributed_type in SHARDED or weights is not None
    parts = weights or Path(str(trainer.args.output_dir), "final")
    if apart and weights is None:
        trainer.save_model(str(parts))
    if not trainer.is_world_process_zero():
        return
    unset_hf_deepspeed_config()  # or ZeRO-3 would shard what is loaded now
    tokenizer: Any = trainer.processing_class
    model: Any
    if adapted:
        model = merged(load(ref)[0], parts)
    elif apart:
        model = AutoModelForCausalLM.from_pretrained(parts, trust_remote_code=False)
    else:
        model = trainer.accelerator.unwrap_model(trainer.model)
    new = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(new, ignore_errors=True)
    model.to(dtype).save_pretrained(new)
    for name in OF_THIS_RUN:
        tokenizer.init_kwargs.pop(name, None)
    tokenizer.chat_template = served_template(tokenizer)
    tokenizer.save_pretrained(new)
    if out.exists():
        shutil.rmtree(out)
    new.rename(out)
