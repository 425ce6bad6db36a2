"""Running losses per segment between two logs, for training and evaluation apart."""

from collections.abc import Sequence

import torch
from accelerate import Accelerator

from funreason.srml.loss import mean_parts


class SegmentMeter:
    """Sums on the device; only `logs` waits for it, and for the other ranks.

    Args:
        names: The K segments.
        reduction: What their losses are means of, "batch" or "sample", see funreason.srml.loss.
    """

    def __init__(self, names: Sequence[str], reduction: str):
        self.names, self.reduction = names, reduction
        self._seen: dict[str, list[torch.Tensor]] = {}
        self._squares: torch.Tensor | None = None
        self._weights: list[list[float]] = []

    def add(self, mode: str, stats: torch.Tensor) -> None:
        """Count a micro-batch.

        Args:
            mode: "train" or "eval".
            stats: (B, 2, K), from `sample_stats`.
        """
        new = [mean_parts(stats, self.reduction), stats[:, 1].sum(0)]
        old = self._seen.get(mode)
        self._seen[mode] = new if old is None else [a + b for a, b in zip(old, new, strict=True)]

    def add_weights(self, weights: Sequence[float]) -> None:
        """Count one optimizer step's weights of the segments."""
        self._weights.append(list(weights))

    def add_gradient(self, gradient: torch.Tensor, segments: torch.Tensor) -> None:
        """Count the gradient at the last hidden states.

        Args:
            gradient: (…, n, H), of the loss with respect to the hidden states.
            segments: (…, n), the segment that each of them predicts.
        """
        squares = torch.linalg.vector_norm(gradient, dim=-1, dtype=torch.float32).square()
        new = torch.stack([squares[segments == k].sum() for k in range(1, len(self.names) + 1)])
        self._squares = new if self._squares is None else self._squares + new

    def logs(self, accelerator: Accelerator, kind: str) -> dict[str, float]:
        """What was counted in training since the last call, summed over all ranks.

        Args:
            accelerator: Reduces over the ranks.
            kind: The loss, "msl", "ssb" or "sft".

        Returns:
            Name in the log → value; empty if nothing was counted.
        """
        if "train" not in self._seen:
            return {}
        parts, tokens = (accelerator.reduce(sums, "sum") for sums in self._seen.pop("train"))
        logs = self._loss_logs(parts, tokens)[0]
        return logs | self._weight_logs(kind, parts[1].tolist()) | self._gradient_logs(accelerator)

    def evaluation(self, prefix: str, kind: str, weights: Sequence[float]) -> dict[str, float]:
        """The exact losses of an evaluation: Trainer's is a mean of batch means, which depends on the batches.

        Args:
            prefix: In front of the names, such as "eval" or "eval_live".
            kind: The loss, "msl", "ssb" or "sft".
            weights: The segments' weights now.

        Returns:
            Name → value, `<prefix>_loss` among them; empty if nothing was counted.
        """
        if "eval" not in self._seen:
            return {}
        logs, means = self._loss_logs(*self._seen.pop("eval"))
        weighted = sum(weight * mean for weight, mean in zip(weights, means[:-1], strict=True))
        logs["loss"] = means[-1] if kind == "sft" else weighted
        return {f"{prefix}_{name}": value for name, value in logs.items()}

    def _loss_logs(self, parts: torch.Tensor, tokens: torch.Tensor) -> tuple[dict[str, float], list[float]]:
        """Tokens of each segment, losses of those that have any; and the losses of all segments, then of the whole."""
        means = [total / max(n, 1) for total, n in zip(*parts.tolist(), strict=True)]
        counted = dict(zip(self.names, tokens.tolist(), strict=True))
        logs: dict[str, float] = {f"{name}_tokens": int(n) for name, n in counted.items()}
        return logs | {f"loss_{name}": m for (name, n), m in zip(counted.items(), means[:-1], strict=True) if n}, means

    def _weight_logs(self, kind: str, counts: list[float]) -> dict[str, float]:
        """The mean weight of each segment; `sft` sets none, but with `batch` implies the fractions of the tokens."""
        steps, self._weights = self._weights, []
        if kind != "sft":
            means = [sum(step) / len(step) for step in zip(*steps, strict=True)]
        elif self.reduction == "batch":
            means = [n / max(counts[-1], 1) for n in counts[:-1]]
        else:
            return {}
        return {f"weight_{name}": mean for name, mean in zip(self.names, means, strict=True)}

    def _gradient_logs(self, accelerator: Accelerator) -> dict[str, float]:
        """Each segment's fraction of the sum of the segments' gradient norms at the last hidden states."""
        if self._squares is None:
            return {}
        norms = accelerator.reduce(self._squares, "sum").sqrt().tolist()
        self._squares = None
        return {f"grad_fraction_{name}": n / (sum(norms) or 1.0) for name, n in zip(self.names, norms, strict=True)}
