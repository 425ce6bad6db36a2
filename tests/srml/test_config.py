"""Options that SRMLTrainer refuses, each with the value seen and the values allowed."""

import pytest
from rows import eight, row
from transformers import AutoModelForCausalLM, AutoTokenizer

from funreason.errors import DataError
from funreason.srml import SRMLConfig, SRMLTrainer

CPU = {"bf16": False, "use_cpu": True, "report_to": []}


@pytest.mark.parametrize(
    "options, message",
    [
        ({"think_weight": 1.0}, r"`think_weight` is 1.0, allowed is between 0 and 1"),
        ({"think_weight": 0.0}, r"`think_weight` is 0.0, allowed is between 0 and 1"),
        ({"segment_loss": "ssb"}, "`segment_loss` is 'ssb', allowed are msl, sft"),
        ({"max_dropped_share": 1.5}, "`max_dropped_share` is 1.5"),
        ({"loss_type": "dft"}, "`loss_type` is 'dft': SRMLTrainer allows only 'nll'"),
        ({"packing": True}, "`packing` is True: SRMLTrainer allows only False"),
    ],
)
def test_refused_options(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        SRMLConfig(str(tmp_path), **CPU, **options)


def test_every_field_has_a_help_text():
    fields = SRMLConfig.__dataclass_fields__
    ours = [fields[n] for n in ("segment_loss", "think_weight", "max_dropped_share", "compact_head")]
    assert all(field.metadata["help"] for field in ours)


def test_a_collator_of_the_users_is_refused(tiny_model, tmp_path):
    with pytest.raises(ValueError, match="data_collator"):
        SRMLTrainer(str(tiny_model), SRMLConfig(str(tmp_path), **CPU), train_dataset=[], data_collator=print)


def test_standalone_from_a_folder_name(tiny_model, tmp_path):
    """As in anyone's script: a name, rows with and without faults, no tokenizer given."""
    args = SRMLConfig(str(tmp_path), **CPU, max_length=500, max_dropped_share=0.2)
    trainer = SRMLTrainer(str(tiny_model), args, train_dataset=[*eight(), row("<think>")])
    assert trainer.label_reports["train"].dropped == {"unclosed_think": 1}
    assert args.max_length == 500
    assert set(trainer.train_dataset.column_names) == {"input_ids", "labels", "segment_ids"}


def test_too_many_dropped_rows(tiny_model, tmp_path):
    args = SRMLConfig(str(tmp_path), **CPU, max_dropped_share=0.1)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
    with pytest.raises(DataError, match="1 of 9 training rows cannot be used"):
        SRMLTrainer(model, args, train_dataset=[*eight(), row("<think>")], processing_class=tokenizer)
