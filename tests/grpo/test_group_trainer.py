"""GRPO's trainer on a tiny model: the weighted loss is exact, a killed training goes on exactly, no token is forged."""

import pytest
import torch
from rows import eight, row
from safetensors.torch import load_file
from train_stage import TRAIN
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback

from funreason.config import GrpoParams, TrainParams
from funreason.core.jsonio import read_details, write_jsonl
from funreason.grpo import run
from funreason.grpo.config import grpo_config
from funreason.grpo.known import pass_rates
from funreason.grpo.rows import prompt_rows, tell
from funreason.grpo.segments import result_start
from funreason.grpo.selection import Selection
from funreason.grpo.trainer import GroupSampler, GroupTrainer
from funreason.llm import load_ref
from funreason.rewards import exact
from funreason.srml.segments import label_rows

GRPO = {
    "reward": "exact", "think": "required", "length_weight": 0.0, "samples": 2, "prompts": 2, "epochs": 1.0,
    "learning_rate": 1e-3, "temperature": 1.0, "top_p": 1.0, "max_tokens": 60, "kl": 0.0, "clip": 0.2, "loss": "dapo",
    "scale_rewards": "group", "think_weight": None, "select": {"fraction": 1.0, "first_samples": 0},
    "rollouts": "generate", "vllm": {"gpu_memory_utilization": 0.3, "server_url": None},
}  # fmt: skip
WRITTEN = (
    "<think>The user asks. </think>\n\n[get_weather(days=0)]",
    "<think>I do not know.</think>[get_weather(days=9)]",
    "no marks at all",
    "<think>The user asks. The user asks. </think>\n\n[get_weather(days=1)]",
)


class Gradients(TrainerCallback):
    def on_pre_optimizer_step(self, args, state, control, model=None, **kwargs):
        self.taken = {name: p.grad.detach().clone() for name, p in model.named_parameters()}


def one_step(folder, out, written, **grpo):
    """(gradients, trainer, its batches) of one step on the given completions of the first prompts."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    learned, _ = label_rows(eight(), tokenizer, 500)
    prompts, ends = prompt_rows(learned.select(range(2)), tokenizer, "required")
    params = GrpoParams(**GRPO | grpo)
    train = TrainParams(**TRAIN | {"heldout_fraction": 0.0})
    args = grpo_config(out, params, train, load_ref(folder), sorted(ends))
    args.max_grad_norm = 0.0
    gradients, batches = Gradients(), []

    class Written(GroupTrainer):
        def _generate_single_turn(self, prompt_ids, *args, **kwargs):
            return [tokenizer(text)["input_ids"] + sorted(ends) for text in written], None

        def _compute_loss(self, model, inputs):
            batches.append(inputs)
            return super()._compute_loss(model, inputs)

    trainer = Written(
        AutoModelForCausalLM.from_pretrained(folder), args, rows=prompts, rewards=[exact], stops=ends,
        selection=Selection(2, 2, 1.0, 0), processing_class=tokenizer, callbacks=[gradients],
    )  # fmt: skip
    trainer.selection.order, trainer.selection.epoch = [0, 1], 0
    trainer.train()
    return gradients.taken, trainer, batches


def reference(folder, batches, weights):
    """The gradients in float64, from full logits: Σ_k w_k · (mean over segment k of −A · log p)."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    sums, counts = [0.0, 0.0], [0, 0]
    rewards = [1.0, 0.0, 0.0, 1.0]
    for batch in batches:
        for at in range(len(batch["prompt_ids"])):
            prompt = batch["prompt_ids"][at][batch["prompt_mask"][at].bool()]
            ids = batch["completion_ids"][at][batch["completion_mask"][at].bool()]
            text = tokenizer.decode(ids)
            number = next(n for n, written in enumerate(WRITTEN) if text.startswith(written))
            pair = torch.tensor(rewards[number // 2 * 2 : number // 2 * 2 + 2], dtype=torch.float64)
            advantage = (rewards[number] - pair.mean()) / (pair.std() + 1e-4)
            logits = model(torch.cat([prompt, ids])[None]).logits[0, len(prompt) - 1 : -1]
            logp = logits.log_softmax(-1).gather(1, ids[:, None])[:, 0]
            cut = result_start(ids.tolist(), tokenizer.decode)
            for k, part in enumerate((logp[:cut], logp[cut:])):
                sums[k], counts[k] = sums[k] - (advantage * part).sum(), counts[k] + len(part)
    weights = weights or [count / sum(counts) for count in counts]
    sum(weight * total / count for weight, total, count in zip(weights, sums, counts, strict=True)).backward()
    return {name: p.grad for name, p in model.named_parameters()}, counts


def relative(found, wanted):
    norm = torch.cat([g.flatten().double() for g in wanted.values()]).norm()
    return (torch.cat([(found[n].double() - wanted[n]).flatten() for n in wanted]).norm() / norm).item()


def test_the_segment_weights_are_exact_over_micro_batches(tiny_model, tmp_path):
    """Two micro-batches of two: their segments have other sizes, so that means per micro-batch would differ."""
    found, _, batches = one_step(tiny_model, tmp_path / "a", WRITTEN, think_weight=0.3)
    wanted, counts = reference(tiny_model, batches, [0.3, 0.7])
    assert len(batches) == 2 and all(counts)
    assert relative(found, wanted) < 1e-5
    plain, _, batches = one_step(tiny_model, tmp_path / "b", WRITTEN)
    assert relative(plain, reference(tiny_model, batches, None)[0]) < 1e-5
    assert relative(found, plain) > 0.01
    implied, *_ = one_step(tiny_model, tmp_path / "c", WRITTEN, think_weight=counts[0] / sum(counts))
    assert all(torch.equal(implied[name], plain[name]) for name in plain)  # TRL's own gradient, bit for bit


def test_rewards_see_special_tokens_and_cut_completions(tiny_model, tmp_path):
    """TRL decodes without special tokens: a forged turn would then earn what the honest answer does."""
    forged = WRITTEN[0].replace("The", "<|im_start|>The")
    _, trainer, _ = one_step(tiny_model, tmp_path, (forged, WRITTEN[0] + " more", *WRITTEN[2:]))
    tokenizer, rows = trainer.processing_class, [trainer.train_dataset[0]]
    end = tokenizer.eos_token_id
    texts = {WRITTEN[0]: [end], forged: [end], WRITTEN[0] + "": [], WRITTEN[3]: [end]}
    cases = [tokenizer(text)["input_ids"] + stop for text, stop in [*texts.items(), (WRITTEN[0], [])]]
    cases[0] = tokenizer(WRITTEN[0])["input_ids"] + [end]
    trainer._sampling_first, trainer.first_samples = True, len(cases)
    earned = trainer._calculate_rewards(rows * len(cases), [rows[0]["prompt"]] * len(cases), [""] * len(cases), cases)
    assert earned[:, 0].tolist() == [1.0, 0.0, 0.0, 0.0]


def test_the_prompts_are_the_tokens_of_supervised_training(tiny_model):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    rows = [*eight(), row("<think>Again.</think>\n\n[get_weather(days=0)]", "")]
    learned, _ = label_rows(rows, tokenizer, 500)
    prompts, ends = prompt_rows(learned, tokenizer, "optional")
    assert ends == {tokenizer.eos_token_id}
    assert len(prompts) == 7  # `.` is neither a call nor a refusal, the last prompt is the first
    for prompt, label in zip(prompts, learned, strict=False):
        assert label["input_ids"][: len(prompt["prompt_ids"])] == prompt["prompt_ids"]
    assert prompts["think"] == [False] * 7


def test_the_ledger_tells_what_the_start_model_can_do(tiny_model):
    """Two samples of a query are one prompt; samples that agree but are not selected were right."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    actions = {"a#0": "keep", "a#1": "drop", "a#2": "not_selected", "b#0": "hard", "b#1": "hard", "c": "keep"}
    ledger = [{"id": name, "check": "generate", "action": "keep"} for name in actions]
    ledger += [{"id": name, "check": "call", "action": action} for name, action in actions.items()]
    rates = pass_rates(ledger)
    assert rates == {"a": (2, 3), "b": (0, 2)}
    rows = [row("<think>x</think>\n\n[f()]", question, f"r1/{key}") for question, key in (("A", "a#0"), ("C", "c"))]
    prompts, _ = prompt_rows(label_rows(rows, tokenizer, 500)[0], tokenizer, "required")
    selection = Selection(2, 4, 1.0, 0)
    tell(selection, prompts, rows, rates, tokenizer)
    assert selection.counts == [[2, 3], [0, 0]]


def test_the_order_is_that_of_trl():
    from trl.trainer.utils import RepeatSampler

    selection = Selection(7, samples=3, fraction=1.0, seed=5)
    sampler = GroupSampler(selection, prompts=2, repeats=4)
    sampler.set_epoch(0)
    wanted = RepeatSampler(selection.order, mini_repeat_count=3, batch_size=2, repeat_count=4, shuffle=False)
    assert list(sampler) == [selection.order[at] for at in wanted] and len(sampler) == len(wanted)


class Killed(Exception):
    pass


def test_a_killed_training_goes_on_to_the_same_weights(tiny_model, tmp_path, monkeypatch, capsys):
    """Killed in the second epoch: samples, chosen prompts, optimizer and log go on as if nothing had happened."""
    changes = {
        "length_weight": 1.0, "epochs": 2.0, "max_tokens": 90, "kl": 0.01,
        "select": {"fraction": 0.7, "first_samples": 2},
    }  # fmt: skip
    grpo, train = GrpoParams(**GRPO | changes), TrainParams(**TRAIN | {"heldout_fraction": 0.0, "weight_decay": 0.1})
    write_jsonl(tmp_path / "train.jsonl", eight())

    def trained(name):
        run.train_by_grpo(
            tmp_path / "train.jsonl", load_ref(tiny_model), tmp_path / name, tmp_path / name / "metrics", grpo, train,
            checkpoints=tmp_path / "checkpoints", save_seconds=0,
        )  # fmt: skip
        return load_file(tmp_path / name / "model.safetensors"), read_details(tmp_path / name / "metrics/train.json")

    monkeypatch.setattr("funreason.train.callbacks.COST", 0)
    monkeypatch.setattr("funreason.core.runtime.LINE_S", 0)
    whole, figures = trained("whole")
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("train: ") and "left" in line]
    assert lines[0].startswith("train: first samples: ") and " of 7 prompts, " in lines[0]
    assert "step 1 of 4" in "".join(lines)
    start = load_file(tiny_model / "model.safetensors")
    assert max((whole[name] - start[name]).abs().max() for name in start) > 1e-4
    real = GroupTrainer.training_step

    def dying(self, *args):
        if self.state.global_step == 3:
            raise Killed
        return real(self, *args)

    monkeypatch.setattr(GroupTrainer, "training_step", dying)
    with pytest.raises(Killed):
        trained("killed")
    monkeypatch.setattr(GroupTrainer, "training_step", real)
    torch.manual_seed(99)
    resumed, again = trained("killed")
    assert max((whole[name] - resumed[name]).abs().max() for name in whole) == 0
    assert again == figures and figures["steps"] == 4
    assert (tmp_path / "whole/metrics/loss.csv").read_bytes() == (tmp_path / "killed/metrics/loss.csv").read_bytes()
    assert 0 < figures["trained_tokens"] < figures["sampled_tokens"]  # the first sampling is not trained on
    assert figures["dead_groups"]["before"] is not None and figures["samples"]["kl"] >= 0
