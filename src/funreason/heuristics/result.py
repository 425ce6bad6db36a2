"""What the heuristics say of one row."""

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
