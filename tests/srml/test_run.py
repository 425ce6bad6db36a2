"""The train stage: killed and run again, it ends with the very files of an unbroken run."""

import csv
import json
import runpy
from collections import Counter
from pathlib import Path

import pytest
import torch
from reference import token_losses
from rows import eight, row
from train_stage import LOSS, TRAIN, kill_the_stage, train, workspace
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTTrainer

from funreason.config import LossParams, TrainParams
from funreason.core import runtime
from funreason.core.errors import DataError, ModelError
from funreason.core.jsonio import read_details, write_jsonl
from funreason.core.runtime import outcome
from funreason.llm import load_ref
from funreason.prompts import calling_prompt
from funreason.serve.conversation import training_chat
from funreason.serve.template import served_template
from funreason.srml import SRMLConfig, SRMLTrainer, TrainingDataError
from funreason.srml.segments import LabelReport, label_rows
from funreason.srml.template import ChatTemplate
from funreason.train.callbacks import Progress
from funreason.train.checkpoints import last_complete, require_space, run_key
from funreason.train.curves import summary, write_curve
from funreason.train.heldout import labelled_sides, split
from funreason.train.run import train_round
from funreason.train.start import trackers

ROOT = Path(__file__).parents[2]


def main(*arguments: str) -> int:
    """The stage in this process and folder, up to its exit status."""
    return outcome(runpy.run_path(str(ROOT / "stages" / "train.py"))["main"], list(arguments))


@pytest.fixture(scope="module")
def unbroken(tiny_model, tmp_path_factory):
    """What six steps without a break give, from the library in this process."""
    folder = workspace(tmp_path_factory.mktemp("unbroken"), tiny_model)
    train(folder, tiny_model, LOSS, TRAIN)
    return folder


@pytest.mark.parametrize("step", [4, 5])
def test_killed_and_resumed_equals_unbroken(tiny_model, tmp_path, unbroken, monkeypatch, capsys, caplog, step):
    """The second run goes on from the middle of an epoch, or from its end; the half-written save is not used."""
    folder, steps = workspace(tmp_path, tiny_model), []
    kill_the_stage(folder, step)
    assert not (folder / "models/r0").exists()
    (key,) = (folder / ".checkpoints").iterdir()
    assert {path.name for path in key.glob("checkpoint-*")} == {f"checkpoint-{step - 1}", f"checkpoint-{step}"}
    monkeypatch.chdir(folder)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.setattr(Progress, "on_step_end", lambda self, args, state, *_, **__: steps.append(state.global_step))
    assert main("r0") == 0, capsys.readouterr().err
    assert steps == list(range(step, 7))
    assert "missing keys" not in capsys.readouterr().err + caplog.text  # lm_head.weight is tied, and saved once
    for part in ("models/r0", "metrics/r0"):
        files = sorted(path.name for path in (unbroken / part).iterdir())
        assert files == sorted(path.name for path in (folder / part).iterdir())
        for name in files:
            assert (folder / part / name).read_bytes() == (unbroken / part / name).read_bytes(), name
    assert list((folder / ".checkpoints").iterdir()) == []


def test_the_model_folder(tiny_model, unbroken):
    files = {path.name for path in (unbroken / "models/r0").iterdir()}
    assert files == {path.name for path in tiny_model.iterdir()}
    config, start = (json.loads((f / "config.json").read_text()) for f in (unbroken / "models/r0", tiny_model))
    assert config == start
    tokenizer = json.loads((unbroken / "models/r0/tokenizer_config.json").read_text())
    assert not {"is_local", "local_files_only"} & set(tokenizer)  # the second is true where HF_HUB_OFFLINE is set
    for path in (unbroken / "models/r0").glob("*.json*"):
        assert str(unbroken) not in path.read_text() and str(tiny_model) not in path.read_text()
    assert (unbroken / "models/r0/model.safetensors").read_bytes() != (tiny_model / "model.safetensors").read_bytes()


def test_the_model_folder_takes_tools_as_a_server_sends_them(tiny_model, unbroken):
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools = [{"type": "function", "function": {"name": "get-weather", "description": "d", "parameters": parameters}}]
    saved, start = (AutoTokenizer.from_pretrained(folder) for folder in (unbroken / "models/r0", tiny_model))
    assert saved.chat_template == served_template(start) != start.chat_template
    asked = [{"role": "user", "content": "Weather in Ghent?"}]
    ids = saved.apply_chat_template(asked, tools=tools, add_generation_prompt=True, return_dict=False)
    own = ChatTemplate.of(start)  # as the training rows of the start model are rendered
    assert ids == own.controls.encode(own.text(training_chat(asked, tools)))[0]
    assert "get_weather" in saved.decode(ids)


def test_the_metrics(unbroken):
    metrics = read_details(unbroken / "metrics/r0/train.json")
    rows = {
        "given": 9,
        "used": 6,
        "heldout": 2,
        "without_think": 1,
        "with_control_tokens": 0,
        "dropped": {"unclosed_think": 1},
    }
    assert metrics["rows"] == rows
    assert metrics["steps"] == 6
    think, result = metrics["tokens"]["think"], metrics["tokens"]["result"]
    assert metrics["think_token_fraction"] == pytest.approx(think / (think + result), rel=1e-5)
    curve = list(csv.DictReader((unbroken / "metrics/r0/loss.csv").open()))
    assert [int(point["step"]) for point in curve] == [1, 2, 3, 4, 5, 6]
    weights = [float(point["weight"]) for point in curve]
    assert weights[0] == 0.7 and len(set(weights)) == 6 and metrics["weight"] == weights[-1]
    for point in curve:
        total = float(point["weight"]) * float(point["think"]) + (1 - float(point["weight"])) * float(point["result"])
        assert float(point["total"]) == pytest.approx(total, rel=1e-4)
        assert 0 < float(point["grad_fraction"]) < 1
    rates = [float(point["learning_rate"]) for point in curve]
    assert rates[0] < max(rates) > rates[-1] > 0  # warmup, then decay
    assert float(curve[-1]["total"]) < float(curve[0]["total"])
    assert metrics["loss"] == {name: float(curve[-1][name]) for name in ("think", "result", "total")}


def test_the_held_out_losses(unbroken, tiny_model):
    """One line an epoch; the last is what the trained model itself loses on the two rows."""
    metrics = read_details(unbroken / "metrics/r0/train.json")
    lines = list(csv.DictReader((unbroken / "metrics/r0/heldout.csv").open()))
    assert [float(line["epoch"]) for line in lines] == [1, 2, 3]
    assert float(lines[2]["total"]) < float(lines[0]["total"])
    model, tokenizer = (kind.from_pretrained(unbroken / "models/r0") for kind in (AutoModelForCausalLM, AutoTokenizer))
    examples = label_rows([eight()[2], eight()[4]], tokenizer)[0]
    with torch.no_grad():
        for segment, name in enumerate(("think", "result"), 1):
            wanted = torch.cat([token_losses(model, example, segment) for example in examples]).mean().item()
            assert metrics["heldout"][name] == float(lines[2][name]) == pytest.approx(wanted, rel=1e-5)


def test_no_query_is_on_both_sides():
    rows = [row("[f()]", f"query {i % 100}", key=i) for i in range(300)]
    learned, heldout = split(rows, 0.2)
    assert len(learned) + len(heldout) == 300 and 0.1 < len(heldout) / 300 < 0.3
    queries = [{r["prompt"][1]["content"] for r in side} for side in (learned, heldout)]
    assert not queries[0] & queries[1]
    assert split(rows[::-1], 0.2)[1] == heldout[::-1] and split(rows, 0.0)[1] == []


def test_rows_are_held_out_by_tool_where_they_can_be(tmp_path, tiny_model):
    def with_tools(i: int, *names: str) -> dict:
        system = calling_prompt([{"name": name, "description": "", "parameters": {}} for name in names])
        made = row("[f()]", f"query {i}", key=i)
        return made | {"prompt": [{"role": "system", "content": system}, *made["prompt"][1:]]}

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    params = TrainParams(**TRAIN | {"heldout_by": "tool", "max_length": 4000})
    path = tmp_path / "train.jsonl"
    write_jsonl(path, [with_tools(i, f"f{i % 5}") for i in range(10)])
    (learned, heldout), _, sizes = labelled_sides(path, tokenizer, params, tmp_path / "labels")
    assert (len(learned), len(heldout)) == (8, 2)
    assert sizes == {"split": {"tools": 4, "heldout_tools": 1, "set_aside": 0}}
    write_jsonl(path, [with_tools(i, f"f{i}", "shared") for i in range(10)])
    with pytest.raises(TrainingDataError, match="the rows share too many tools to be split by tool: of 10, 0 have no"):
        labelled_sides(path, tokenizer, params, tmp_path / "other")


def test_a_long_curve_is_thinned_to_means(tmp_path):
    """1,000 steps → 200 points of five steps; a step without think is not in think's mean, result is nowhere."""
    log = [{"step": n, "loss": 1.0} | ({"loss_think": n % 5} if n % 5 else {}) for n in range(1000)]
    write_curve(tmp_path / "loss.csv", [*log, {"step": 1000, "train_runtime": 1.0}])
    points = list(csv.DictReader((tmp_path / "loss.csv").open()))
    assert len(points) == 200
    assert points[0].items() >= {"step": "4", "think": "2.5", "result": "", "total": "1.0"}.items()  # 10 / 4
    final = summary(log, LabelReport(used=1, tokens=Counter(think=1, result=1)), LabelReport())
    assert final["loss"] == {"think": 2.5, "total": 1.0} and final["heldout"] is None


def test_the_key_differs_where_the_weights_could(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("a")
    keys = [run_key(rows, "id", {"x": 1}), run_key(rows, "other", {"x": 1}), run_key(rows, "id", {"x": 2})]
    assert run_key(rows, "id", {"x": 1}) == keys[0]
    rows.write_text("b")
    assert len({*keys, run_key(rows, "id", {"x": 1})}) == 4


def test_half_written_checkpoints_are_deleted(tmp_path):
    for step, done in ((5, True), (20, False), (10, True)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if done:
            (tmp_path / f"checkpoint-{step}" / "complete").touch()
    assert last_complete(tmp_path, delete=False) == str(tmp_path / "checkpoint-10")
    assert (tmp_path / "checkpoint-20").exists()  # another process deletes it
    assert last_complete(tmp_path) == str(tmp_path / "checkpoint-10")
    assert not (tmp_path / "checkpoint-20").exists()
    assert last_complete(tmp_path / "none") is None


def test_only_weights_that_are_really_missing_are_named(tiny_model, tmp_path, monkeypatch):
    """A checkpoint has tied weights once; transformers would name the other one as missing."""
    args = SRMLConfig(str(tmp_path), bf16=False, use_cpu=True, report_to=[])
    trainer, named = SRMLTrainer(str(tiny_model), args, train_dataset=eight()), []
    monkeypatch.setattr(SFTTrainer, "_issue_warnings_after_load", lambda self, result: named.append(result))
    weights = trainer.model.state_dict()
    del weights["lm_head.weight"]
    trainer._issue_warnings_after_load(trainer.model.load_state_dict(weights, strict=False))
    del weights["model.norm.weight"]
    trainer._issue_warnings_after_load(trainer.model.load_state_dict(weights, strict=False))
    assert [result.missing_keys for result in named] == [[], ["model.norm.weight"]]


def test_a_full_disk_is_noticed_before_training(tmp_path):
    with pytest.raises(ModelError, match="GB free at .* need 24000000.0 GB"):
        require_space(tmp_path / "new", 24 * 10**15)


def test_too_many_dropped_rows_leave_nothing_behind(tiny_model, tmp_path):
    folder = workspace(tmp_path, tiny_model)
    write_jsonl(folder / "data/r0/train.jsonl", [row("<think>"), row("[f()]")])
    arguments = folder / "data/r0/train.jsonl", load_ref(tiny_model), folder / "models/r0", folder / "metrics/r0"
    with pytest.raises(DataError, match="1 of 2 training rows cannot be used .*the allowed fraction is 0.2"):
        train_round(*arguments, LossParams(**LOSS), TrainParams(**TRAIN), checkpoints=folder / ".checkpoints")
    assert not (folder / "models/r0").exists() and not (folder / "metrics").exists()


def test_an_unknown_round_is_one_line(tiny_model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(workspace(tmp_path, tiny_model))
    assert main("r7") == 1
    assert capsys.readouterr().err == "error: params.yaml has no round 'r7'; its rounds are r0, r1\n"


def test_the_losses_of_single_tokens_before_and_after(tiny_model, tmp_path):
    folder = workspace(tmp_path, tiny_model)
    train(folder, tiny_model, LOSS, TRAIN, tokens=folder / "tokens.json")
    rows = json.loads((folder / "tokens.json").read_text())["rows"]
    assert 1 <= len(rows) <= 12
    for row_ in rows:
        texts, segments, weights, before, after = zip(*row_["tokens"], strict=True)
        assert abs(sum(weights) - 1) < 0.01 and all(value >= 0 for value in (*before, *after))
        if "think" in segments:  # a row may have no reasoning
            think = sum(weight for weight, segment in zip(weights, segments, strict=True) if segment == "think")
            assert think == pytest.approx(LOSS["lambda"], abs=0.01) and "".join(texts).startswith("<think>")
    assert any(token[1] == "think" for row_ in rows for token in row_["tokens"])
    means = [sum(token[at] for row_ in rows for token in row_["tokens"]) for at in (3, 4)]
    assert means[1] < means[0]


def test_a_tracker_without_its_package_is_one_line():
    assert trackers("none") == []
    with pytest.raises(ModelError, match="train.report_to is trackio, but the package trackio is not installed; "):
        trackers("trackio")


def test_without_a_terminal_there_is_a_line_per_minute(tiny_model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(runtime, "LINE_S", 0.0)
    train(workspace(tmp_path, tiny_model), tiny_model, LOSS, TRAIN)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("train: step")]
    assert len(lines) >= 5 and "loss_think" in lines[0] and lines[0].endswith("min left") and "step 1 of 6" in lines[0]
