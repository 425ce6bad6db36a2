"""The step metrics of a check: what became of its rows, who decided, and how far judges and heuristics agree."""

from collections import Counter

from funreason.ledger.metrics import reason_counts
from funreason.ledger.results import CheckResult
from funreason.refine.panel import PanelVerdict


class CheckMetrics:
    """Counts results and verdicts as they pass by, and keeps none of them.

    in = pass + fail + undecided + skip = out + dropped + hard; `regenerated` are among those that go on. `attempts` are
    the judges' texts, `parse_failures` those without a readable verdict. Of the `questions`, `by_heuristics` were
    decided by heuristics, and `without_judge` of these were put to no judge. All are the same for every run over the
    same responses.
    """

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self.actions: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.out = 0
        self.agreement = Agreement()

    def add(self, result: CheckResult, verdicts: list[PanelVerdict]) -> None:
        """Count one row: its result, and the verdicts on its questions."""
        self.verdicts[result.verdict] += 1
        self.actions[result.action] += 1
        self.reasons[result.reason] += 1
        self.out += result.goes_on
        self.asked["attempts"] += result.attempts
        for verdict in verdicts:
            self.asked["questions"] += 1
            self.asked["by_heuristics"] += verdict.by_heuristics
            self.asked["without_judge"] += verdict.by_heuristics and not verdict.seats
            self.asked["parse_failures"] += sum(reply.value is None for reply in verdict.replies)
            self.agreement.add(verdict)

    def metrics(self) -> dict:
        """The counts, for the step's metrics file."""
        asked = ("questions", "by_heuristics", "without_judge", "attempts", "parse_failures")
        return {
            "in": self.verdicts.total(),
            **{name: self.verdicts[name] for name in ("pass", "fail", "undecided", "skip")},
            "regenerated": self.actions["regenerate"],
            "dropped": self.actions["drop"],
            "hard": self.actions["hard"],
            "out": self.out,
            **{name: self.asked[name] for name in asked},
            "agreement": self.agreement.metrics(),
            "reasons": reason_counts(self.reasons),
        }


class Agreement:
    """Kappas over the verdicts that pass by; those with an unreadable vote or an unclear heuristic stay out."""

    def __init__(self) -> None:
        self.panels: Counter[tuple[int, int]] = Counter()  # (judges, True votes) → questions
        self.pairs: Counter[tuple[bool, bool]] = Counter()  # (heuristics, panel) → questions

    def add(self, verdict: PanelVerdict) -> None:
        """Count one verdict."""
        votes = verdict.votes
        if len(votes) > 1 and None not in votes:
            self.panels[len(votes), votes.count(True)] += 1
        heuristic = verdict.heuristic.value if verdict.heuristic else None
        if heuristic is not None and verdict.panel_value is not None:
            self.pairs[heuristic, verdict.panel_value] += 1

    def metrics(self) -> dict:
        """`heuristics`: questions where both were clear, the fraction where they agree, Cohen's kappa. `panel`:
        questions, Fleiss' kappa. A kappa is null where one side never varied.
        """
        total = self.pairs.total()
        agreed = self.pairs[True, True] + self.pairs[False, False]
        fraction = round(agreed / total, 4) if total else None
        return {
            "heuristics": {"n": total, "fraction": fraction, "kappa": cohen(self.pairs)},
            "panel": {"n": self.panels.total(), "kappa": fleiss(self.panels)},
        }


def cohen(pairs: Counter[tuple[bool, bool]]) -> float | None:
    """Cohen's kappa of two raters over two classes (Cohen 1960): (p_o - p_e) / (1 - p_e)."""
    total = pairs.total()
    if not total:
        return None
    first, second = ((pairs[True, True] + pairs[pair]) / total for pair in ((True, False), (False, True)))
    return _kappa((pairs[True, True] + pairs[False, False]) / total, first * second + (1 - first) * (1 - second))


def fleiss(panels: Counter[tuple[int, int]]) -> float | None:
    """Fleiss' kappa over two classes (Fleiss 1971); `panels` counts (raters n, those who said True k)."""
    total = panels.total()
    if not total:
        return None
    within = sum(c * (k * (k - 1) + (n - k) * (n - k - 1)) / (n * (n - 1)) for (n, k), c in panels.items()) / total
    true = sum(c * k for (_, k), c in panels.items()) / sum(c * n for (n, _), c in panels.items())
    return _kappa(within, true**2 + (1 - true) ** 2)


def _kappa(observed: float, expected: float) -> float | None:
    return None if expected == 1 else round((observed - expected) / (1 - expected), 4)
