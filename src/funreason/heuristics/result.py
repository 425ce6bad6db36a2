"""What the heuristics say of one row."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class HeuristicResult:
    """The result of one check that asked no model.

    Attributes:
        value: True where the row clearly passes, False where it clearly fails, None where the heuristics cannot tell.
        reason: Why, in a few words.
        evidence: For the ledger, JSON values only: `seen` (the first few texts) and `count`, or what was counted.
        score: The verifier's log odds that the row is sound, where no rule decided and it could be scored.
        likely: Whether an undecided row is worth keeping, where it has a score.
    """

    value: bool | None
    reason: str
    evidence: dict[str, Any] = field(default_factory=dict)
    score: float | None = None
    likely: bool | None = None

    def to_row(self) -> dict[str, Any]:
        """The JSON object of the ledger, without the score where there is none."""
        row = {"value": self.value, "reason": self.reason, "evidence": self.evidence}
        return row if self.score is None else row | {"score": self.score, "likely": self.likely}


def unclear(reason: str, texts: Sequence[str] = ()) -> HeuristicResult:
    """A result without a verdict.

    Args:
        reason: Why the heuristics cannot tell.
        texts: What the reason is about, for the evidence.
    """
    return HeuristicResult(None, reason, evidence_of(texts))


def evidence_of(texts: Sequence[str]) -> dict[str, Any]:
    """The first few texts, shortened and in ASCII, since half a surrogate pair cannot be written to a file."""
    return {"seen": [ascii(text)[1:-1][:120] for text in texts[:4]], "count": len(texts)} if texts else {}
