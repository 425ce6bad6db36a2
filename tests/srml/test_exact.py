"""Exact calls while training: what is answered, how, and what is kept."""

import csv
import json
from pathlib import Path

import pytest
import torch
from reference import token_losses
from rows import row
from safetensors.torch import load_file
from steps import COMMON
from test_scale import LORA, stage
from tiny import tiny_tokenizer
from train_stage import LOSS, ROOT, TRAIN, kill_the_stage, train, workspace
from transformers import AutoModelForCausalLM, AutoTokenizer

from funreason.calls import render, to_bfcl
from funreason.config import LoraParams, TrainParams
from funreason.core.errors import ParamsError
from funreason.core.jsonio import read_details, write_jsonl
from funreason.prompts import calling_prompt
from funreason.srml import SRMLConfig, SRMLTrainer, TrainingDataError
from funreason.srml.segments import label_rows
from funreason.toy.world import pool_row_pairs
from funreason.train.adapters import lora_config
from funreason.train.answering import _answers
from funreason.train.exact import choose, is_right
from funreason.train.heldout import labelled_sides, split
from funreason.train.keep import best_step
from funreason.train.launch import command

TOY = ROOT / "toy/models/toy-base"
OWN = "<think>Two.</think>\n\n[get_weather(city='Ghent', days=3), get_time(zone='CET')]"


def questions(rows: list[dict], count: int = 8, tokenizer=None, **options):
    tokenizer = tokenizer or tiny_tokenizer()
    return choose(label_rows(rows, tokenizer)[0], tokenizer, TrainParams(**TRAIN | {"eval_rows": count} | options))


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (OWN, True),
        ("[get_time(zone='CET'), get_weather(days=3, city='Ghent')]", True),  # neither order counts
        ("<think>a</think><think>b</think>[get_weather(city='Ghent', days=3), get_time(zone='CET')]", True),
        ("[get_weather(city='Ghent', days=3)]", False),
        ("[get_weather(city='Ghent', days=3), get_time(zone='CET'), get_time(zone='CET')]", False),
        ("[get_weather(city='Ghent', days='3'), get_time(zone='CET')]", False),
        ("<think>[get_weather(city='Ghent', days=3), get_time(zone='CET')]", False),
        ("I would call get_weather.", False),
        ("", False),
    ],
)
def test_a_call_is_right_if_it_is_exactly_the_rows_own(answer, right):
    (question,) = questions([row(OWN)])
    assert is_right(question, answer, ended=True) is right
    assert not is_right(question, answer, ended=False)


@pytest.mark.parametrize("own", ["[]", "<think>None fits.</think>\n\n[]", "None of the tools can do this."])
@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("[]", True),
        ("<think>a</think>\n\nNo tool fits.", True),
        ("[f(a=1)]", False),
        ("[f(", False),
        ("<think>No", False),
    ],
)
def test_where_no_call_is_right_a_refusal_that_can_be_read_is(own, answer, right):
    (question,) = questions([row(own)])
    assert question.calls is None and is_right(question, answer, ended=True) is right
    assert not is_right(question, answer, ended=False)


def test_reasoning_that_the_prompt_has_opened_has_to_end():
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = str(tokenizer.chat_template).replace("assistant\n{%", "assistant\n<think>\n{%")
    (question,) = questions([row("<think>\na\n</think>\n\n[f()]")], tokenizer=tokenizer)
    assert question.opened and question.calls == ['{"arguments": {}, "name": "f"}']
    assert is_right(question, "b\n</think>\n\n[f()]", ended=True) and not is_right(question, "[f()]", ended=True)
    (question,) = questions([row("<think>\na\n</think>\n\nNo tool fits.")], tokenizer=tokenizer)
    assert not is_right(question, "I think that no tool fits", ended=True)


def test_the_same_prompts_are_chosen_whatever_else_is_there():
    rows = [row(f"[f(a={i})]", f"query {i}", key=i) for i in range(12)]
    chosen = [question.prompt for question in questions(rows, 5)]
    again = [question.prompt for question in questions([*rows[6:], *rows[:6], *rows], 5)]
    assert len(chosen) == 5 and again == chosen
    assert len(questions(rows, 99)) == 12
    unreadable = [row("[f(", f"unreadable {i}") for i in range(20)]
    assert [question.prompt for question in questions([*unreadable, *rows], 5)] == chosen


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "no row is held out"),
        ([row("[f(")], "none of the 1 rows held out has"),
        ([row("[]")], "needs a call"),
    ],
)
def test_nothing_to_answer(rows, problem, capsys):
    """An error where a choice depends on it; else a line, since a round of few rows should not end a chain."""
    with pytest.raises(TrainingDataError, match=rf"{problem}.*, and train.keep best .*set train.keep to last$"):
        questions(rows, keep="best")
    assert capsys.readouterr().err == ""
    if problem == "needs a call":
        assert len(questions(rows)) == 1
    else:
        assert questions(rows) == []
        said = capsys.readouterr().err
        assert said.startswith(f"train: {problem}") and said.endswith(
            ": train.eval_rows 8 has nothing to measure here\n"
        )


def test_the_parameters_need_each_other():
    with pytest.raises(ValueError, match="eval_rows is 8 and heldout_fraction 0, .* raise heldout_fraction, or set"):
        TrainParams(**TRAIN | {"eval_rows": 8, "heldout_fraction": 0.0})
    with pytest.raises(
        ValueError, match="keep best compares exact calls, and eval_rows is 0; raise it, or set keep to"
    ):
        TrainParams(**TRAIN | {"keep": "best"})


def test_equal_calls_are_decided_by_the_loss_of_the_result_then_by_the_order():
    def log(*epochs: tuple[float, float]) -> list[dict]:
        return [entry for step, (calls, loss) in enumerate(epochs, 1) for entry in (
            {"step": step, "loss": 1.0},
            {"step": step, "eval_loss": 9 - loss, "eval_loss_result": loss},
            {"step": step, "eval_exact_calls": calls, "eval_call_rows": 4},
        )]  # fmt: skip

    assert best_step(log((0.5, 1), (0.75, 3), (0.75, 2), (0.75, 2), (0.5, 1))) == 3
    assert best_step(log((0, 1), (0, 2))) == 1 and best_step(log()) is None


def toy_rows(count: int) -> list[dict]:
    """Rows of the toy world, whose student answers some of them."""
    return [
        {
            "id": str(number),
            "prompt": [
                {"role": "system", "content": calling_prompt([to_bfcl(tool) for tool in json.loads(pool["tools"])])},
                {"role": "user", "content": pool["query"]},
            ],
            "completion": [{"role": "assistant", "content": render(json.loads(pool["answers"]))}],
        }
        for number, (pool, _) in enumerate(pool_row_pairs(5, count, 0.0))
    ]


def greedy(model, prompt: list[int], limit: int, stops: set[int]) -> list[int]:
    """One prompt without padding, batch or cache."""
    ids = list(prompt)
    while len(ids) < len(prompt) + limit and (len(ids) == len(prompt) or ids[-1] not in stops):
        ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prompt) :]


@pytest.mark.parametrize("options", [{}, {"peft": True}, {"padding_side": "right"}])
def test_answers_in_a_batch_are_those_to_each_prompt_alone(tmp_path, options):
    """Whatever the model's own generation config says; with adapters, and with gradient checkpointing in training."""
    tokenizer = AutoTokenizer.from_pretrained(TOY, padding_side=options.get("padding_side", "left"))
    rows = toy_rows(4)
    asked = questions(rows, tokenizer=tokenizer)
    model = AutoModelForCausalLM.from_pretrained(TOY)
    model.generation_config.update(do_sample=True, temperature=2.0, repetition_penalty=5.0, max_length=3)
    args = SRMLConfig(
        str(tmp_path), **COMMON | {"gradient_checkpointing": "padding_side" in options},
        per_device_train_batch_size=1, max_length=1000,
    )  # fmt: skip
    adapters = lora_config(LoraParams(**LORA)) if "peft" in options else None
    trainer = SRMLTrainer(model, args, train_dataset=rows, processing_class=tokenizer, peft_config=adapters)
    for name, parameter in trainer.model.named_parameters():
        if "lora_B" in name:  # zero at the start
            torch.nn.init.normal_(parameter, std=0.01)
    trainer.model.train()
    config, state = model.generation_config.to_dict(), torch.get_rng_state()
    answers = _answers(trainer, asked, list(asked))
    assert model.generation_config.to_dict() == config and bool((torch.get_rng_state() == state).all())
    limit, stops = 2 * max(len(question.own_answer) for question in asked), {tokenizer.eos_token_id}
    with torch.no_grad():
        alone = [greedy(trainer.model.eval(), question.prompt, limit, stops) for question in asked]
    wanted = [(tokenizer.decode([i for i in ids if i not in stops]), ids[-1] in stops) for ids in alone]
    assert answers == wanted and len({text for text, _ in answers}) > 1


def heldout_lines(folder: Path) -> list[dict]:
    return list(csv.DictReader((folder / "metrics/r0/heldout.csv").open()))


def forgetting() -> list[dict]:
    """Rows of which those held out have other calls than those that are learned."""
    rows = [row(f"<think>I call.</think>\n\n[get_weather(days={i % 3})]", f"query {i}", key=i) for i in range(24)]
    for held in split(rows, 0.2)[1]:
        held["completion"][0]["content"] = "<think>Nothing.</think>\n\n[get_time(zone='CET', city='Bern')]"
    return rows


def run(tmp_path: Path, tiny_model: Path, name: str, options: dict, rows: list[dict] | None = None) -> Path:
    folder = workspace(tmp_path / name, tiny_model, train=TRAIN | options)
    if rows:
        write_jsonl(folder / "data/r0/train.jsonl", rows)
    train(folder, tiny_model, LOSS, TRAIN | options)
    return folder


def test_answering_changes_nothing_of_the_training(tiny_model, tmp_path):
    """With dropout in the adapters, so that a number drawn by the answers would show."""
    lora = {"lora": LORA | {"dropout": 0.2}}
    off, on = (run(tmp_path, tiny_model, str(count), lora | {"eval_rows": count}) for count in (0, 8))
    for name in ("models/r0/model.safetensors", "metrics/r0/loss.csv"):
        assert (off / name).read_bytes() == (on / name).read_bytes()
    before, after = ([{k: line[k] for k in ("epoch", "think", "result", "total")} for line in heldout_lines(f)]
                     for f in (off, on))  # fmt: skip
    assert before == after and len(after) == 3
    assert {line["exact_calls"] for line in heldout_lines(off)} == {""}
    assert read_details(off / "metrics/r0/train.json")["exact"] is None
    exact = read_details(on / "metrics/r0/train.json")["exact"]
    assert (exact["epoch"], exact["call_rows"], exact["no_call_rows"]) == (3.0, 2, 0)
    assert {line["exact_calls"] for line in heldout_lines(on)} == {"0.0"}


def test_calls_that_are_learned_are_counted(tiny_model, tmp_path):
    """Every row has one call or refuses, as its query says; the tiny model learns it within a few epochs."""
    own = ["[f()]", "[]"]
    queries = [f"{('call', 'stop')[i % 2]} {'abcdefgh'[i % 8] * (1 + i // 8)}" for i in range(32)]
    rows = [row(own[i % 2], query, key=i) for i, query in enumerate(queries)]
    options = {"epochs": 12.0, "eval_rows": 32, "learning_rate": 3e-3, "packing": True, "bf16": True}
    options |= {"batch_size": 2, "micro_batch_size": 1, "max_length": 150}
    folder = run(tmp_path, tiny_model, "learned", options, rows)
    lines, exact = heldout_lines(folder), read_details(folder / "metrics/r0/train.json")["exact"]
    assert exact["exact_calls"] == exact["exact_no_call"] == 1.0 and exact["cut_answers"] == 0
    assert float(lines[-1]["exact_calls"]) == 1.0 and min(float(line["exact_calls"]) for line in lines) < 1
    heldout = split(rows, 0.2)[1]
    assert exact["call_rows"] == sum("call" in r["prompt"][1]["content"] for r in heldout)
    assert exact["call_rows"] + exact["no_call_rows"] == len(heldout)


@pytest.fixture(scope="module")
def kept(tiny_model, tmp_path_factory):
    """Six epochs of a training that forgets, of which the best is kept."""
    options = {
        "epochs": 6.0,
        "eval_rows": 8,
        "keep": "best",
        "learning_rate": 1e-2,
        "batch_size": 8,
        "micro_batch_size": 4,
    }
    return run(tmp_path_factory.mktemp("kept"), tiny_model, "whole", options, forgetting()), options


def test_the_best_epoch_is_kept(kept, tiny_model, tmp_path):
    folder, options = kept
    lines, metrics = heldout_lines(folder), read_details(folder / "metrics/r0/train.json")
    best = min(lines, key=lambda line: float(line["result"]))
    assert {line["exact_calls"] for line in lines} == {"0.0"} and best != lines[-1]
    assert metrics["exact"]["epoch"] == float(best["epoch"])
    assert metrics["heldout"]["result"] == float(best["result"])
    model, tokenizer = (kind.from_pretrained(folder / "models/r0") for kind in (AutoModelForCausalLM, AutoTokenizer))
    (_, heldout), _, _ = labelled_sides(
        folder / "data/r0/train.jsonl", tokenizer, TrainParams(**TRAIN | options), folder / "labels"
    )
    with torch.no_grad():
        losses = torch.cat([token_losses(model, example, 2) for example in heldout])
    assert float(best["result"]) == pytest.approx(losses.mean().item(), rel=1e-4)
    last = run(tmp_path, tiny_model, "last", options | {"keep": "last"}, forgetting())
    assert heldout_lines(last) == lines
    files = {path.name for path in (last / "models/r0").iterdir()}
    assert files == {path.name for path in (folder / "models/r0").iterdir()}
    for name in files - {"model.safetensors"}:
        assert (last / "models/r0" / name).read_bytes() == (folder / "models/r0" / name).read_bytes()
    weights = [load_file(side / "models/r0/model.safetensors") for side in (last, folder)]
    assert weights[0].keys() == weights[1].keys()
    assert not all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize("epoch", [2, 5])
def test_killed_and_resumed_keeps_the_same_epoch(kept, tiny_model, tmp_path, epoch):
    whole, options = kept
    broken = workspace(tmp_path, tiny_model, train=TRAIN | options)
    write_jsonl(broken / "data/r0/train.jsonl", forgetting())
    steps = read_details(whole / "metrics/r0/train.json")["steps"] // 6
    kill_the_stage(broken, epoch * steps)
    done = stage(broken)
    assert done.returncode == 0, done.stderr[-2000:]
    for path in (file for part in ("models/r0", "metrics/r0") for file in (whole / part).iterdir()):
        assert path.read_bytes() == (broken / path.relative_to(whole)).read_bytes(), path.name
    assert list((broken / ".checkpoints").iterdir()) == []


@pytest.mark.parametrize("launcher", ["ddp", "fsdp2"])
def test_every_process_answers_its_share(tmp_path, launcher):
    """The toy's student, hardly trained: two processes count what one does, over rows that they cannot share evenly."""
    options = {"batch_size": 2, "micro_batch_size": 1, "heldout_fraction": 0.5, "eval_rows": 7}
    options |= {"learning_rate": 1e-9, "max_length": 1000, "epochs": 2.0, "keep": "best"}
    started = options | {"launcher": launcher, "processes": 2}
    try:
        command(TrainParams(**TRAIN | started))
    except ParamsError as error:
        pytest.skip(str(error))
    one = run(tmp_path, TOY, "one", options, toy_rows(24))
    two = workspace(tmp_path / "two", TOY, train=TRAIN | started)
    (two / "configs").symlink_to(ROOT / "configs")
    write_jsonl(two / "data/r0/train.jsonl", toy_rows(24))
    done = stage(two)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = []
    for folder in (one, two):
        metrics = read_details(folder / "metrics/r0/train.json")
        lines.append((metrics["exact"], [line["exact_calls"] for line in heldout_lines(folder)]))
    assert lines[0] == lines[1]
    exact = lines[0][0]
    assert exact["call_rows"] + exact["no_call_rows"] == 7 and 0 < exact["exact_calls"] < 1
