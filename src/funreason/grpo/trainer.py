"""GroupTrainer: TRL's GRPOTrainer on a round's own tokens, with selected prompts, segment weights and exact resume."""

import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object
from datasets import Dataset
from torch.utils.data import Sampler
from transformers import TrainerCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR
from trl import GRPOTrainer

from funreason.core.runtime import TimeLeft
from funreason.grpo.config import GroupConfig
from funreason.grpo.segments import completion_segments, segment_scale
from funreason.grpo.selection import Selection
from funreason.srml.parallel import check_processes
from funreason.srml.template import ChatTemplate
from funreason.train.exact import text_of


class GroupSampler(Sampler):
    """The prompts of an epoch in TRL's form: those of an optimizer step, each `samples` times, for each micro-batch."""

    def __init__(self, selection: Selection, prompts: int, repeats: int):
        self.selection, self.prompts, self.repeats = selection, prompts, repeats
        self.steps = selection.taken // prompts

    def set_epoch(self, epoch: int) -> None:
        """Choose the prompts of an epoch."""
        self.selection.begin(epoch)

    def __iter__(self) -> Iterator[int]:
        self.selection.begin(max(0, self.selection.epoch))
        for start in range(0, self.steps * self.prompts, self.prompts):
            step = self.selection.order[start : start + self.prompts]
            yield from [prompt for prompt in step for _ in range(self.selection.samples)] * self.repeats

    def __len__(self) -> int:
        return self.steps * self.prompts * self.selection.samples * self.repeats


class GroupTrainer(GRPOTrainer):
    """Trains on samples of the prompts of `rows.prompt_rows`.

    Logs beside TRL's metrics `tokens_per_second`, of prompts and completions, since the last log.

    Args:
        model: The start model.
        args: The options.
        rows: The prompts.
        rewards: The reward functions, with weights in `args`.
        selection: Chooses the prompts of each epoch.
        stops: The tokens that end a completion.
        first_samples: Completions per prompt of a first sampling, which tells the selection what the start model can
            do; 0 for none.
        kwargs: The other arguments of GRPOTrainer.
    """

    args: GroupConfig

    _tag_names = ["trl", "grpo"]

    def __init__(
        self,
        model: Any,
        args: GroupConfig,
        *,
        rows: Dataset,
        rewards: Sequence[Any],
        selection: Selection,
        stops: Collection[int],
        first_samples: int = 0,
        **kwargs: Any,
    ):
        self.selection, self.first_samples = selection, first_samples
        self._prompt_ids: list[list[int]] = []
        self._clock: tuple[float, int] | None = None  # seconds and tokens at the last log
        # The first sampling comes before the bar, whose clock is that of the steps.
        callbacks = [_FirstSampling(self), *kwargs.pop("callbacks", [])]
        super().__init__(model, list(rewards), args, train_dataset=rows, callbacks=callbacks, **kwargs)
        check_processes(self.accelerator, args.expected_world_size)
        self.eos_token_ids = sorted(stops)
        if not self.use_vllm:
            self.generation_kwargs["eos_token_id"] = self.eos_token_ids
            self.generation_config.eos_token_id = self.eos_token_ids
        self._forbidden = ChatTemplate.of(self._tokenizer).controls.special_ids - set(self.eos_token_ids)

    def _get_train_sampler(self, dataset: Any = None) -> GroupSampler:
        args = self.args
        prompts = int(args.generation_batch_size or 0) // int(self.num_generations or 1)
        return GroupSampler(self.selection, prompts, int(args.steps_per_generation or 1))

    def _tokenize_prompts(self, prompts: list[Any]) -> tuple[list[list[int]], None, dict[str, Any]]:
        """The prompts' tokens as supervised training has them; rendered anew, a query could forge a turn."""
        return self._prompt_ids, None, {}

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        self._prompt_ids = [row["prompt_ids"] for row in inputs]
        if self._clock is None:
            self._clock = time.perf_counter(), self.state.num_input_tokens_seen
        output = super()._generate_and_score_completions(inputs)
        if self.args.think_weight is not None:
            segments = completion_segments(output["completion_ids"], output["completion_mask"], self._text)
            scale = segment_scale(segments, self.args.think_weight, lambda n: self.accelerator.reduce(n, "sum"))
            output["advantages"] = output["advantages"][:, None] * scale
        return output

    def _text(self, ids: Sequence[int]) -> str:
        return text_of(ids, self._tokenizer, ())[0]

    def _calculate_rewards(
        self, inputs: list[dict[str, Any]], prompts: list[Any], completions: list[Any], completion_ids_list: list[Any]
    ) -> torch.Tensor:
        """TRL's rewards, of the texts with their special tokens: TRL leaves these out, and would pay for them."""
        answers = [text_of(ids, self._tokenizer, self.eos_token_ids) for ids in completion_ids_list]
        ended = [
            end and self._forbidden.isdisjoint(ids) for ids, (_, end) in zip(completion_ids_list, answers, strict=True)
        ]
        inputs = [row | {"ended": end} for row, end in zip(inputs, ended, strict=True)]
        texts = [text for text, _ in answers]
        rewards = super()._calculate_rewards(inputs, prompts, texts, completion_ids_list)
        total = (rewards * self.reward_weights.to(rewards.device)).nansum(1).tolist()
        self._dead = self.selection.update(gather_object([row["row"] for row in inputs]), total, self._group)
        return rewards

    @property
    def _group(self) -> int:
        return self.first_samples if self._sampling_first else int(self.num_generations or 1)

    _sampling_first = False

    def sample_first(self) -> None:
        """Sample each prompt that the selection does not know, and tell it the rewards; called on all ranks."""
        state, dead, groups = self.accelerator, 0, 0
        unknown = [place for place, (_, asked) in enumerate(self.selection.counts) if not asked]
        size = max(1, self._train_batch_size * int(self.args.steps_per_generation or 1) // self.first_samples)
        rows: Any = self.train_dataset
        model: Any = self.model
        model.train()  # else TRL counts no tokens
        self._sampling_first = True
        time_left = TimeLeft("train: first samples", len(unknown))
        for start in range(0, len(unknown), size * state.num_processes):
            first = start + size * state.process_index
            places = [unknown[place % len(unknown)] for place in range(first, first + size)]
            if state.num_processes == 1:
                places = unknown[start : start + size]  # the last part is not filled up
            inputs = [row for row in rows.select(places) for _ in range(self.first_samples)]
            self._prompt_ids = [row["prompt_ids"] for row in inputs]
            prompts = [row["prompt"] for row in inputs]
            _, ids, _, completions, *_ = self._generate(prompts)
            self._calculate_rewards(inputs, prompts, completions, ids)
            dead, groups = dead + self._dead, groups + len(places) * state.num_processes
            if state.is_main_process and groups < len(unknown):
                place = f"{groups} of {len(unknown)} prompts"
                time_left.update(groups, lambda _, place=place: place)  # type: ignore[misc]
        self._sampling_first = False
        self.selection.dead_before = dead / groups if groups else None
        self.selection.first_tokens = self.state.num_input_tokens_seen
        self._metrics["train"].clear()

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Leave the evaluation to the callbacks (`answering.ExactCalls`): sampled rewards would cost a step more."""
        self._clock = None
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, {})
        return {}

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log with the speed beside TRL's metrics.

        Args:
            logs: Name → value.
            start_time: As Trainer has it.
        """
        if "loss" in logs and self._clock is not None:
            now, (then, tokens_then) = (time.perf_counter(), self.state.num_input_tokens_seen), self._clock
            logs["tokens_per_second"], self._clock = (now[1] - tokens_then) / (now[0] - then), now
        super().log(logs, start_time)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        if self.is_world_process_zero():
            folder = f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
            self.selection.save(Path(self._get_output_dir(trial=trial), folder))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            self.selection.load(checkpoint)


class _FirstSampling(TrainerCallback):
    def __init__(self, trainer: GroupTrainer):
        self.trainer = trainer

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.trainer.first_samples and not state.global_step:
            self.trainer.sample_first()
