"""Train one set: rows and a start model in; a checkpoint, a loss curve and metrics out."""

import shutil
from pathlib import Path

from accelerate.utils import DistributedType
from transformers import AutoModelForCausalLM, PrinterCallback
from transformers.integrations import unset_hf_deepspeed_config
from transformers.utils import logging

from funreason.config.params import LossParams, TrainParams
from funreason.core.jsonio import read_jsonl, write_json
from funreason.srml.segments import label_rows
from funreason.srml.trainer import SRMLTrainer
from funreason.train.adapters import lora_config, merged, quantization
from funreason.train.callbacks import HeldoutEpochs, Progress
from funreason.train.checkpoints import TimedCheckpoints, last_complete, require_space, run_key
from funreason.train.curves import summary, write_curve, write_heldout
from funreason.train.heldout import split
from funreason.train.start import load, training_config

OF_THIS_RUN = ("is_local", "local_files_only")  # transformers' notes in a tokenizer's configuration
SHARDED = (DistributedType.FSDP, DistributedType.DEEPSPEED)


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
    model, tokenizer, dtype = load(ref, quantization(train.lora))
    datasets, reports = labelled(rows, tokenizer, train)
    callbacks = [TimedCheckpoints(save_seconds), Progress()]
    trainer = SRMLTrainer(
        model,
        args,
        train_dataset=datasets[0],
        eval_dataset=datasets[1] if len(datasets[1]) else None,
        processing_class=tokenizer,
        peft_config=lora_config(train.lora),
        callbacks=callbacks + ([HeldoutEpochs()] if len(datasets[1]) else []),
    )
    require_space(folder, sum(p.numel() for p in trainer.model.parameters() if p.requires_grad))
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=last_complete(folder))
    save(trainer, ref, dtype, out)
    if trainer.is_world_process_zero():
        history = trainer.state.log_history
        write_curve(metrics / "loss.csv", history)
        write_heldout(metrics / "heldout.csv", history)
        write_json(metrics / "train.json", summary(history, *reports))
        shutil.rmtree(folder)  # done: the next run under this key is asked for, and trains anew


def labelled(rows: Path, tokenizer, train: TrainParams):
    """([rows to train on, rows held out], their reports), labelled; the dropped ones judged together."""
    sides = split(list(read_jsonl(rows)), train.heldout_fraction)
    datasets, reports = zip(*[label_rows(side, tokenizer, train.max_length) for side in sides], strict=True)
    (reports[0] + reports[1]).check(train.max_dropped_fraction)
    return datasets, reports


def save(trainer: SRMLTrainer, ref, dtype, out: Path) -> None:
    """Write what vLLM and the next round load, whole or not at all, without times, paths or run state.

    Called on all ranks. What is sharded over them, or is an adapter, goes through a folder of its own, from which the
    first rank makes the whole model.
    """
    adapted = hasattr(trainer.model, "peft_config")
    apart = adapted or trainer.accelerator.distributed_type in SHARDED
    parts = Path(trainer.args.output_dir, "final")
    if apart:
        trainer.save_model(parts)
    if not trainer.is_world_process_zero():
        return
    unset_hf_deepspeed_config()  # or ZeRO-3 would shard what is loaded now
    if adapted:
        model = merged(load(ref)[0], parts)
    elif apart:
        model = AutoModelForCausalLM.from_pretrained(parts)
    else:
        model = trainer.accelerator.unwrap_model(trainer.model)
    new = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(new, ignore_errors=True)
    model.to(dtype).save_pretrained(new)
    for name in OF_THIS_RUN:
        trainer.processing_class.init_kwargs.pop(name, None)
    trainer.processing_class.save_pretrained(new)
    if out.exists():
        shutil.rmtree(out)
    new.rename(out)
