"""Running losses per segment between two logs, for training and evaluation apart."""

import torch

from funreason.srml.loss import segment_counts, segment_shares, segment_sums

NAMES = ("think", "result")


class SegmentMeter:
    """Adds up losses and tokens on the device; only `take` waits for it, and for the other ranks."""

    def __init__(self):
        self._seen: dict[str, list[torch.Tensor]] = {}

    def add(self, mode: str, nll: torch.Tensor, segments: torch.Tensor) -> None:
        """Count one micro-batch of this rank; `nll` and `segments` have one shape."""
        new = [segment_sums(nll, segments), segment_counts(segments)]
        old = self._seen.get(mode)
        self._seen[mode] = new if old is None else [a + b for a, b in zip(old, new, strict=True)]

    def take(self, mode: str, accelerator) -> tuple[list[float], list[int]]:
        """([L_think, L_result], [N_think, N_result]) of all ranks since the last call; L is 0 where N is."""
        sums, counts = (accelerator.reduce(x, "sum").tolist() for x in self._seen.pop(mode))
        return [total / max(n, 1) for total, n in zip(sums, counts, strict=True)], counts

    def logs(self, mode: str, accelerator, kind: str, think_weight: float) -> dict[str, float]:
        """What `take` gives under the names they are logged by; nothing if nothing was counted.

        In evaluation also the loss itself: Trainer's is a mean of batch means, which depends on the batches.
        """
        if mode not in self._seen:
            return {}
        means, counts = self.take(mode, accelerator)
        prefix = "eval_" if mode == "eval" else ""
        logs = {f"{prefix}{name}_tokens": n for name, n in zip(NAMES, counts, strict=True)}
        logs |= {f"{prefix}loss_{name}": m for name, m, n in zip(NAMES, means, counts, strict=True) if n}
        if mode == "eval":
            shares = segment_shares(kind, think_weight, torch.tensor(counts))
            logs["eval_loss"] = sum(share * mean for share, mean in zip(shares, means, strict=True))
        return logs
