"""SRMLTrainer: TRL's SFTTrainer with the multiscale loss, exact over accumulation steps and ranks."""

import torch
from datasets import Dataset
from transformers import AutoTokenizer
from transformers.trainer_pt_utils import BatchRebalanceSampler
from trl import SFTTrainer

from funreason.srml.collator import SegmentCollator
from funreason.srml.config import SRMLConfig
from funreason.srml.head import forward_compacted
from funreason.srml.loss import segment_counts, segment_shares, token_weights
from funreason.srml.meter import SegmentMeter
from funreason.srml.segments import MASKED, LabelReport, label_rows

REFUSED = ("data_collator", "formatting_func", "compute_loss_func")


class SRMLTrainer(SFTTrainer):
    """Trains on prompt–completion rows whose completion is `<think>…</think>` and a result.

    Takes SFTTrainer's arguments but `REFUSED`. The rows are cut into segments here; what cannot be cut is
    dropped and counted in `label_reports`, and too much of it raises DataError. A dataset that has
    `segment_ids` is taken as it is. Logs `loss_think` and `loss_result`, token means since the last log, and
    their token counts beside `loss`; in evaluation all of them are exact over the data set, whatever the batches
    (on several ranks but for rows that accelerate repeats to fill the last batches).
    """

    _tag_names = ["trl", "sft", "srml"]
    _name = "SRML"
    # compute_loss divides by the counts of the whole optimizer step; dividing by the number of micro-batches
    # once more would shrink the gradient.
    loss_is_scaled_for_ga = True

    def __init__(self, model, args=None, *, train_dataset, eval_dataset=None, processing_class=None, **kwargs):
        if refused := sorted(set(REFUSED) & set(kwargs)):
            raise ValueError(f"{', '.join(refused)}: SRMLTrainer labels and weighs the rows itself")
        args = args or SRMLConfig("trainer_output")
        name = model if isinstance(model, str) else model.config._name_or_path
        tokenizer = processing_class or AutoTokenizer.from_pretrained(name)
        self.label_reports: dict[str, LabelReport] = {}
        self._meter = SegmentMeter()
        kwargs["train_dataset"] = self._labelled(train_dataset, "train", tokenizer, args)
        kwargs["eval_dataset"] = self._labelled(eval_dataset, "eval", tokenizer, args)
        args.dataset_kwargs = {**(args.dataset_kwargs or {}), "skip_prepare_dataset": True}
        # Over-long rows are gone by now, and TRL refuses a limit that padding-free batches do not enforce.
        max_length, args.max_length = args.max_length, None
        super().__init__(model, args, processing_class=tokenizer, **kwargs)
        args.max_length = max_length
        self._refuse_sharded_sequences()
        # Not an argument of super().__init__, which takes no collator of ours together with padding_free.
        self.data_collator = SegmentCollator(
            pad_token_id=self.data_collator.pad_token_id,
            padding_free=self.padding_free,
            pad_to_multiple_of=args.pad_to_multiple_of,
        )

    def _labelled(self, rows, name: str, tokenizer, args: SRMLConfig):
        """`rows` with ids, labels and segments: a Dataset, a dict of them, or None."""
        if isinstance(rows, dict):
            return {key: self._labelled(value, key, tokenizer, args) for key, value in rows.items()}
        if rows is None or (isinstance(rows, Dataset) and "segment_ids" in rows.column_names):
            return rows
        dataset, self.label_reports[name] = label_rows(rows, tokenizer, args.max_length)
        self.label_reports[name].check(args.max_dropped_share)
        return dataset

    def _refuse_sharded_sequences(self):
        config = self.accelerator.parallelism_config
        if config is not None and (config.cp_enabled or config.sp_enabled or config.tp_enabled):
            raise ValueError(
                "context, sequence and tensor parallelism do not shard the segments beside the tokens; "
                "use data parallelism (DDP, FSDP, DeepSpeed ZeRO)"
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
        return super().evaluate(eval_dataset, *args, **kwargs)

    def get_batch_samples(self, epoch_iterator, num_batches, device):
        """The micro-batches of one optimizer step, and their [N_think, N_result] over all ranks."""
        batches, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        counts = torch.zeros(2, dtype=torch.long, device=device)
        for batch in batches:
            counts += segment_counts(batch["segment_ids"][:, 1:]).to(device)
        return batches, self.accelerator.reduce(counts, "sum")

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        """This micro-batch's addend to the loss; `num_items_in_batch` is what get_batch_samples counted.

        TRL computes its token mean and its metrics as always, from log-probabilities that carry our weights.
        """
        segments = inputs.pop("segment_ids")[:, 1:]
        counts = segment_counts(segments) if num_items_in_batch is None else num_items_in_batch

        def weighted(**call):
            if not call.get("fused_lm_head"):
                return model(**call)
            outputs, scored = self._forward(model, segments, call)
            self._meter.add(self._mode, -outputs.log_probs, scored)
            shares = segment_shares(self.args.segment_loss, self.args.think_weight, counts)
            outputs.log_probs = outputs.log_probs * token_weights(scored, counts, shares)
            return outputs

        return super().compute_loss(weighted, inputs, return_outputs, num_items_in_batch=counts.sum())

    def _forward(self, model, segments, call):
        """(outputs, the segments of their positions): (B, S-1), or (1, n) with a compacted head."""
        if not self.args.compact_head:
            return model(**call), segments
        mask = segments != MASKED
        bare = self.accelerator.unwrap_model(model)
        return forward_compacted(model, bare, mask, call), segments[mask][None]

    @property
    def _mode(self) -> str:
        return "train" if self.model.training else "eval"

    def log(self, logs, start_time=None):
        args = self.args
        logs.update(self._meter.logs(self._mode, self.accelerator, args.segment_loss, args.think_weight))
        super().log(logs, start_time)
