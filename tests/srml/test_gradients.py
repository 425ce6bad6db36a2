"""However an optimizer step is cut into micro-batches, its gradient is that of the formula."""

import pytest
import torch
from reference import gradients
from rows import eight, row
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from funreason.srml import SRMLConfig, SRMLTrainer
from funreason.srml.segments import label_rows


class Gradients(TrainerCallback):
    """Takes the gradients of the first optimizer step, before clipping could change them."""

    def on_pre_optimizer_step(self, args, state, control, model=None, **kwargs):
        if state.global_step == 0:
            self.found = {name: p.grad.detach().clone() for name, p in model.named_parameters()}


COMMON = {
    "bf16": False, "use_cpu": True, "gradient_checkpointing": False, "max_grad_norm": 0, "max_steps": 1,
    "logging_steps": 1, "save_strategy": "no", "report_to": [], "disable_tqdm": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def examples(tiny_model):
    return label_rows(eight(), AutoTokenizer.from_pretrained(tiny_model))[0]


@pytest.fixture(scope="module")
def expected(tiny_model, examples):
    return gradients(tiny_model, list(examples), 0.7)


def one_step(tiny_model, tmp_path, rows, batch, accumulate, **options):
    """(loss, gradients, the log entry) of one optimizer step of SRMLTrainer."""
    args = SRMLConfig(
        str(tmp_path), **COMMON | options,
        per_device_train_batch_size=batch, gradient_accumulation_steps=accumulate,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    taken = Gradients()
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    trainer = SRMLTrainer(model, args, train_dataset=rows, processing_class=tokenizer, callbacks=[taken])
    trainer.train()
    return trainer.state.log_history[0]["loss"], taken.found, trainer.state.log_history[0]


def relative_error(found: dict, wanted: dict) -> float:
    norm = torch.cat([g.flatten().double() for g in wanted.values()]).norm()
    return (torch.cat([(found[n].double() - wanted[n]).flatten() for n in wanted]).norm() / norm).item()


@pytest.mark.parametrize("compact_head", [True, False])
@pytest.mark.parametrize(
    "batch, accumulate, options",
    [
        (8, 1, {}),
        (1, 8, {}),
        (3, 3, {}),  # 3, 3 and 2 rows
        (2, 4, {"train_sampling_strategy": "batch_rebalance"}),
        (8, 1, {"padding_free": True}),
        (2, 4, {"padding_free": True, "gradient_checkpointing": True}),
    ],
)
def test_gradients_are_those_of_the_formula(
    tiny_model, tmp_path, examples, expected, batch, accumulate, options, compact_head
):
    options = {**options, "compact_head": compact_head, "think_weight": 0.7}
    loss, found, _ = one_step(tiny_model, tmp_path, examples, batch, accumulate, **options)
    assert loss == pytest.approx(expected[0], rel=1e-6)
    assert relative_error(found, expected[1]) < 1.2e-6


def test_losses_are_logged_apart(tiny_model, tmp_path, examples, expected):
    _, _, log = one_step(tiny_model, tmp_path, examples, 1, 8, think_weight=0.7)
    assert 0.7 * log["loss_think"] + 0.3 * log["loss_result"] == pytest.approx(expected[0], rel=1e-6)
    tokens = sum(len(e["input_ids"]) - e["segment_ids"].count(0) for e in examples)
    assert log["think_tokens"] + log["result_tokens"] == tokens


def test_a_step_without_think_has_only_the_result_term(tiny_model, tmp_path):
    rows = [row("[f(a=1)]"), row("[g()]")]
    loss, _, log = one_step(tiny_model, tmp_path, rows, 1, 2, think_weight=0.7)
    assert "loss_think" not in log
    assert loss == pytest.approx(0.3 * log["loss_result"], rel=1e-6)


@pytest.mark.parametrize("batch, accumulate", [(8, 1), (1, 8), (3, 3)])
@pytest.mark.parametrize("loss", ["msl", "sft"])
def test_at_the_token_share_it_is_trl_bit_for_bit(tiny_model, tmp_path, examples, loss, batch, accumulate):
    think = sum(e["segment_ids"].count(1) for e in examples)
    result = sum(e["segment_ids"].count(2) for e in examples)
    found = one_step(
        tiny_model, tmp_path / "ours", examples, batch, accumulate,
        segment_loss=loss, think_weight=think / (think + result), compact_head=False,
    )  # fmt: skip
    wanted = trl_step(tiny_model, tmp_path / "trl", examples, batch, accumulate)
    assert found[0] == wanted[0]
    assert all(torch.equal(found[1][name], grad) for name, grad in wanted[1].items())


def trl_step(tiny_model, tmp_path, examples, batch, accumulate):
    args = SFTConfig(
        str(tmp_path), **COMMON, max_length=None, dataset_kwargs={"skip_prepare_dataset": True},
        per_device_train_batch_size=batch, gradient_accumulation_steps=accumulate,
    )  # fmt: skip
    model, taken = AutoModelForCausalLM.from_pretrained(tiny_model), Gradients()
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    trainer = SFTTrainer(
        model, args, train_dataset=examples, processing_class=tokenizer, callbacks=[taken],
        data_collator=DataCollatorForLanguageModeling(tokenizer.pad_token_id),
    )  # fmt: skip
    trainer.train()
    return trainer.state.log_history[0]["loss"], taken.found


def test_evaluation_does_not_depend_on_the_batches(tiny_model, tmp_path, examples, expected):
    losses = []
    for batch in (1, 3):
        args = SRMLConfig(str(tmp_path), **COMMON, per_device_eval_batch_size=batch, think_weight=0.7)
        model = AutoModelForCausalLM.from_pretrained(tiny_model)
        tokenizer = AutoTokenizer.from_pretrained(tiny_model)
        trainer = SRMLTrainer(model, args, train_dataset=examples, processing_class=tokenizer)
        losses.append(trainer.evaluate(eight())["eval_loss"])
    assert losses == pytest.approx([expected[0]] * 2, rel=1e-6)
