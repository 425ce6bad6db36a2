"""Options that SRMLTrainer refuses, each with the value seen and the values allowed."""

import pytest
from accelerate.parallelism_config import ParallelismConfig
from datasets import Dataset
from rows import eight, row
from transformers import AutoModelForCausalLM, AutoTokenizer, HfArgumentParser
from trl import SFTConfig

from funreason.srml import SRMLConfig, SRMLTrainer, TrainingDataError, UnusableRow
from funreason.srml.parallel import check_processes

CPU = {"bf16": False, "use_cpu": True, "report_to": []}


@pytest.mark.parametrize(
    "options, message",
    [
        ({"think_weight": 1.0}, r"`think_weight` is 1.0, allowed is between 0 and 1"),
        ({"think_weight": 0.0}, r"`think_weight` is 0.0, allowed is between 0 and 1"),
        ({"segment_loss": "dft"}, "`segment_loss` is 'dft', allowed are msl, ssb, sft"),
        ({"segment_reduction": "sum"}, "`segment_reduction` is 'sum', allowed are batch, sample"),
        ({"head": "liger"}, "`head` is 'liger', allowed are auto, fused, linear"),
        ({"head": "linear", "compact_head": False}, "`head` is 'linear', which scores labelled positions only"),
        (
            {"segment_loss": "ssb", "think_weight": 0.05},
            "ssb: the weight starts at 0.05, allowed are 0.1 .min. to 0.95",
        ),
        ({"segment_weights": {"a": 0.5, "b": 0.6}}, "wanted are weights from 0, summing to 1"),
        ({"segment_weights": {"a": 1.0}, "segment_loss": "ssb"}, "`segment_weights` are fixed"),
        ({"max_dropped_fraction": 1.5}, "`max_dropped_fraction` is 1.5"),
        ({"loss_type": "dft"}, "`loss_type` is 'dft': SRMLTrainer allows only 'nll'"),
        ({"packing": True, "packing_strategy": "wrapped"}, "`packing_strategy` is 'wrapped': SRMLTrainer allows only"),
        ({"packing": True, "max_length": None}, "`packing` needs `max_length`"),
    ],
)
def test_refused_options(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        SRMLConfig(str(tmp_path), **CPU, **options)


def test_bf16_without_an_accelerator(tmp_path, monkeypatch, caplog):
    """Unset, as on a GPU, it is float32 with one line that says so; asked for, it is refused in one line."""
    for name in ("is_torch_bf16_gpu_available", "is_torch_xla_available"):
        monkeypatch.setattr(f"funreason.srml.config.{name}", lambda: False)
    assert SRMLConfig(str(tmp_path), use_cpu=True).bf16 is False
    # transformers adds a line of its own where an engine of an earlier test has left a process group
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("funreason")]
    assert ours == ["no accelerator here computes in bfloat16: training in float32 (bf16=False)"]
    with pytest.raises(ValueError, match="^`bf16` is True and no accelerator here computes in bfloat16; leave it out"):
        SRMLConfig(str(tmp_path), bf16=True)
    assert SRMLConfig(str(tmp_path), bf16=True, use_cpu=True).bf16 is True


def test_bf16_is_the_default_where_an_accelerator_has_it(tmp_path, monkeypatch):
    monkeypatch.setattr("funreason.srml.config.is_torch_bf16_gpu_available", lambda: True)
    assert SRMLConfig(str(tmp_path), use_cpu=True).bf16 is True


def test_every_field_has_a_help_text():
    own = SRMLConfig.__dataclass_fields__.keys() - SFTConfig.__dataclass_fields__.keys()
    assert len(own) == 13 and all(SRMLConfig.__dataclass_fields__[name].metadata["help"] for name in own)


def test_a_collator_of_the_users_is_refused(tiny_model, tmp_path):
    with pytest.raises(ValueError, match="data_collator"):
        SRMLTrainer(str(tiny_model), SRMLConfig(str(tmp_path), **CPU), train_dataset=[], data_collator=print)


def test_standalone_from_a_folder_name(tiny_model, tmp_path):
    """As in anyone's script: a name, rows with and without faults, no tokenizer given."""
    args = SRMLConfig(str(tmp_path), **CPU, max_length=500, max_dropped_fraction=0.2)
    trainer = SRMLTrainer(str(tiny_model), args, train_dataset=[*eight(), row("<think>")])
    assert trainer.label_reports["train"].dropped == {"unclosed_think": 1}
    assert args.max_length == 500
    assert set(trainer.train_dataset.column_names) == {"input_ids", "labels", "segment_ids"}


def test_too_many_dropped_rows(tiny_model, tmp_path):
    args = SRMLConfig(str(tmp_path), **CPU, max_dropped_fraction=0.1)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
    with pytest.raises(TrainingDataError, match="1 of 9 training rows cannot be used"):
        SRMLTrainer(model, args, train_dataset=[*eight(), row("<think>")], processing_class=tokenizer)


def test_weights_from_a_command_line(tmp_path):
    words = ["--output_dir", str(tmp_path), "--segment_weights", '{"plan": 0.25, "call": 0.75}', "--use_cpu", "true"]
    (args,) = HfArgumentParser(SRMLConfig).parse_args_into_dataclasses([*words, "--bf16", "false"])
    assert args.segment_names == ("plan", "call") and args.segment_weights == {"plan": 0.25, "call": 0.75}


def plan_call_answer(completion: str) -> list[tuple[str, int]]:
    """A cut as users write it: `plan | call | answer`."""
    bars = [i for i, character in enumerate(completion) if character == "|"]
    if len(bars) != 2:
        raise UnusableRow("not_two_bars")
    return [("plan", 0), ("call", bars[0] + 1), ("answer", bars[1] + 1)]


def test_segments_of_ones_own(tiny_model, tmp_path):
    """The loss is the weighted sum of three means, and every segment is logged by its name."""
    weights = {"plan": 0.2, "call": 0.5, "answer": 0.3}
    rows = [row("look it up|[f(a=1)]|It is one."), row("two calls|[f(a=2), g()]|Two."), row("no bars")]
    args = SRMLConfig(
        str(tmp_path), **CPU, segment_weights=weights, max_dropped_fraction=0.4, max_steps=1, logging_steps=1,
        save_strategy="no", gradient_checkpointing=False,
    )  # fmt: skip
    trainer = SRMLTrainer(str(tiny_model), args, train_dataset=rows, cut=plan_call_answer)
    trainer.train()
    log = trainer.state.log_history[0]
    assert trainer.label_reports["train"].dropped == {"not_two_bars": 1}
    assert log["loss"] == pytest.approx(sum(w * log[f"loss_{name}"] for name, w in weights.items()), rel=1e-5)
    assert log["call_tokens"] > log["answer_tokens"] > 0


def test_a_cut_that_does_not_tile_is_an_error(tiny_model, tmp_path):
    args = SRMLConfig(str(tmp_path), **CPU, segment_weights={"plan": 0.5, "call": 0.5})
    with pytest.raises(ValueError, match=r"the cut of a completion of 5 characters is \[\('call', 1\)\]; wanted"):
        SRMLTrainer(str(tiny_model), args, train_dataset=[row("[f()]")], cut=lambda text: [("call", 1)])


def test_fewer_processes_than_expected(tiny_model, tmp_path):
    args = SRMLConfig(str(tmp_path), **CPU, expected_world_size=2)
    with pytest.raises(ValueError, match="1 processes take part, expected are 2: .* on a CPU use torchrun"):
        SRMLTrainer(str(tiny_model), args, train_dataset=eight())


def test_sharded_sequences_are_refused(tiny_model, tmp_path):
    trainer = SRMLTrainer(str(tiny_model), SRMLConfig(str(tmp_path), **CPU), train_dataset=eight())
    trainer.accelerator.state.parallelism_config = ParallelismConfig(cp_size=2)
    with pytest.raises(ValueError, match="context, sequence and tensor parallelism do not shard"):
        check_processes(trainer.accelerator, None)


def test_a_segment_without_a_name(tiny_model, tmp_path):
    rows = Dataset.from_list([{"input_ids": [1, 2, 3], "labels": [1, 2, 3], "segment_ids": [1, 2, 3]}])
    with pytest.raises(TrainingDataError, match=r"the rows have a segment 3, known are 2 \(think, result\)"):
        SRMLTrainer(str(tiny_model), SRMLConfig(str(tmp_path), **CPU), train_dataset=rows)
    args = SRMLConfig(str(tmp_path), **CPU, segment_weights={"plan": 0.2, "call": 0.5, "answer": 0.3})
    assert len(SRMLTrainer(str(tiny_model), args, train_dataset=rows).train_dataset) == 1
