"""Stops a check that empties the round: most of its rows removed, or most of them undecided."""

import logging
from collections import Counter

from funreason.calls import canonical
from funreason.config import FcdrParams
from funreason.core.errors import DataError
from funreason.ledger.results import CheckResult

MIN_ROWS = 100  # of fewer rows a large fraction may be by chance: the check warns and goes on
_MIN_WARNED = 10  # of fewer rows a fraction says nothing
logger = logging.getLogger(__name__)
_REASONS = 3  # that the message names
_NO_CALL = canonical("[]")  # a refusal


class Guard:
    """Counts the results of a check as they pass by; a statement, which skips the check, is not among its rows.

    Readable calls that the check `response` takes for a statement count as removed: they skip all other checks.

    Args:
        check: The name of the check.
        fcdr: fcdr.max_removed and fcdr.max_undecided, the greatest fractions of the rows that the check is asked about.
    """

    def __init__(self, check: str, fcdr: FcdrParams):
        self.check, self.fcdr = check, fcdr
        self.rows, self.undecided = 0, 0
        self.removed: Counter[str] = Counter()
        self.unclear: Counter[str] = Counter()
        self.examples: dict[str, str] = {}  # reason → id of the first row with it

    def add(self, result: CheckResult) -> None:
        """Count the result of a row."""
        if result.verdict == "skip":
            return
        self.rows += 1
        lost = _is_lost_call(result)
        reason = "calls taken for a statement" if lost else _reason(result)
        self.examples.setdefault(reason, result.id)
        if result.action in ("drop", "hard") or lost:
            self.removed[reason] += 1
        if result.verdict == "undecided":
            self.undecided += 1
            self.unclear[reason] += 1

    def stop_if_emptying(self) -> None:
        """Look at the counts so far; of fewer than `MIN_ROWS` rows they are warned of.

        Raises:
            DataError: More rows are removed or undecided than the parameters allow.
        """
        if self.removed.total() > self.fcdr.max_removed * self.rows:
            judges = "" if self.fcdr.mode == "heuristics" else "the judge, "
            remedy = f"look at these rows, then change {judges}the data or fcdr.mode"
            if self.undecided > self.removed.total() / 2 and self.fcdr.undecided in ("drop", "hard"):
                remedy = f"most are undecided and fcdr.undecided is {self.fcdr.undecided}: set it to likely or keep"
            self._stop("removed", self.removed, "max_removed", remedy)
        if self.undecided > self.fcdr.max_undecided * self.rows:
            remedy = "set fcdr.mode to cascade" if self.fcdr.mode == "heuristics" else "change the judge"
            self._stop("left undecided", self.unclear, "max_undecided", remedy)

    def _stop(self, what: str, reasons: Counter[str], name: str, remedy: str) -> None:
        count, commonest = reasons.total(), reasons.most_common(_REASONS)
        listed = ", ".join(f"{number} {reason} (as row {self.examples[reason]!r})" for reason, number in commonest)
        problem = (
            f"check {self.check} {what} {count} of its {self.rows} rows ({count / self.rows:.0%}), fcdr.{name} allows "
            f"{getattr(self.fcdr, name):.0%}; commonest reasons: {listed}; {remedy}, or raise fcdr.{name} (1 is never)"
        )
        if self.rows >= MIN_ROWS:
            raise DataError(problem)
        if self.rows >= _MIN_WARNED:
            logger.warning("%s", problem)


def _is_lost_call(result: CheckResult) -> bool:
    statement = result.verdict == "fail" and result.sample and result.sample.kind == "statement"
    return bool(statement and result.sample and canonical(result.sample.answer) not in (None, _NO_CALL))


def _reason(result: CheckResult) -> str:
    """The reason of a result; of a row that the heuristics left undecided, theirs."""
    by_heuristics = result.verdict == "undecided" and not result.votes and result.heuristics
    return str(result.heuristics["reason"]) if by_heuristics and result.heuristics else result.reason
