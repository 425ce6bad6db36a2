"""How far those who judge agree: the judges of a panel among themselves, and the panel with the rules."""

from collections import Counter

from funreason.refine.answer import Answer


class Agreement:
    """Kappas over the questions that pass by; questions with an unreadable vote or an unclear finding stay out."""

    def __init__(self):
        self.ballots: Counter[tuple[int, int]] = Counter()  # (judges, those for it) → questions
        self.beside: Counter[tuple[bool, bool]] = Counter()  # (rules, panel) → questions

    def add(self, answer: Answer) -> None:
        if len(answer.ballot) > 1 and None not in answer.ballot:
            self.ballots[len(answer.ballot), answer.ballot.count(True)] += 1
        said = answer.said
        if answer.finding and answer.finding.value is not None and said is not None:
            self.beside[answer.finding.value, said] += 1

    def metrics(self) -> dict:
        """`rules`: questions where both were clear, the share where they agree, Cohen's kappa. `panel`: questions,
        Fleiss' kappa. A kappa is null where one side never varied.
        """
        both = self.beside.total()
        agreed = self.beside[True, True] + self.beside[False, False]
        rules = {"n": both, "share": round(agreed / both, 4) if both else None, "kappa": cohen(self.beside)}
        return {"rules": rules, "panel": {"n": self.ballots.total(), "kappa": fleiss(self.ballots)}}


def cohen(pairs: Counter[tuple[bool, bool]]) -> float | None:
    """Cohen's kappa of two raters over two classes (Cohen 1960): (p_o - p_e) / (1 - p_e)."""
    total = pairs.total()
    if not total:
        return None
    first, second = ((pairs[True, True] + pairs[pair]) / total for pair in ((True, False), (False, True)))
    return _kappa((pairs[True, True] + pairs[False, False]) / total, first * second + (1 - first) * (1 - second))


def fleiss(ballots: Counter[tuple[int, int]]) -> float | None:
    """Fleiss' kappa over two classes (Fleiss 1971); `ballots` counts (raters n, those who said True k)."""
    total = ballots.total()
    if not total:
        return None
    within = sum(c * (k * (k - 1) + (n - k) * (n - k - 1)) / (n * (n - 1)) for (n, k), c in ballots.items()) / total
    true = sum(c * k for (_, k), c in ballots.items()) / sum(c * n for (n, _), c in ballots.items())
    return _kappa(within, true**2 + (1 - true) ** 2)


def _kappa(observed: float, expected: float) -> float | None:
    return None if expected == 1 else round((observed - expected) / (1 - expected), 4)
