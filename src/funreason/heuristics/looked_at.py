"""A row that is looked at: its calls compared with its query and its reasoning, and the evidence, each made once."""

from functools import cached_property

from funreason.core.records import Sample
from funreason.heuristics.comparison import MAX_CHARACTERS, Comparison, compare, compare_with
from funreason.heuristics.evidence import evidence
from funreason.heuristics.result import HeuristicResult, unclear
from funreason.heuristics.verifier import part_evidence


class LookedAt:
    """A row whose calls were compared with its query.

    Args:
        sample: The row.
        comparison: Its calls compared with its query.
    """

    def __init__(self, sample: Sample, comparison: Comparison):
        self.sample, self._on_query = sample, comparison
        self._claims = comparison.text.claims

    def on_query(self) -> Comparison:
        """The calls compared with the query, without the claims that a rule made since."""
        self._on_query.text.claims = self._claims
        return self._on_query

    def on_cot(self) -> Comparison:
        """The calls compared with the reasoning."""
        comparison, claims = self._compared_with_cot
        comparison.text.claims = claims
        return comparison

    @cached_property
    def _compared_with_cot(self) -> tuple[Comparison, bytes]:
        comparison = compare_with(self._on_query, self.sample.cot)
        return comparison, comparison.text.claims

    @cached_property
    def evidence(self) -> dict[str, float]:
        """The evidence of the row; where there is no reasoning, that of single values and places, too."""
        if self.sample.cot:
            return evidence(self.on_query(), self.on_cot())
        return evidence(self.on_query(), None) | part_evidence(self.on_query())


_last: list[LookedAt] = []  # one row, since a caller that asks for several checks of a row asks for them in turn


def look_at(sample: Sample) -> LookedAt | HeuristicResult:
    """The row with its comparisons, or an unclear result where it cannot be compared."""
    if _last and _last[0].sample is sample:
        return _last[0]
    if len(sample.cot) > MAX_CHARACTERS:
        return unclear("the row is too long to search")
    comparison = compare(sample, sample.query, sample.history)
    if isinstance(comparison, HeuristicResult):
        return comparison
    _last[:] = [LookedAt(sample, comparison)]
    return _last[0]
