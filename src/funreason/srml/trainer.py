"""SRMLTrainer: TRL's SFTTrainer with the multiscale loss, exact over accumulation steps and ranks."""

import time
from functools import partial
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoTokenizer, TrainerCallback
from transformers.trainer_pt_utils import BatchRebalanceSampler
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR
from trl import SFTTrainer

from funreason.srml.collator import SegmentCollator
from funreason.srml.config import SRMLConfig
from funreason.srml.cut import Cut, think_and_result
from funreason.srml.head import forward_compacted, watched
from funreason.srml.loss import mean_parts, sample_stats, segment_counts, token_weights
from funreason.srml.metrics import SegmentMeter
from funreason.srml.rows import checked_rows, packed_rows
from funreason.srml.segments import MASKED, LabelReport, label_rows
from funreason.srml.torch_head import add_linear_head, obstacle

REFUSED = ("data_collator", "formatting_func", "compute_loss_func")


class SRMLTrainer(SFTTrainer):
    """Trains on prompt–completion rows whose completion is `<think>…</think>` and a result.

    Takes SFTTrainer's arguments but `REFUSED`, and `cut`: where the segments of a completion begin, for other segments
    (`SRMLConfig.segment_weights`). What cannot be cut is dropped and counted in `label_reports`, and too much of it
    raises DataError. A dataset that has `segment_ids` is taken as it is.

    Logs beside `loss`, since the last log and over all ranks: `loss_<segment>`, `weight_<segment>`, `<segment>_tokens`,
    `grad_share_<segment>` (of the norms of the loss's gradient at the last hidden states) and `tokens_per_second`. In
    evaluation the losses are exact over the data set, whatever the batches and ranks.
    """

    _tag_names = ["trl", "sft", "srml"]
    _name = "SRML"
    # compute_loss divides by the counts of the whole optimizer step; dividing by the number of micro-batches
    # once more would shrink the gradient.
    loss_is_scaled_for_ga = True

    def __init__(
        self, model, args=None, *, train_dataset, eval_dataset=None, processing_class=None,
        cut: Cut = think_and_result, **kwargs,
    ):  # fmt: skip
        if refused := sorted(set(REFUSED) & set(kwargs)):
            raise ValueError(f"{', '.join(refused)}: SRMLTrainer labels and weighs the rows itself")
        args = args or SRMLConfig("trainer_output")
        name = model if isinstance(model, str) else model.config._name_or_path
        tokenizer = processing_class or AutoTokenizer.from_pretrained(name)
        self.label_reports: dict[str, LabelReport] = {}
        self._cut = cut
        self._meter = SegmentMeter(args.segment_names, args.segment_reduction)
        self.balance = args.balance() if args.segment_loss == "ssb" else None
        self._step_parts = None
        self._clock: tuple[float, int] | None = None  # seconds and tokens at the last log
        train_dataset = self._labelled(train_dataset, "train", tokenizer, args)
        kwargs["train_dataset"] = packed_rows(train_dataset, args.max_length) if args.packing else train_dataset
        kwargs["eval_dataset"] = self._labelled(eval_dataset, "eval", tokenizer, args)
        args.dataset_kwargs = {**(args.dataset_kwargs or {}), "skip_prepare_dataset": True}
        # Over-long rows are gone by now, and TRL refuses a limit that padding-free batches do not enforce.
        max_length, args.max_length = args.max_length, None
        super().__init__(model, args, processing_class=tokenizer, **kwargs)
        args.max_length = max_length
        self._check_processes()
        if self.balance is not None:
            self.add_callback(_BalanceStep(self._balance_step))
        self._linear = self._takes_linear_head()
        if self._linear:
            add_linear_head(self.model)
        # Not an argument of super().__init__, which takes no collator of ours together with padding_free.
        self.data_collator = SegmentCollator(
            pad_token_id=self.data_collator.pad_token_id,
            padding_free=self.padding_free,
            pad_to_multiple_of=args.pad_to_multiple_of,
        )

    def _takes_linear_head(self) -> bool:
        """On CUDA TRL's head has kernels of its own; on a CPU torch's takes less time and memory (docs/LOG.md)."""
        fits = self.args.device.type == "cpu" and self.args.compact_head and obstacle(self.model) is None
        return self.args.head == "linear" or (self.args.head == "auto" and fits)

    def _labelled(self, rows, name: str, tokenizer, args: SRMLConfig):
        """`rows` with ids, labels and segments: a Dataset, a dict of them, or None."""
        if isinstance(rows, dict):
            return {key: self._labelled(value, key, tokenizer, args) for key, value in rows.items()}
        if rows is None:
            return None
        if isinstance(rows, Dataset) and "segment_ids" in rows.column_names:
            return checked_rows(rows, args.segment_names)
        found = label_rows(rows, tokenizer, args.max_length, self._cut, args.segment_names)
        dataset, self.label_reports[name] = found
        self.label_reports[name].check(args.max_dropped_fraction)
        return dataset

    def _check_processes(self):
        config, found, wanted = self.accelerator.parallelism_config, self.args.world_size, self.args.expected_world_size
        if config is not None and (config.cp_enabled or config.sp_enabled or config.tp_enabled):
            raise ValueError(
                "context, sequence and tensor parallelism do not shard the segments beside the tokens; "
                "use data parallelism (DDP, FSDP, DeepSpeed ZeRO)"
            )
        if wanted not in (None, found):
            raise ValueError(
                f"{found} processes take part, expected are {wanted}: the launcher started fewer or more; "
                "on a CPU use torchrun (`accelerate launch --cpu` starts one)"
            )

    def _set_signature_columns_if_needed(self):
        if self._signature_columns is None:
            super()._set_signature_columns_if_needed()
            self._signature_columns += ["segment_ids"]

    def _get_train_sampler(self, train_dataset=None):
        sampler = super()._get_train_sampler(train_dataset)
        if isinstance(sampler, BatchRebalanceSampler):  # Trainer leaves its seed at 42, whatever the run's is
            sampler.seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        return sampler

    def evaluate(self, eval_dataset=None, *args, **kwargs):
        if not isinstance(eval_dataset, str):
            eval_dataset = self._labelled(eval_dataset, "eval", self.processing_class, self.args)
        self._clock = None
        return super().evaluate(eval_dataset, *args, **kwargs)

    @property
    def segment_weights(self) -> list[float]:
        """The segments' weights in the next optimizer step, as the loss has them (`sft` has one for all)."""
        args = self.args
        if args.segment_weights is not None:
            return list(args.segment_weights.values())
        think = args.think_weight if self.balance is None else self.balance.value
        return [think, 1 - think]

    def _objective(self, segments: torch.Tensor) -> tuple[torch.Tensor, dict[int, float]]:
        """(segments as the loss sees them, segment → weight)."""
        if self.args.segment_loss == "sft":
            return (segments != MASKED).long(), {1: 1.0}
        return segments, dict(enumerate(self.segment_weights, 1))

    def get_batch_samples(self, epoch_iterator, num_batches, device):
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

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        """This micro-batch's addend to the loss; `num_items_in_batch` is what get_batch_samples counted.

        TRL computes its token mean and its metrics as always, from log-probabilities that carry our weights.
        """
        segments, samples = inputs.pop("segment_ids")[:, 1:], inputs.pop("sample_ids")[:, 1:]
        size, reduction = int(samples.max()) + 1, self.args.segment_reduction
        if self.args.compact_head:
            mask = segments != MASKED
            segments, samples = segments[mask][None], samples[mask][None]
        objective, weights = self._objective(segments)
        counts = num_items_in_batch
        if counts is None:
            counts = segment_counts(objective, samples, list(weights), reduction)

        def weighted(**call):
            if not call.get("fused_lm_head"):
                return model(**call)
            on_gradient = partial(self._meter.add_gradient, segments=segments) if self.model.training else None
            compact = mask if self.args.compact_head else None
            with watched(self.accelerator.unwrap_model(model), compact, on_gradient):
                outputs = model(**call) if compact is None else forward_compacted(model, mask, call)
            self._count(-outputs.log_probs, segments, samples, size)
            outputs.log_probs = outputs.log_probs * token_weights(objective, samples, weights, counts, reduction)
            return outputs

        return super().compute_loss(weighted, inputs, return_outputs, num_items_in_batch=counts.sum())

    def _count(self, nll, segments, samples, size: int) -> None:
        stats = sample_stats(nll, segments, samples, range(1, len(self.args.segment_names) + 1), size)
        if not self.model.training:  # without the rows that accelerate repeats to fill the last batches
            self._meter.add("eval", self.accelerator.gather_for_metrics(stats))
            return
        self._meter.add("train", stats)
        if self.balance is not None:
            parts = mean_parts(stats, self.args.segment_reduction)[:, :-1]
            self._step_parts = parts if self._step_parts is None else self._step_parts + parts

    def _balance_step(self) -> None:
        """Move SSB's α by the losses of the optimizer step that is about to be taken; both need tokens for that."""
        parts, self._step_parts = self._step_parts, None
        (think, result), counts = self.accelerator.reduce(parts, "sum").tolist()
        if all(counts):
            self.balance.update(think / counts[0], result / counts[1])

    def _save_checkpoint(self, model, trial):
        super()._save_checkpoint(model, trial)
        if self.balance is not None and self.is_world_process_zero():
            folder = f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
            self.balance.save(Path(self._get_output_dir(trial=trial), folder))

    def _load_optimizer_and_scheduler(self, checkpoint):
        super()._load_optimizer_and_scheduler(checkpoint)
        if self.balance is not None and checkpoint is not None:
            self.balance.load(checkpoint)

    def log(self, logs, start_time=None):
        mode = "train" if self.model.training else "eval"
        found = self._meter.logs(mode, self.accelerator, self.args.segment_loss, self.segment_weights)
        logs.update(found)
        if mode == "train" and found and self._clock is not None:
            now, (before, had) = (time.perf_counter(), self._total_train_tokens), self._clock
            logs["tokens_per_second"], self._clock = (now[1] - had) / (now[0] - before), now
        if self._linear:  # which leaves TRL's other metrics at zero
            for name in ("entropy", "mean_token_accuracy"):
                self._metrics[mode].pop(name, None)
        super().log(logs, start_time)


class _BalanceStep(TrainerCallback):
    def __init__(self, step):
        self.step = step

    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        self.step()
