"""The reasoning of earlier calls of a running turn, for chat templates that show it (Qwen3 and later).

A model that is served so sees why it called. Where the source does not say why, the accepted row of that earlier turn
of the same conversation does, if it made the same call.
"""

import re
from collections import Counter
from dataclasses import replace
from typing import Any

from funreason.calls import canonical
from funreason.core.records import Sample
from funreason.ledger.outcomes import RowHistory

_TURN = re.compile(r"(.+)@(\d+)(?:#\d+)?", re.DOTALL)  # `<conversation>@<turn>`, numbered where several are drawn


class StepReasoning:
    """Fills in the steps of a conversation's rows. Its turns come one after the other.

    Attributes:
        counts: Earlier calls in the rows by where their reasoning is from: `source`, `samples`, `none`.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._conversation = ""
        self._known: dict[tuple[int, str], str] = {}  # (turn, what was said) → its reasoning

    def add(self, histories: list[RowHistory]) -> None:
        """Learn the reasoning of a turn: of its accepted rows, those that are trained on first."""
        for history in sorted(histories, key=lambda history: not history.goes_on):
            sample = history.sample
            if not (history.passed and sample and (found := _TURN.fullmatch(sample.id))):
                continue
            if found[1] != self._conversation:
                self._conversation, self._known = found[1], {}
            if sample.cot:
                self._known.setdefault((int(found[2]), _said(sample.answer)), sample.cot)

    def filled(self, sample: Sample) -> Sample:
        """The sample, whose steps have their reasoning where it is known."""
        found = _TURN.fullmatch(sample.id)
        calls = [message for message in sample.steps if message["role"] == "assistant"]
        if not calls:
            return sample
        turn = int(found[2]) - len(calls) if found and found[1] == self._conversation else None
        steps = []
        for message in sample.steps:
            if message["role"] == "assistant":
                message = self._with_reasoning(message, turn)
                turn = None if turn is None else turn + 1
            steps.append(message)
        return replace(sample, steps=steps)

    def metrics(self) -> dict[str, int]:
        """The counts, all three."""
        return {name: self.counts[name] for name in ("source", "samples", "none")}

    def _with_reasoning(self, message: dict[str, Any], turn: int | None) -> dict[str, Any]:
        reasoning = None if turn is None else self._known.get((turn, _said(message["content"])))
        origin = "source" if message.get("reasoning") else "samples" if reasoning else "none"
        self.counts[origin] += 1
        return message | {"reasoning": reasoning} if origin == "samples" else message


def _said(answer: str) -> str:
    """An answer as a text to compare: calls whatever the order of their arguments."""
    return canonical(answer) or answer.strip()
