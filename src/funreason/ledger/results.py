"""What one step decided about one row, and why: a line of the ledger."""

from dataclasses import dataclass, field
from typing import ClassVar

from funreason.core.jsonio import JsonObject
from funreason.core.records import Row, Sample

VERDICTS = ("pass", "fail", "undecided", "skip")
ACTIONS = ("keep", "drop", "hard", "regenerate", "not_selected")
LEAVING = ("drop", "hard", "not_selected")


@dataclass(frozen=True)
class CheckResult(Row):
    """The result of a step of the chain (generate, the five checks, validate) for one row.

    Attributes:
        id: The id of the row.
        check: The name of the step.
        verdict: One of `VERDICTS`.
        action: One of `ACTIONS`: what becomes of the row.
        reason: Why; "" where there is nothing to say.
        attempts: How many texts judges, or the generator, wrote.
        votes: These texts in the order of asking, {"judge", "value" (null: unreadable), "text"}.
        old_answer: The answer before the step, where there is a new one, accepted or not.
        new_answer: The new answer.
        heuristics: The heuristics' result for the row as it came in, {"value" (null: unclear), "reason", "evidence"},
            and "score" and "likely" where the verifier was asked.
        sample: The row after the step, where it is at hand; not a part of the line.
    """

    check: str
    verdict: str
    action: str
    reason: str
    attempts: int = 0
    votes: list[JsonObject] = field(default_factory=list)
    old_answer: str | None = None
    new_answer: str | None = None
    heuristics: JsonObject | None = None
    sample: Sample | None = None

    _allowed: ClassVar = {"verdict": VERDICTS, "action": ACTIONS}

    @property
    def goes_on(self) -> bool:
        """Whether the row goes to the next step."""
        return self.action not in LEAVING

    def to_row(self) -> JsonObject:
        """The line of the ledger."""
        row = super().to_row()
        del row["sample"]
        return row
