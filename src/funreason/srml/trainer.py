"""SRMLTrainer: TRL's SFTTrainer with the multiscale loss, exact over accumulation steps and ranks."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback
from transformers.trainer_pt_utils import BatchRebalanceSampler
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR
from trl import SFTTrainer

from funreason.srml.adaptive import Balance
from funreason.srml.collator import SegmentCollator, check_segments, pack_rows
from funreason.srml.config import SRMLConfig
from funreason.srml.heads import add_linear_head, forward_compacted, hidden_state_hook, linear_head_problem
from funreason.srml.isolation import check_isolation
from funreason.srml.loss import mean_parts, sample_stats, segment_counts, token_weights
from funreason.srml.metrics import SegmentMeter
from funreason.srml.parallel import check_processes, reduce_in_float32, whole_weights
from funreason.srml.rows import AdaptPrompt, Cut, think_and_result
from funreason.srml.segments import MASKED, LabelReport, label_rows

REFUSED = ("data_collator", "formatting_func", "compute_loss_func")


class SRMLTrainer(SFTTrainer):
    """Trains on prompt–completion rows whose completion is `<think>…</think>` and a result.

    Of rows of `messages` or ShareGPT's `conversations` the last turn of the assistant is the completion; a `text` is
    cut at its `<think>`.

    Rows that cannot be cut into segments are dropped and counted in `label_reports`. A data set that has `segment_ids`
    is taken as it is.

    Logs beside `loss`, since the last log and over all ranks: `loss_<segment>`, `weight_<segment>`, `<segment>_tokens`,
    `grad_fraction_<segment>` (of the sum of the segments' gradient norms at the last hidden states) and
    `tokens_per_second`. In evaluation the losses are exact over the data set, whatever the batches and ranks.

    Args:
        model: A model, or the folder or hub id of one.
        args: The options; by default SRMLConfig's.
        train_dataset: Rows to train on, a Dataset or a list.
        eval_dataset: Rows whose losses are measured, or a dict of such data sets.
        processing_class: The tokenizer; by default the model's.
        cut: Where the segments of a completion begin, for segments of your own (`SRMLConfig.segment_weights`).
        adapt_prompt: Rewrites the messages of a prompt for the chat template. Without it, rows with messages of role
            `tool` are dropped where the template leaves those out.
        kwargs: The other arguments of SFTTrainer, except REFUSED.

    Raises:
        ValueError: An argument is not allowed.
        TrainingDataError: More rows than `max_dropped_fraction` cannot be used.
    """

    args: SRMLConfig
    model: PreTrainedModel

    _tag_names = ["trl", "sft", "srml"]
    _name = "SRML"
    # compute_loss divides by the counts of the whole optimizer step; dividing by the number of micro-batches
    # once more would shrink the gradient.
    loss_is_scaled_for_ga: Any = True

    def __init__(
        self,
        model: PreTrainedModel | str,
        args: SRMLConfig | None = None,
        *,
        train_dataset: Any,
        eval_dataset: Any = None,
        processing_class: PreTrainedTokenizerBase | None = None,
        cut: Cut = think_and_result,
        adapt_prompt: AdaptPrompt | None = None,
        **kwargs: Any,
    ):
        if refused := sorted(set(REFUSED) & set(kwargs)):
            raise ValueError(f"{', '.join(refused)}: SRMLTrainer labels and weighs the rows itself")
        args = args or SRMLConfig("trainer_output")
        name = model if isinstance(model, str) else model.config._name_or_path
        tokenizer = processing_class or AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        self.label_reports: dict[str, LabelReport] = {}
        self._cut, self._adapt_prompt = cut, adapt_prompt
        self._meter = SegmentMeter(args.segment_names, args.segment_reduction)
        self.balance: Balance | None = args.balance() if args.segment_loss == "ssb" else None
        self._step_parts: torch.Tensor | None = None
        self._clock: tuple[float, int] | None = None  # seconds and tokens at the last log
        train_dataset = self._labelled(train_dataset, "train", tokenizer, args)
        kwargs["train_dataset"] = pack_rows(train_dataset, args.max_length or 0) if args.packing else train_dataset
        kwargs["eval_dataset"] = self._labelled(eval_dataset, "eval", tokenizer, args)
        given: Any = args.dataset_kwargs or {}
        args.dataset_kwargs = {**given, "skip_prepare_dataset": True}
        # Over-long rows are gone by now, and TRL refuses a limit that padding-free batches do not enforce.
        max_length, args.max_length = args.max_length, None
        super().__init__(model, args, processing_class=tokenizer, **kwargs)
        args.max_length = max_length
        check_processes(self.accelerator, args.expected_world_size)
        reduce_in_float32(self.accelerator)
        if self.padding_free and self.is_world_process_zero():
            check_isolation(self.model)
        self.add_callback(_EpochOrder())
        if self.balance is not None:
            self.add_callback(_BalanceStep(self._balance_step))
        self._linear = self._takes_linear_head()
        if self._linear:
            add_linear_head(self.model)
        # Not an argument of super().__init__, which takes no collator of ours together with padding_free.
        collator: Any = self.data_collator
        self.data_collator = SegmentCollator(
            pad_token_id=collator.pad_token_id,
            padding_free=self.padding_free,
            pad_to_multiple_of=collator.pad_to_multiple_of,
        )

    def _takes_linear_head(self) -> bool:
        """On CUDA TRL's head has kernels of its own; on a CPU torch's takes less time and memory (docs/LOG.md)."""
        if self.args.head != "auto":
            return self.args.head == "linear"
        return self.args.device.type == "cpu" and self.args.compact_head and linear_head_problem(self.model) is None

    def _labelled(self, rows: Any, name: str, tokenizer: PreTrainedTokenizerBase, args: SRMLConfig) -> Any:
        """`rows` with ids, labels and segments: a Dataset, a dict of them, or None."""
        if isinstance(rows, dict):
            return {key: self._labelled(value, key, tokenizer, args) for key, value in rows.items()}
        if rows is None:
            return None
        if isinstance(rows, Dataset) and "segment_ids" in rows.column_names:
            return check_segments(rows, args.segment_names)
        dataset, report = label_rows(
            rows, tokenizer, args.max_length, self._cut, args.segment_names, self._adapt_prompt
        )
        self.label_reports[name] = report
        report.check(args.max_dropped_fraction)
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        if self._signature_columns is None:
            super()._set_signature_columns_if_needed()
            columns: Any = self._signature_columns
            columns.append("segment_ids")

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        sampler = super()._get_train_sampler(train_dataset)
        if isinstance(sampler, BatchRebalanceSampler):  # Trainer leaves its seed at 42, whatever the run's is
            sampler.seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        return sampler

    def evaluate(self, eval_dataset: Any = None, *args: Any, **kwargs: Any) -> dict[str, float]:
        """SFTTrainer's `evaluate`, which also takes rows that are not labelled yet."""
        self._clock = None
        return super().evaluate(self._to_measure(eval_dataset), *args, **kwargs)

    def predict(self, test_dataset: Any, *args: Any, **kwargs: Any) -> Any:
        """SFTTrainer's `predict`, which also takes rows that are not labelled yet."""
        return super().predict(self._to_measure(test_dataset), *args, **kwargs)

    def _to_measure(self, rows: Any) -> Any:
        """Labelled rows; the name of a data set that is labelled already is left as it is."""
        tokenizer: Any = self.processing_class
        rows = rows if isinstance(rows, str) else self._labelled(rows, "eval", tokenizer, self.args)
        if isinstance(rows, Dataset) and "seq_lengths" in rows.column_names:
            raise ValueError("packed rows are not evaluated: give the rows as they were before packing")
        return rows

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> Any:
        """Trainer's loop over one data set, of `evaluate` and `predict`, with exact losses in its metrics."""
        output: Any = super().evaluation_loop(
            dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix
        )
        exact = self._meter.evaluation(metric_key_prefix, self.args.segment_loss, self.segment_weights)
        output.metrics.update(exact)
        return output

    @property
    def segment_weights(self) -> list[float]:
        """The segments' weights in the next optimizer step, as the loss has them (`sft` has one for all)."""
        args = self.args
        if args.fixed_weights is not None:
            return list(args.fixed_weights.values())
        think = args.think_weight if self.balance is None else self.balance.value
        return [think, 1 - think]

    def _objective(self, segments: torch.Tensor) -> tuple[torch.Tensor, dict[int, float]]:
        """(segments as the loss sees them, segment → weight)."""
        if self.args.segment_loss == "sft":
            return (segments != MASKED).long(), {1: 1.0}
        return segments, dict(enumerate(self.segment_weights, 1))

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: torch.device) -> Any:
        """The micro-batches of one optimizer step, and the counts D_k of its segments over all ranks."""
        if self._clock is None:
            self._clock = time.perf_counter(), self._total_train_tokens
        batches, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        ids = self._objective(torch.zeros(1))[1]
        counts = torch.zeros(len(ids), dtype=torch.long, device=device)
        for batch in batches:
            segments = self._objective(batch["segment_ids"][:, 1:])[0]
            samples = batch["sample_ids"][:, 1:]
            counts += segment_counts(segments, samples, list(ids), self.args.segment_reduction).to(device)
        self._meter.add_weights(self.segment_weights)
        return batches, self.accelerator.reduce(counts, "sum")

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """This micro-batch's addend to the loss.

        TRL computes its token mean and its metrics as always, from log-probabilities that carry our weights.

        Args:
            model: The model, perhaps wrapped for several devices.
            inputs: A batch of SegmentCollator; `segment_ids` and `sample_ids` are taken out.
            return_outputs: Whether to return the model's outputs, too.
            num_items_in_batch: (K,), D_k as get_batch_samples counted them; None counts this batch's.

        Returns:
            The loss, or the loss and the outputs.
        """
        segments, samples = inputs.pop("segment_ids")[:, 1:], inputs.pop("sample_ids")[:, 1:]
        size, reduction = int(samples.max()) + 1, self.args.segment_reduction
        mask = segments != MASKED if self.args.compact_head else None
        if mask is not None:
            segments, samples = segments[mask][None], samples[mask][None]
        objective, weights = self._objective(segments)
        counts = num_items_in_batch
        if counts is None:
            counts = segment_counts(objective, samples, list(weights), reduction)

        def weighted(**call: Any) -> Any:
            if not call.get("fused_lm_head"):
                return model(**call)
            on_gradient = partial(self._meter.add_gradient, segments=segments) if self.model.training else None
            with hidden_state_hook(self.accelerator.unwrap_model(model), mask, on_gradient):
                outputs = model(**call) if mask is None else forward_compacted(model, mask, call)
            self._count(-outputs.log_probs, segments, samples, size)
            outputs.log_probs = outputs.log_probs * token_weights(objective, samples, weights, counts, reduction)
            return outputs

        return super().compute_loss(weighted, inputs, return_outputs, num_items_in_batch=counts.sum())

    def _count(self, nll: torch.Tensor, segments: torch.Tensor, samples: torch.Tensor, size: int) -> None:
        stats = sample_stats(nll, segments, samples, range(1, len(self.args.segment_names) + 1), size)
        if not self.model.training:  # without the rows that accelerate repeats to fill the last batches
            self._meter.add("eval", self.accelerator.gather_for_metrics(stats))
            return
        self._meter.add("train", stats)
        if self.balance is not None:
            parts = mean_parts(stats, self.args.segment_reduction)[:, :-1]
            self._step_parts = parts if self._step_parts is None else self._step_parts + parts

    def _balance_step(self) -> None:
        """Move SSB's α by the losses of the optimizer step about to be taken, if both segments have tokens in it."""
        parts, self._step_parts = self._step_parts, None
        (think, result), counts = self.accelerator.reduce(parts, "sum").tolist()
        if self.balance is not None and all(counts):
            optimizer: Any = self.optimizer
            self.balance.update(think / counts[0], result / counts[1], optimizer.param_groups[0]["lr"])

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Save the whole model, called on all ranks. A checkpoint of sharded states does not hold it a second time.

        Args:
            output_dir: The folder; by default the one of the training.
            _internal_call: Whether Trainer calls it for a checkpoint.
        """
        with nullcontext() if _internal_call else whole_weights(self.accelerator):
            super().save_model(output_dir, _internal_call)

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        if self.balance is not None and self.is_world_process_zero():
            folder = f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
            self.balance.save(Path(self._get_output_dir(trial=trial), folder))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if self.balance is not None and checkpoint is not None:
            self.balance.load(checkpoint)

    def _issue_warnings_after_load(self, load_result: Any) -> None:
        # A checkpoint holds tied weights once: the other name is not missing.
        parameters = dict(self.model.named_parameters(remove_duplicate=False))
        loaded = {id(value) for name, value in parameters.items() if name not in load_result.missing_keys}
        missing = [name for name in load_result.missing_keys if id(parameters.get(name)) not in loaded]
        super()._issue_warnings_after_load(load_result._replace(missing_keys=missing))

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log with the segments' losses, weights, tokens and gradients beside TRL's metrics.

        Args:
            logs: Name → value.
            start_time: As Trainer has it.
        """
        mode = "train" if self.model.training else "eval"
        counted = self._meter.logs(self.accelerator, self.args.segment_loss) if mode == "train" else {}
        logs.update(counted)
        if counted and self._clock is not None:
            now, (then, tokens_then) = (time.perf_counter(), self._total_train_tokens), self._clock
            logs["tokens_per_second"], self._clock = (now[1] - tokens_then) / (now[0] - then), now
        if self._linear:  # which leaves TRL's other metrics at zero
            for name in ("entropy", "mean_token_accuracy"):
                self._metrics[mode].pop(name, None)
        super().log(logs, start_time)


class _BalanceStep(TrainerCallback):
    def __init__(self, step: Callable[[], None]):
        self.step = step

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.step()


class _EpochOrder(TrainerCallback):
    """Tells every sampler its epoch. Resumed within one, on several processes, Trainer and accelerate reach the outer
    ones alone: the rows would come in the order of epoch 0, some twice and some never."""

    def on_epoch_begin(self, args: Any, state: Any, control: Any, train_dataloader: Any = None, **kwargs: Any) -> None:
        sampler = train_dataloader
        while sampler is not None:
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(int(state.epoch or 0))
            inner = (getattr(sampler, name, None) for name in ("batch_sampler", "sampler"))
            sampler = next((one for one in inner if one is not None), None)
