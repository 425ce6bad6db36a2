"""However an optimizer step is cut into micro-batches, its gradient is that of the formula."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from reference import gradients
from rows import eight, row
from steps import COMMON, largest_error, one_step, relative_error, trl_step
from transformers import AutoModelForCausalLM, AutoTokenizer, masking_utils

from funreason.srml import SRMLConfig, SRMLTrainer, TrainingDataError
from funreason.srml.isolation import sees_sample_before
from funreason.srml.segments import label_rows
from funreason.train.sharding import fsdp_environment

ROOT = Path(__file__).parents[2]
WEIGHT = {"think_weight": 0.7}


@pytest.fixture(scope="module")
def examples(tiny_model):
    return label_rows(eight(), AutoTokenizer.from_pretrained(tiny_model))[0]


@pytest.fixture(scope="module")
def expected(tiny_model, examples):
    return {by: gradients(tiny_model, list(examples), 0.7, by) for by in ("batch", "sample")}


def check(found, wanted):
    assert found[0] == pytest.approx(wanted[0], rel=1e-6)
    assert largest_error(found[1], wanted[1]) < 1e-6
    assert relative_error(found[1], wanted[1]) < 1.5e-6


@pytest.mark.parametrize("reduction", ["batch", "sample"])
@pytest.mark.parametrize(
    "batch, accumulate, options",
    [
        (8, 1, {"head": "fused"}),
        (1, 8, {}),  # linear, on a CPU
        (3, 3, {"compact_head": False}),  # 3, 3 and 2 rows
        (2, 4, {"train_sampling_strategy": "batch_rebalance", "head": "fused"}),
        (8, 1, {"padding_free": True, "compact_head": False}),
        (2, 4, {"padding_free": True, "gradient_checkpointing": True, "head": "fused"}),
        (1, 3, {"packing": True, "max_length": 250}),
        (3, 3, {"head": "linear", "gradient_checkpointing": True}),
    ],
    ids=str,
)
def test_gradients_are_those_of_the_formula(
    tiny_model, tmp_path, examples, expected, batch, accumulate, options, reduction
):
    options = {**options, "segment_reduction": reduction, **WEIGHT}
    check(one_step(tiny_model, tmp_path, examples, batch, accumulate, **options), expected[reduction])


def test_packing_packs(tiny_model, tmp_path, examples):
    def packed(length):
        args = SRMLConfig(str(tmp_path), **COMMON, packing=True, max_length=length)
        return SRMLTrainer(str(tiny_model), args, train_dataset=examples).train_dataset["seq_lengths"]

    found = packed(250)
    assert len(found) == 3 and sum(map(len, found)) == 8 and sum(map(sum, found)) == sum(map(len, examples["labels"]))
    with pytest.raises(TrainingDataError, match=r"a row of \d+ tokens does not fit into `max_length` 50 for packing"):
        packed(50)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_samples_in_one_row_do_not_see_each_other(tiny_model, tmp_path, examples, attention, monkeypatch):
    """Transformers derives a mask from the positions; where it does not, training is refused."""
    model = AutoModelForCausalLM.from_pretrained(tiny_model, attn_implementation=attention)
    assert not sees_sample_before(model)
    monkeypatch.setattr(masking_utils, "find_packed_sequence_indices", lambda position_ids: None)
    assert sees_sample_before(model)
    args = SRMLConfig(str(tmp_path), **COMMON, packing=True, max_length=250)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    with pytest.raises(ValueError, match=f"attention '{attention}' lets a sample see the one before it in a packed"):
        SRMLTrainer(model, args, train_dataset=examples, processing_class=tokenizer)


def adapted(model):
    """LoRA on every linear layer, with adapters that are not zero: those of a start would hide half the gradient."""
    model = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=True))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in filter(lambda p: p.requires_grad, model.parameters()):
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model


def test_lora(tiny_model, tmp_path, examples):
    wanted = gradients(tiny_model, list(examples), 0.7, adapt=adapted)
    check(one_step(tiny_model, tmp_path, examples, 3, 3, adapt=adapted, **WEIGHT), wanted)


@pytest.mark.parametrize("kind", ["MULTI_CPU", "FSDP"])
def test_two_processes(tiny_model, tmp_path, examples, expected, kind):
    """8 rows on two gloo ranks, one with three micro-batches of think tokens more than the other."""
    examples.save_to_disk(tmp_path / "rows")
    script = Path(__file__).with_name("two_ranks.py")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", script]
    settings = fsdp_environment(ROOT / "configs/accelerate/fsdp2.yaml") if kind == "FSDP" else {}
    done = subprocess.run(
        [*map(str, command), str(tiny_model), str(tmp_path)], capture_output=True, text=True,
        env=os.environ | settings | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    for by in ("batch", "sample"):
        first, second = (torch.load(tmp_path / f"{by}-{rank}.pt") for rank in (0, 1))
        assert first["kind"] == kind
        check(first["step"], expected[by])
        assert first["eval"] == second["eval"] == pytest.approx(first["eval_alone"], rel=1e-6)
    assert first["alpha"] == second["alpha"] != 0.7
    if kind == "FSDP":  # summed in bfloat16, the error is 1.2e-2
        assert relative_error(torch.load(tmp_path / "bf16-0.pt"), expected["batch"][1]) < 7e-3


def test_losses_are_logged_apart(tiny_model, tmp_path, examples, expected):
    _, _, log = one_step(tiny_model, tmp_path, examples, 1, 8, **WEIGHT)
    assert 0.7 * log["loss_think"] + 0.3 * log["loss_result"] == pytest.approx(expected["batch"][0], rel=1e-6)
    tokens = sum(len(e["input_ids"]) - e["segment_ids"].count(0) for e in examples)
    assert log["think_tokens"] + log["result_tokens"] == tokens
    assert (log["weight_think"], log["weight_result"]) == (0.7, pytest.approx(0.3))
    assert log["tokens_per_second"] > 0


def test_gradient_shares_depend_on_neither_batches_nor_head(tiny_model, tmp_path, examples):
    cases = [(8, 1, {}), (3, 3, {"head": "fused"}), (1, 8, {"compact_head": False}), (8, 1, {"padding_free": True})]
    shares = []
    for batch, accumulate, options in cases:
        log = one_step(tiny_model, tmp_path, examples, batch, accumulate, **WEIGHT, **options)[2]
        shares.append([log["grad_fraction_think"], log["grad_fraction_result"]])
    assert all(share == pytest.approx(shares[0], rel=1e-5) for share in shares)
    assert sum(shares[0]) == pytest.approx(1) and min(shares[0]) > 0.05


def test_a_segment_of_weight_zero_has_no_gradient(tiny_model, tmp_path, examples):
    weights = {"think": 0.0, "result": 1.0}
    log = one_step(tiny_model, tmp_path, examples, 8, 1, segment_weights=weights)[2]
    assert log["grad_fraction_think"] == 0 and log["loss"] == pytest.approx(log["loss_result"], rel=1e-6)


def test_a_step_without_think_has_only_the_result_term(tiny_model, tmp_path):
    rows = [row("[f(a=1)]"), row("[g()]")]
    loss, _, log = one_step(tiny_model, tmp_path, rows, 1, 2, **WEIGHT)
    assert "loss_think" not in log
    assert loss == pytest.approx(0.3 * log["loss_result"], rel=1e-6)


@pytest.mark.parametrize("loss, batch, accumulate", [("msl", 8, 1), ("msl", 1, 8), ("msl", 3, 3), ("sft", 3, 3)])
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
    assert found[2]["weight_think"] == pytest.approx(think / (think + result))


@pytest.mark.parametrize("options", [{}, {"segment_reduction": "sample"}, {"segment_loss": "sft"}], ids=str)
def test_evaluation_does_not_depend_on_the_batches(tiny_model, tmp_path, examples, expected, options):
    losses = []
    for batch in (1, 3):
        args = SRMLConfig(str(tmp_path), **COMMON, per_device_eval_batch_size=batch, **WEIGHT, **options)
        model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
        trainer = SRMLTrainer(model, args, train_dataset=examples, processing_class=tokenizer)
        found = trainer.evaluate(eight())
        losses.append(found["eval_loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    if "segment_loss" not in options:
        assert losses[0] == pytest.approx(expected[options.get("segment_reduction", "batch")][0], rel=1e-6)
    else:
        sums = [found[f"eval_loss_{k}"] * found[f"eval_{k}_tokens"] for k in ("think", "result")]
        tokens = found["eval_think_tokens"] + found["eval_result_tokens"]
        assert losses[0] == pytest.approx(sum(sums) / tokens, rel=1e-6)


def test_every_data_set_of_an_evaluation_is_exact(tiny_model, tmp_path, examples):
    """By name in a dict while training, and under a prefix of one's own; Trainer averages the means of its batches."""
    sets = {"short": examples.select([6, 0, 5]), "long": examples.select([7, 1, 2, 3, 4])}
    args = SRMLConfig(
        str(tmp_path), **COMMON, **WEIGHT, per_device_eval_batch_size=2, eval_strategy="steps", eval_steps=1,
        learning_rate=1e-9,
    )  # fmt: skip
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
    trainer = SRMLTrainer(model, args, train_dataset=examples, eval_dataset=sets, processing_class=tokenizer)
    trainer.train()
    logged = {key: value for entry in trainer.state.log_history for key, value in entry.items()}
    returned = trainer.evaluate() | trainer.evaluate(sets["short"], metric_key_prefix="mine")
    predicted = trainer.predict(eight()[:5], metric_key_prefix="test").metrics
    exact = {name: gradients(tiny_model, list(rows), 0.7)[0] for name, rows in sets.items()}
    for found in (logged, returned):
        assert {name: found[f"eval_{name}_loss"] for name in sets} == pytest.approx(exact, rel=1e-6)
    assert returned["mine_loss"] == pytest.approx(exact["short"], rel=1e-6)
    assert predicted["test_loss"] == pytest.approx(gradients(tiny_model, list(examples)[:5], 0.7)[0], rel=1e-6)
    for name in sets:
        parts = [0.7 * returned[f"eval_{name}_loss_think"], 0.3 * returned[f"eval_{name}_loss_result"]]
        assert sum(parts) == pytest.approx(exact[name], rel=1e-6)
    assert not {"eval_loss", "eval_loss_think"} & {*logged, *returned}  # of no set in particular


def test_packed_rows_are_not_evaluated(tiny_model, tmp_path, examples):
    args = SRMLConfig(str(tmp_path), **COMMON, packing=True, max_length=250)
    trainer = SRMLTrainer(str(tiny_model), args, train_dataset=examples)
    with pytest.raises(ValueError, match="packed rows are not evaluated: give the rows as they were before packing"):
        trainer.evaluate(trainer.train_dataset)
