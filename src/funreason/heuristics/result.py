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
    """

    value: bool | None
    reason: str
    evidence: dict[str, Any] = field(default_factory=dict)


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
