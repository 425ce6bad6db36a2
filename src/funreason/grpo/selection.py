"""Which prompts teach: a group whose samples all earn the same has no advantage, and so no gradient.

For each prompt the selection keeps how often it was sampled, and how many of these samples earned what most of their
group did. With m, the chance of that most frequent reward, a group of n samples is dead with about mⁿ + (1 − m)ⁿ; for a
binary reward this is exact. The prompts whose next groups are the least likely to be dead are trained on in an epoch;
where those that teach are too few to fill it, they come again, with new samples, and a tenth of the epoch tries the
others. Every group is counted, and old counts fade, so that what was left out is tried again.
"""

import heapq
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

FILE = "selection.json"  # in a checkpoint
FADE = 0.7  # of the counts, per epoch
PRIOR, PRIOR_WEIGHT = 0.75, 1.0  # m of a prompt that was not sampled, and how many samples this belief is worth
AGAIN = 0.8  # a prompt is worth that much less each time that it comes again within an epoch
TRIED = 0.1  # of an epoch: prompts that are not among the others
DIGITS = 6  # rewards that differ by less are the same: they are sums of floats


class Selection:
    """The prompts of each epoch.

    Args:
        size: Number of prompts.
        samples: Completions per prompt in a group.
        fraction: Of the prompts, how many an epoch has; 1 takes all.
        seed: Of the order.
    """

    def __init__(self, size: int, samples: int, fraction: float, seed: int):
        self.size, self.samples, self.seed = size, samples, seed
        self.taken = max(1, round(fraction * size))
        self.counts = [[0.0, 0.0] for _ in range(size)]  # samples with the most frequent reward, all samples
        self.epoch = -1
        self.order: list[int] = []
        self.dead_before: float | None = None  # fraction of the groups of a first sampling, if there was one
        self.first_tokens = 0  # its prompts and completions

    def know(self, prompt: int, right: float, asked: float) -> None:
        """Count samples from before the training: `right` of `asked` were right."""
        self._count(prompt, max(right, asked - right), asked)

    def update(self, prompts: Sequence[int], rewards: Sequence[float], group: int) -> int:
        """Count the samples of whole groups.

        Args:
            prompts: The prompt of each sample; those of a group stand together.
            rewards: The reward of each sample.
            group: Samples per group.

        Returns:
            How many of the groups are dead.
        """
        dead = 0
        for start in range(0, len(prompts), group):
            earned = Counter(round(reward, DIGITS) for reward in rewards[start : start + group])
            most = max(earned.values())
            self._count(prompts[start], most, group)
            dead += most == group
        return dead

    def _count(self, prompt: int, most: float, asked: float) -> None:
        self.counts[prompt][0] += most
        self.counts[prompt][1] += asked

    def chance(self, prompt: int) -> float:
        """The chance that the next group of a prompt is not dead."""
        most, asked = self.counts[prompt]
        m = (most + PRIOR * PRIOR_WEIGHT) / (asked + PRIOR_WEIGHT)
        return 1 - m**self.samples - (1 - m) ** self.samples

    def begin(self, epoch: int) -> None:
        """Choose the prompts of an epoch and their order; once, also where it is called again within the epoch."""
        if epoch == self.epoch:
            return
        self.epoch = epoch
        order = list(range(self.size))
        random.Random(f"{self.seed} {epoch}").shuffle(order)
        if self.taken < self.size:
            order = self._chosen(order)
            random.Random(f"{self.seed} {epoch} chosen").shuffle(order)
        self.order = order
        self.counts = [[FADE * most, FADE * asked] for most, asked in self.counts]

    def _chosen(self, order: list[int]) -> list[int]:
        """`taken` of the prompts, the likeliest to teach first; of equals the first in `order`."""
        worth = [(-self.chance(prompt), place, prompt) for place, prompt in enumerate(order)]
        heapq.heapify(worth)
        chosen: list[int] = []
        while len(chosen) < self.taken - round(TRIED * self.taken):
            least, place, prompt = worth[0]
            chosen.append(prompt)
            heapq.heapreplace(worth, (AGAIN * least, place, prompt))
        taken = set(chosen)
        others = sorted((prompt for prompt in order if prompt not in taken), key=self.chance, reverse=True)
        return chosen + others[: self.taken - len(chosen)]

    def save(self, folder: str | Path) -> None:
        """Write the state into a checkpoint."""
        names = ("counts", "epoch", "order", "dead_before", "first_tokens")
        Path(folder, FILE).write_text(json.dumps({name: getattr(self, name) for name in names}))

    def load(self, folder: str | Path) -> None:
        """Read the state of a checkpoint."""
        for name, value in json.loads(Path(folder, FILE).read_text()).items():
            setattr(self, name, value)
