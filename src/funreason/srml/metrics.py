"""Running losses per segment between two logs, for training and evaluation apart."""

from collections.abc import Sequence

import torch

from funreason.srml.loss import mean_parts


class SegmentMeter:
    """Adds up on the device; only `logs` waits for it, and for the other ranks.

    `names`: the K segments; `reduction`: what their losses are means of, see funreason.srml.loss.
    """

    def __init__(self, names: Sequence[str], reduction: str):
        self.names, self.reduction = names, reduction
        self._seen: dict[str, list[torch.Tensor]] = {}
        self._squares: torch.Tensor | None = None
        self._weights: list[list[float]] = []

    def add(self, mode: str, stats: torch.Tensor) -> None:
        """Count a micro-batch: `stats` (B, 2, K) as `sample_stats` gives."""
        new = [mean_parts(stats, self.reduction), stats[:, 1].sum(0)]
        old = self._seen.get(mode)
        self._seen[mode] = new if old is None else [a + b for a, b in zip(old, new, strict=True)]

    def add_weights(self, weights: Sequence[float]) -> None:
        """The segments' weights in one optimizer step."""
        self._weights.append(list(weights))

    def add_gradient(self, gradient: torch.Tensor, segments: torch.Tensor) -> None:
        """Count the loss's gradient with respect to the last hidden states (…, n, H) of segments (…, n)."""
        squares = torch.linalg.vector_norm(gradient, dim=-1, dtype=torch.float32).square()
        new = torch.stack([squares[segments == k].sum() for k in range(1, len(self.names) + 1)])
        self._squares = new if self._squares is None else self._squares + new

    def logs(self, mode: str, accelerator, kind: str, weights: Sequence[float]) -> dict[str, float]:
        """Everything since the last call, under the names it is logged by; nothing if nothing was counted.

        In training, sums over all ranks. In evaluation `stats` were gathered, and the loss itself is added: Trainer's
        is a mean of batch means, which depends on the batches.
        """
        if mode not in self._seen:
            return {}
        parts, tokens = self._seen.pop(mode)
        if mode == "train":
            parts, tokens = accelerator.reduce(parts, "sum"), accelerator.reduce(tokens, "sum")
        *means, whole = (total / max(n, 1) for total, n in zip(*parts.tolist(), strict=True))
        counted, prefix = dict(zip(self.names, tokens.tolist(), strict=True)), "eval_" if mode == "eval" else ""
        logs = {f"{prefix}{name}_tokens": int(n) for name, n in counted.items()}
        logs |= {f"{prefix}loss_{name}": m for (name, n), m in zip(counted.items(), means, strict=True) if n}
        if mode == "eval":
            weighed = sum(weight * mean for weight, mean in zip(weights, means, strict=True))
            return logs | {"eval_loss": whole if kind == "sft" else weighed}
        return logs | self._weight_logs(kind, parts[1].tolist()) | self._gradient_logs(accelerator)

    def _weight_logs(self, kind: str, counts: list[float]) -> dict[str, float]:
        """The mean weight of each segment; `sft` has none of its own, but with `batch` implies the token shares."""
        steps, self._weights = self._weights, []
        if kind != "sft":
            means = [sum(step) / len(step) for step in zip(*steps, strict=True)]
        elif self.reduction == "batch":
            means = [n / max(counts[-1], 1) for n in counts[:-1]]
        else:
            return {}
        return {f"weight_{name}": mean for name, mean in zip(self.names, means, strict=True)}

    def _gradient_logs(self, accelerator) -> dict[str, float]:
        """Each segment's share in the sum of the segments' gradient norms at the last hidden states."""
        if self._squares is None:
            return {}
        norms = accelerator.reduce(self._squares, "sum").sqrt().tolist()
        self._squares = None
        return {f"grad_share_{name}": n / (sum(norms) or 1.0) for name, n in zip(self.names, norms, strict=True)}
