"""The numbers of a check over all its rows, counted as they pass by."""

from collections import Counter
from collections.abc import Iterable, Iterator

from funreason.ledger.outcome import Outcome, counted
from funreason.refine.agreement import Agreement


class Tally:
    """Counts outcomes as they pass by, and keeps none of them.

    in = pass + fail + undecided + skip = out + dropped + hard; `regenerated` are among those that go on. `asks` are the
    judges' answers, `parse_failures` those without a readable verdict. Of the `questions`, `by_rules` were decided by
    rules, and `spared` of these were put to no judge. All numbers are the same for every run over the same responses.
    """

    def __init__(self):
        self.verdicts, self.actions, self.reasons, self.asked = Counter(), Counter(), Counter(), Counter()
        self.out = 0
        self.agreement = Agreement()

    def over(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        for outcome in outcomes:
            self.add(outcome)
            yield outcome

    def add(self, outcome: Outcome) -> None:
        verdict = outcome.verdict
        self.verdicts[verdict.verdict] += 1
        self.actions[verdict.action] += 1
        self.reasons[verdict.reason] += 1
        self.out += outcome.sample is not None
        self.asked["asks"] += verdict.asks
        for answer in outcome.answers:
            self.asked["questions"] += 1
            self.asked["by_rules"] += answer.by_rules
            self.asked["spared"] += answer.by_rules and not answer.ballot
            self.asked["parse_failures"] += sum(vote.value is None for vote in answer.votes)
            self.agreement.add(answer)

    def metrics(self) -> dict:
        return {
            "in": self.verdicts.total(),
            **{name: self.verdicts[name] for name in ("pass", "fail", "undecided", "skip")},
            "regenerated": self.actions["regenerate"],
            "dropped": self.actions["drop"],
            "hard": self.actions["hard"],
            "out": self.out,
            **{name: self.asked[name] for name in ("questions", "by_rules", "spared", "asks", "parse_failures")},
            "agreement": self.agreement.metrics(),
            "reasons": counted(self.reasons),
        }
