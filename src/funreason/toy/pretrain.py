"""Trains a toy model from random weights, or on from another toy model: plain next-token loss over replies.

Muon for the matrices, AdamW for the rest; bfloat16 forward and backward passes over float32 weights. Both are measured
choices for a CPU with bfloat16 units (docs/LOG.md); without them the same steps take several times longer.

Run as: python toy/train.py trunk|teacher|judge|base   (see toy/dvc.yaml; resumes from its own checkpoint)
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

import torch
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from tqdm import tqdm
from transformers import AttentionInterface, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from funreason.toy.corpus import training_stream

IGNORED = -100


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast a toy model learns.

    `tokens` is the padded size of a batch, prompts included. `learning_rate` is the peak of Muon, `adam_learning_rate`
    that of embeddings, biases and norms.
    """

    seed: int
    steps: int
    tokens: int = 2048
    learning_rate: float = 0.01
    adam_learning_rate: float = 6e-3
    warmup: int = 100
    decay_fraction: float = 0.5
    weight_decay: float = 0.01
    checkpoint_every: int = 200


def float32_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    *,
    scaling: float,
    **_: object,
) -> tuple[torch.Tensor, None]:
    """Causal attention in float32, whose backward pass is twice as fast on a CPU as in bfloat16.

    Args:
        module: The attention layer.
        query: (B, heads, S, head).
        key: As `query`.
        value: As `query`.
        attention_mask: Not used: replies are masked in the loss, and padding is on the right.
        scaling: Of the scores.

    Returns:
        (B, S, heads, head), and no weights.
    """
    query, key, value = query.float(), key.float(), value.float()
    attended = scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling)
    return attended.transpose(1, 2).to(module.get_parameter("o_proj.weight").dtype), None


AttentionInterface.register("toy_float32", float32_attention)


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


def encoded(
    pairs: Iterator[tuple[list[dict], str]], tokenizer: PreTrainedTokenizerBase
) -> Iterator[tuple[list[int], int]]:
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
        groups, group = [], list[tuple[list[int], int]]()
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


def loss_of(model: LlamaForCausalLM, ids: torch.Tensor, labels: torch.Tensor, reply: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the replies; the head sees only their positions. Tensors as of `collated`."""
    hidden, targets, is_reply = model.model(input_ids=ids).last_hidden_state[:, :-1], labels[:, 1:], reply[:, 1:]
    return cross_entropy(model.lm_head(hidden[is_reply]).float(), targets[is_reply])


def rate(settings: TrainingSettings, step: int) -> float:
    """Warm-up, plateau, then a cosine down to 2 %."""
    if step < settings.warmup:
        return (step + 1) / settings.warmup
    start = settings.steps * (1 - settings.decay_fraction)
    if step < start:
        return 1.0
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - start) / (settings.steps - start)))


class MixedPrecision:
    """bfloat16 weights that `model` computes with, and the float32 ones that the optimizers keep."""

    def __init__(self, model: LlamaForCausalLM, settings: TrainingSettings):
        self.model = model.to(torch.bfloat16)  # type: ignore[arg-type]  # transformers' decorator hides it
        named = [(name, p, p.detach().float()) for name, p in model.named_parameters()]
        self.pairs = [(low, high) for _, low, high in named]
        inner = [high for name, _, high in named if high.ndim == 2 and "embed" not in name]
        outer = [high for name, _, high in named if high.ndim != 2 or "embed" in name]
        muon = torch.optim.Muon(inner, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        adam = torch.optim.AdamW(outer, lr=settings.adam_learning_rate, betas=(0.9, 0.98), weight_decay=0.0)
        self.optimizers = (muon, adam)
        self.rates = [group["lr"] for optimizer in self.optimizers for group in optimizer.param_groups]

    def step(self, rate: float) -> None:
        """One update at `rate` times the peak learning rates, from the gradients of the bfloat16 weights."""
        for low, high in self.pairs:
            assert low.grad is not None  # every weight of a Llama is in the loss
            high.grad, low.grad = low.grad.float(), None
        torch.nn.utils.clip_grad_norm_([high for _, high in self.pairs], 1.0)
        groups = [group for optimizer in self.optimizers for group in optimizer.param_groups]
        for group, peak in zip(groups, self.rates, strict=True):
            group["lr"] = peak * rate
        for optimizer in self.optimizers:
            optimizer.step()
        self.round()

    @torch.no_grad()
    def round(self) -> None:
        """Copy the float32 weights into the model."""
        for low, high in self.pairs:
            low.copy_(high)

    def state_dict(self) -> dict:
        """The float32 weights and the states of both optimizers."""
        return {
            "weights": [high for _, high in self.pairs],
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }

    @torch.no_grad()
    def load_state_dict(self, state: dict) -> None:
        """Take up what `state_dict` gave."""
        for (_, high), weight in zip(self.pairs, state["weights"], strict=True):
            high.copy_(weight)
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.round()


def train(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    role: str,
    settings: TrainingSettings,
    checkpoint: Path,
) -> list[dict]:
    """Train in place; a checkpoint of a killed run is taken up again.

    Args:
        model: What to train; it computes in bfloat16 afterwards.
        tokenizer: The toy tokenizer.
        role: Whose stream the model learns from: `trunk`, `teacher`, `judge` or `base`.
        settings: How long and how fast.
        checkpoint: File of the checkpoint.

    Returns:
        The loss curve, [{"step", "loss"}], every 50 steps.
    """
    model.set_attn_implementation("toy_float32")
    weights = MixedPrecision(model, settings)
    done, curve = restore(checkpoint, weights)
    data = batches(encoded(training_stream(role, settings.seed), tokenizer), settings.tokens, Random(settings.seed))
    data = islice(data, done, settings.steps)
    total = 0.0
    for step, batch in enumerate(tqdm(data, role, settings.steps, initial=done, mininterval=10), start=done):
        loss = loss_of(model, *collated(batch, tokenizer.pad_token_id))
        loss.backward()
        weights.step(rate(settings, step))
        total += loss.item()
        if (step + 1) % 50 == 0:
            curve.append({"step": step + 1, "loss": round(total / 50, 4)})
            tqdm.write(f"{role} {curve[-1]}")
            total = 0.0
        if (step + 1) % settings.checkpoint_every == 0:
            save(checkpoint, weights, step + 1, curve)
    return curve


def save(checkpoint: Path, weights: MixedPrecision, step: int, curve: list[dict]) -> None:
    """Written beside and moved into place, so that a kill leaves the old one."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    torch.save(weights.state_dict() | {"step": step, "curve": curve}, checkpoint.with_suffix(".part"))
    os.replace(checkpoint.with_suffix(".part"), checkpoint)


def restore(checkpoint: Path, weights: MixedPrecision) -> tuple[int, list[dict]]:
    """The steps done and the curve so far, with the weights loaded; (0, []) without a checkpoint."""
    if not checkpoint.exists():
        return 0, []
    state = torch.load(checkpoint, weights_only=True)
    weights.load_state_dict(state)
    return state["step"], state["curve"]
