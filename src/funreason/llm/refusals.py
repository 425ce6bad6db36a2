"""Requests that a server does not answer: each costs its row, and too many stop the stage."""

import re
from collections import Counter

from funreason.core.errors import EngineError
from funreason.llm.request import FAILED, FILTERED, REFUSED, TOO_LONG, Response

_TITLES = {REFUSED: "refused by the server", FAILED: "failed at the server"}
_HOPELESS = 20  # requests without a single answer: something is wrong with all of them
_COMMONEST = 3  # reasons in the error
_LONGEST = 120  # characters of a reason
_ID = re.compile(r"\b(?=\w*\d)[\w-]{12,}\b")
_NUMBER = re.compile(r"(?<=\D)\d+")


class TooManyRefused(EngineError):
    """More requests than `llm.server.max_refused_fraction` were refused."""


def refusal_reason(response: Response) -> str | None:
    """Why a server did not answer a request; None where it did, or where the prompt is too long.

    Equal reasons get equal words, without the numbers and ids in them, so that they can be counted.
    """
    if response.finish_reason == FILTERED:
        return f"ended by {FILTERED!r}"
    if response.finish_reason not in _TITLES:
        return None
    words = _NUMBER.sub("N", _ID.sub("…", response.text))
    return f"{_TITLES[response.finish_reason]}: {words if len(words) <= _LONGEST else words[: _LONGEST - 1] + '…'}"


class Refusals:
    """Counts the requests of a stage to one model.

    Args:
        server: Named in the error.
        max_fraction: Of the requests, that may be refused.
    """

    def __init__(self, server: str, max_fraction: float):
        self.server, self.max_fraction = server, max_fraction
        self.expected = self.seen = self.unanswered = 0
        self.reasons: Counter[str] = Counter()

    def expect(self, requests: int) -> None:
        """Note that so many more requests will be answered, from the cache or by the server."""
        self.expected += requests

    def add(self, response: Response) -> None:
        """Count a response."""
        self.seen += 1
        reason = refusal_reason(response)
        self.unanswered += bool(reason) or response.finish_reason == TOO_LONG
        if reason:
            self.reasons[reason] += 1

    @property
    def answered(self) -> int:
        """Requests that have an answer, of the cache or of the server."""
        return self.seen - self.unanswered

    def problem(self) -> TooManyRefused | None:
        """The error, once it is certain that too many are refused: one alone among several never is."""
        refused, total = self.reasons.total(), max(self.expected, self.seen)
        allowed = max(self.max_fraction * total, min(1, total - 1) if self.max_fraction else 0)
        hopeless = not self.answered and self.seen >= _HOPELESS
        if refused <= allowed and not hopeless:
            return None
        shown = "; ".join(f"{count:,} {reason}" for reason, count in self.reasons.most_common(_COMMONEST))
        return TooManyRefused(
            f"{self.server}: {refused:,} of {total:,} requests were refused ({shown or 'all are too long'}). All "
            "answers are stored; see its log, rename or leave out fields that it does not know (llm.server."
            "rename_fields, omit_fields), or raise llm.server.max_refused_fraction "
            f"({self.max_fraction:g}), and run again"
        )
