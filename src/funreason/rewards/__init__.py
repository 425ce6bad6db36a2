"""Rewards for calls, as pure functions with TRL's signature: for GRPOTrainer and any other trainer that takes such.

    from funreason.rewards import correctness, exact, format, graded, length

    GRPOTrainer(model, reward_funcs=[format, correctness], train_dataset=rows)  # ToolRL

Each takes `(prompts, completions, **columns)` and returns one number per completion. A completion is a text, or TRL's
list with one message of the assistant. Columns are lists, one item per completion:

    reference   the row's own completion: `<think>…</think>`, and calls or a refusal
    tools       optional: the row's tools, a list or its JSON text; calls are checked against their JSON Schema
    think       optional: whether the completion has to reason; by default as its reference does
    opened      optional: whether the prompt has opened `<think>`; by default whether a prompt that is a text ends so
    ended       optional: whether the completion ended by itself; one that was cut earns the least

Text is parsed, never run. Nothing is guessed: what a scorer might still read, as prose around a call, is wrong here.
"""

from funreason.rewards.functions import correctness, exact, format, graded, length

__all__ = ["correctness", "exact", "format", "graded", "length"]
