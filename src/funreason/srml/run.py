"""Train one set: rows and a start model in; a checkpoint, a loss curve and metrics out."""

import shutil
from pathlib import Path

import torch
from accelerate import PartialState
from tqdm import tqdm
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback, TrainerCallback
from transformers.utils import logging

from funreason.errors import ModelError, ParamsError
from funreason.params import LossParams, TrainParams
from funreason.records import read_jsonl, write_json
from funreason.srml.checkpoints import TimedCheckpoints, last_complete, require_space, run_key
from funreason.srml.config import SRMLConfig
from funreason.srml.curve import summary, write_curve
from funreason.srml.trainer import SRMLTrainer


def train_set(
    rows: Path,
    ref,
    out: Path,
    metrics: Path,
    loss: LossParams,
    train: TrainParams,
    *,
    checkpoints: Path,
    save_seconds: float = 60,
) -> None:
    """Train `ref` (name_or_path, revision, identity) on the rows of a JSONL file; write `out` and `metrics`.

    Goes on from the last checkpoint of the same training, if there is one below `checkpoints`.
    Raises DataError, ModelError or ParamsError.
    """
    logging.disable_progress_bar()
    folder = checkpoints / run_key(rows, ref.identity, loss.model_dump(), train.model_dump())
    args = training_config(folder, loss, train)
    model, tokenizer, dtype = load(ref)
    require_space(folder, model.num_parameters())
    trainer = SRMLTrainer(
        model,
        args,
        train_dataset=list(read_jsonl(rows)),
        processing_class=tokenizer,
        callbacks=[TimedCheckpoints(save_seconds), Progress()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=last_complete(folder))
    if trainer.is_world_process_zero():
        save(trainer.accelerator.unwrap_model(trainer.model).to(dtype), tokenizer, out)
        write_curve(metrics / "loss.csv", trainer.state.log_history)
        report = trainer.label_reports["train"]
        write_json(metrics / "train.json", summary(trainer.state.log_history, report))
        shutil.rmtree(folder)  # done: the next run under this key is asked for, and trains anew


def training_config(folder: Path, loss: LossParams, train: TrainParams) -> SRMLConfig:
    """The parameters as SRMLTrainer's options: AdamW, cosine decay, float32 on CPU, bf16 autocast on CUDA."""
    cuda, ranks = torch.cuda.is_available(), PartialState().num_processes
    if train.batch_size % (train.micro_batch_size * ranks):
        raise ParamsError(
            f"`train.batch_size` {train.batch_size} is no multiple of `train.micro_batch_size` "
            f"{train.micro_batch_size} times {ranks} processes"
        )
    return SRMLConfig(
        output_dir=str(folder),
        segment_loss=loss.kind,
        think_weight=loss.lambda_,
        max_length=train.max_length,
        max_dropped_share=train.max_dropped_share,
        learning_rate=train.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=train.warmup_ratio,  # below 1 a share of all steps
        weight_decay=train.weight_decay,
        num_train_epochs=train.epochs,
        per_device_train_batch_size=train.micro_batch_size,
        gradient_accumulation_steps=train.batch_size // (train.micro_batch_size * ranks),
        # A step's samples stay random, its micro-batches are cut by length: less padding, same gradient.
        train_sampling_strategy="batch_rebalance",
        seed=train.seed,
        bf16=train.bf16 and cuda,
        gradient_checkpointing=train.gradient_checkpointing,
        use_cpu=not cuda,
        use_cache=True,  # only for the saved config.json: TRL's loss runs without a cache in any case
        dataloader_pin_memory=cuda,
        logging_steps=1,
        save_strategy="no",  # TimedCheckpoints asks for saves and deletes old ones
        disable_tqdm=True,
        report_to=[],
    )


def load(ref) -> tuple[torch.nn.Module, object, torch.dtype]:
    """(model in float32, tokenizer, the dtype it was stored in). Raises ModelError.

    Trained in float32 whatever it is stored in: at 4e-5 most of AdamW's steps are below bf16's resolution.
    """
    if ref.kind == "server":
        raise ModelError(f"{ref.name_or_path} is on a server; start from a local folder or a hub id")
    try:
        tokenizer = AutoTokenizer.from_pretrained(ref.name_or_path, revision=ref.revision)
        model = AutoModelForCausalLM.from_pretrained(ref.name_or_path, revision=ref.revision)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{ref.name_or_path} cannot be loaded ({str(error).splitlines()[0]}); "
            "give a folder or hub id with a causal language model and its tokenizer"
        ) from None
    if tokenizer.chat_template is None:
        raise ModelError(f"{ref.name_or_path} has no chat template; start from an instruct model")
    stored = model.dtype
    return model.float(), tokenizer, stored


def save(model, tokenizer, out: Path) -> None:
    """Write what vLLM and the next round load, whole or not at all, without times, paths or run state."""
    new = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(new, ignore_errors=True)
    model.save_pretrained(new)
    tokenizer.save_pretrained(new)
    if out.exists():
        shutil.rmtree(out)
    new.rename(out)


class Progress(TrainerCallback):
    """One bar over the optimizer steps with both losses, silent where stderr is not a terminal."""

    def on_train_begin(self, args, state, control, **kwargs):
        off = None if state.is_world_process_zero else True  # None: off without a terminal
        self.bar = tqdm(total=state.max_steps, initial=state.global_step, desc="train", disable=off)

    def on_step_end(self, args, state, control, **kwargs):
        self.bar.update()

    def on_log(self, args, state, control, logs=None, **kwargs):
        shown = {name: f"{logs[name]:.3f}" for name in ("loss_think", "loss_result") if name in logs}
        self.bar.set_postfix(shown, refresh=False)

    def on_train_end(self, args, state, control, **kwargs):
        self.bar.close()
