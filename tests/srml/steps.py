"""One optimizer step of a real trainer, and the gradients it was about to take."""

import torch
from torch.distributed.tensor import DTensor
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from funreason.srml import SRMLConfig, SRMLTrainer

COMMON = {
    "bf16": False, "use_cpu": True, "gradient_checkpointing": False, "max_grad_norm": 0, "max_steps": 1,
    "logging_steps": 1, "save_strategy": "no", "report_to": [], "disable_tqdm": True,
}  # fmt: skip


class Gradients(TrainerCallback):
    """Takes the gradients of the first optimizer step, before clipping could change them."""

    def on_pre_optimizer_step(self, args, state, control, model=None, **kwargs):
        if state.global_step == 0:
            found = {name: p.grad for name, p in model.named_parameters() if p.requires_grad}
            whole = {n: g.full_tensor() if isinstance(g, DTensor) else g.detach().clone() for n, g in found.items()}
            self.found = {name.removeprefix("module."): gradient for name, gradient in whole.items()}


def one_step(folder, out, rows, batch, accumulate, adapt=None, **options):
    """(loss, gradients, the log entry) of one optimizer step of SRMLTrainer."""
    args = SRMLConfig(
        str(out), **COMMON | options,
        per_device_train_batch_size=batch, gradient_accumulation_steps=accumulate,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_pretrained(folder)
    model = adapt(model) if adapt else model
    taken, tokenizer = Gradients(), AutoTokenizer.from_pretrained(folder)
    trainer = SRMLTrainer(model, args, train_dataset=rows, processing_class=tokenizer, callbacks=[taken])
    trainer.train()
    log = trainer.state.log_history[0]
    return log["loss"], taken.found, log


def trl_step(folder, out, examples, batch, accumulate):
    """(loss, gradients) of one optimizer step of TRL's own trainer on labelled examples."""
    args = SFTConfig(
        str(out), **COMMON, max_length=None, dataset_kwargs={"skip_prepare_dataset": True},
        per_device_train_batch_size=batch, gradient_accumulation_steps=accumulate,
    )  # fmt: skip
    model, taken = AutoModelForCausalLM.from_pretrained(folder), Gradients()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    trainer = SFTTrainer(
        model, args, train_dataset=examples, processing_class=tokenizer, callbacks=[taken],
        data_collator=DataCollatorForLanguageModeling(tokenizer.pad_token_id),
    )  # fmt: skip
    trainer.train()
    return trainer.state.log_history[0]["loss"], taken.found


def relative_error(found: dict, wanted: dict) -> float:
    """‖found − wanted‖ / ‖wanted‖ over all parameters."""
    assert found.keys() == wanted.keys()
    norm = torch.cat([g.flatten().double() for g in wanted.values()]).norm()
    return (torch.cat([(found[n].double() - wanted[n]).flatten() for n in wanted]).norm() / norm).item()


def largest_error(found: dict, wanted: dict) -> float:
    """max |found − wanted| over all parameters."""
    return max((found[n].double() - wanted[n]).abs().max().item() for n in wanted)
