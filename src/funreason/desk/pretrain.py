"""Trains a desk model from random weights, or on from another desk model: plain next-token loss over replies.

Run as: python desk/train.py base|teacher|judge   (see desk/dvc.yaml; resumes from its own checkpoint)
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

import torch
from torch.nn.functional import cross_entropy
from tqdm import tqdm
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from funreason.desk.corpus import stream

IGNORED = -100


@dataclass(frozen=True)
class Recipe:
    """How long and how fast a desk model learns. `tokens` is a padded micro-batch's size, prompt included."""

    seed: int
    steps: int
    tokens: int = 4096
    learning_rate: float = 3e-3
    warmup: int = 100
    decay_share: float = 0.3
    weight_decay: float = 0.05
    checkpoint_every: int = 200


def new_model(tokenizer: PreTrainedTokenizerBase, seed: int) -> LlamaForCausalLM:
    """A 2.4 M-parameter Llama with random weights and, as in Qwen2, attention biases.

    Not Qwen2 itself: transformers 5 gives every checkpoint of that type Qwen2's own pre-tokenizer.
    """
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=192,
            intermediate_size=512,
            num_hidden_layers=4,
            num_attention_heads=6,
            num_key_value_heads=6,
            max_position_embeddings=4096,
            tie_word_embeddings=True,
            attention_bias=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def encoded(pairs: Iterator[tuple[list[dict], str]], tokenizer) -> Iterator[tuple[list[int], int]]:
    """(ids of prompt + reply + end of turn, length of the prompt) of each pair."""
    for messages, reply in pairs:
        prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        prompt_ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        reply_ids = tokenizer(reply, add_special_tokens=False)["input_ids"]
        yield prompt_ids + reply_ids + [tokenizer.eos_token_id], len(prompt_ids)


def batches(
    samples: Iterator[tuple[list[int], int]], tokens: int, rng: Random
) -> Iterator[list[tuple[list[int], int]]]:
    """Batches of similar length and at most `tokens` padded positions, in random order within a window."""
    while True:
        window = sorted(islice(samples, 512), key=lambda sample: len(sample[0]))
        groups, group = [], []
        for sample in window:
            if (len(group) + 1) * len(sample[0]) > tokens:
                groups.append(group)
                group = []
            group.append(sample)
        rng.shuffle(groups)
        yield from groups


def collated(batch: list[tuple[list[int], int]], pad: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Right-padded ids (B, S), labels (B, S) with padding ignored, and a mask of reply positions (B, S)."""
    width = max(len(ids) for ids, _ in batch)
    ids = torch.full((len(batch), width), pad)
    labels = torch.full((len(batch), width), IGNORED)
    reply = torch.zeros((len(batch), width), dtype=torch.bool)
    for row, (sample, prompt) in enumerate(batch):
        ids[row, : len(sample)] = torch.tensor(sample)
        labels[row, : len(sample)] = ids[row, : len(sample)]
        reply[row, prompt : len(sample)] = True
    return ids, labels, reply


def loss_of(model: LlamaForCausalLM, ids, labels, reply) -> torch.Tensor:
    """Mean cross-entropy of the replies; the head sees only their positions."""
    hidden, targets, is_reply = model.model(input_ids=ids).last_hidden_state[:, :-1], labels[:, 1:], reply[:, 1:]
    return cross_entropy(model.lm_head(hidden[is_reply]), targets[is_reply])


def rate(recipe: Recipe, step: int) -> float:
    """Warm-up, plateau, then a cosine down to 2 %."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    start = recipe.steps * (1 - recipe.decay_share)
    if step < start:
        return 1.0
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - start) / (recipe.steps - start)))


def optimizer_of(model: LlamaForCausalLM, recipe: Recipe) -> torch.optim.AdamW:
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    return torch.optim.AdamW(
        [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
        lr=recipe.learning_rate,
        betas=(0.9, 0.98),
    )


def train(model: LlamaForCausalLM, tokenizer, role: str, recipe: Recipe, checkpoint: Path) -> list[dict]:
    """Trains in place and returns the loss curve [{step, loss}]; a checkpoint of this run is taken up again."""
    optimizer = optimizer_of(model, recipe)
    done, curve = restore(checkpoint, model, optimizer)
    data = batches(encoded(stream(role, recipe.seed), tokenizer), recipe.tokens, Random(recipe.seed))
    data = islice(data, done, recipe.steps)
    total = 0.0
    for step, batch in enumerate(tqdm(data, role, recipe.steps, initial=done, mininterval=10), start=done):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * rate(recipe, step)
        loss = loss_of(model, *collated(batch, tokenizer.pad_token_id))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        total += loss.item()
        if (step + 1) % 50 == 0:
            curve.append({"step": step + 1, "loss": round(total / 50, 4)})
            tqdm.write(f"{role} {curve[-1]}")
            total = 0.0
        if (step + 1) % recipe.checkpoint_every == 0:
            save(checkpoint, model, optimizer, step + 1, curve)
    return curve


def save(checkpoint: Path, model, optimizer, step: int, curve: list[dict]) -> None:
    """Written beside and moved into place, so that a kill leaves the old one."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "curve": curve}
    torch.save(state, checkpoint.with_suffix(".part"))
    os.replace(checkpoint.with_suffix(".part"), checkpoint)


def restore(checkpoint: Path, model, optimizer) -> tuple[int, list[dict]]:
    if not checkpoint.exists():
        return 0, []
    state = torch.load(checkpoint, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return state["step"], state["curve"]
