"""Accuracies with their 95 % confidence interval, and whether two models differ on the same rows. Pure functions."""

import math
from collections.abc import Sequence
from statistics import NormalDist

Z = NormalDist().inv_cdf(0.975)  # 95 %, both sides


def wilson(correct: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a fraction (E. B. Wilson, JASA 22, 1927).

    Unlike the usual p ± 2·sqrt(p(1-p)/n) it has a width at 0 and at 1, where small models are.

    Args:
        correct: how many of them are right.
        n: how many there are.

    Returns:
        (low, high), 0 to 1; (0, 1) for n = 0.
    """
    if not n:
        return 0.0, 1.0
    p, square = correct / n, Z * Z
    middle = p + square / (2 * n)
    half = Z * math.sqrt(p * (1 - p) / n + square / (4 * n * n))
    low, high = ((middle - half) / (1 + square / n), (middle + half) / (1 + square / n))
    return max(low, 0.0) if correct else 0.0, min(high, 1.0) if correct < n else 1.0


def accuracy(marks: Sequence[bool]) -> dict:
    """{"accuracy", "low", "high", "correct", "n"}: the fraction of true marks, its 95 % interval, and the counts."""
    correct, n = sum(map(bool, marks)), len(marks)
    low, high = wilson(correct, n)
    return {"accuracy": _round(correct / n if n else 0.0), "low": _round(low), "high": _round(high),
            "correct": correct, "n": n}  # fmt: skip


def weighted_accuracy(parts: Sequence[tuple[float, dict]]) -> dict:
    """The weighted mean of accuracies, with an interval.

    The interval combines those of the parts: low = p - sqrt(sum (w·(p_i - low_i))²), high alike (Zou & Donner,
    Statistics in Medicine 27, 2008). With one part it is that part's own.

    Args:
        parts: (weight, accuracy as from `accuracy`); the weights add up to 1.

    Returns:
        {"accuracy", "low", "high", "n"}.
    """
    value = sum(weight * part["correct"] / part["n"] for weight, part in parts)
    low, high = 0.0, 0.0
    for weight, part in parts:
        p, (least, most) = part["correct"] / part["n"], wilson(part["correct"], part["n"])
        low, high = low + (weight * (p - least)) ** 2, high + (weight * (most - p)) ** 2
    return {"accuracy": _round(value), "low": _round(max(value - math.sqrt(low), 0.0)),
            "high": _round(min(value + math.sqrt(high), 1.0)), "n": sum(part["n"] for _, part in parts)}  # fmt: skip


def mcnemar(lost: int, gained: int) -> float:
    """The exact two-sided p of McNemar's test, of `lost` and `gained` rows: could a fair coin have done this?"""
    n = lost + gained
    tail = sum(math.comb(n, k) for k in range(min(lost, gained) + 1))
    return min(1.0, 2 * tail / 2**n)


def paired_difference(before: Sequence[bool], after: Sequence[bool]) -> dict:
    """What changed between two runs over the same rows.

    The interval is Newcombe's for paired fractions (Statistics in Medicine 17, 1998, method 10). Like Wilson's it has a
    width where nothing changed.

    Args:
        before: whether each row was right in the first run.
        after: the same for the second run, in the same order.

    Returns:
        {"before", "after", "difference", "low", "high", "lost", "gained", "p", "n"}: both fractions; their difference
        with its 95 % interval; rows right only before and only after; McNemar's p.
    """
    pairs = list(zip(before, after, strict=True))
    n, lost, gained = len(pairs), sum(b and not a for b, a in pairs), sum(a and not b for b, a in pairs)
    p1, p2 = (sum(map(bool, marks)) / n if n else 0.0 for marks in (before, after))
    (l1, u1), (l2, u2) = wilson(p1 * n, n), wilson(p2 * n, n)
    phi = _correlation(sum(a and b for b, a in pairs), lost, gained, n)
    low = p2 - p1 - _root((p2 - l2) ** 2 - 2 * phi * (p2 - l2) * (u1 - p1) + (u1 - p1) ** 2)
    high = p2 - p1 + _root((u2 - p2) ** 2 - 2 * phi * (u2 - p2) * (p1 - l1) + (p1 - l1) ** 2)
    return {
        "before": _round(p1), "after": _round(p2), "difference": _round(p2 - p1), "low": _round(low),
        "high": _round(high), "lost": lost, "gained": gained, "p": _round(mcnemar(lost, gained)), "n": n,
    }  # fmt: skip


def equivalence(before: Sequence[bool], after: Sequence[bool], margin: float) -> dict:
    """Whether two runs over the same rows are as good as each other, up to a margin.

    Two one-sided tests (D. J. Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15, 1987) with the score statistic
    for paired fractions (T. Tango, Statistics in Medicine 17, 1998), which also holds where nothing changed.

    Args:
        before: whether each row was right in the first run.
        after: the same for the second run, in the same order.
        margin: the largest difference that counts as none, above 0, below 1.

    Returns:
        {"margin", "p", "equivalent"}: the larger p of the two tests, and whether it is below 0.05.

    Raises:
        ValueError: for another margin.
    """
    if not 0 < margin < 1:
        raise ValueError(f"margin {margin}, allowed is above 0, below 1")
    pairs = list(zip(before, after, strict=True))
    n, lost, gained = len(pairs), sum(b and not a for b, a in pairs), sum(a and not b for b, a in pairs)
    # Against a gain of `margin` or more, and by symmetry against a loss of it.
    p = max(NormalDist().cdf(_tango(*flips, n, margin)) for flips in ((gained, lost), (lost, gained))) if n else 1.0
    return {"margin": margin, "p": _round(p), "equivalent": p < 0.05}


def _tango(more: int, less: int, n: int, delta: float) -> float:
    """Tango's score statistic of H0: the fractions of `more` and `less` rows differ by `delta`, which is above 0."""
    a, b = 2 * n, -more - less + (2 * n - more + less) * delta
    q = (math.sqrt(b * b + 4 * a * less * delta * (1 - delta)) - b) / (2 * a)
    return (more - less - n * delta) / math.sqrt(n * (2 * q + delta * (1 - delta)))


def difference(before: dict, after: dict) -> dict:
    """What changed between two accuracies of which only the counts are known, as if over different rows.

    The interval is Newcombe's for independent fractions (Statistics in Medicine 17, 1998, 873–890, method 10).

    Args:
        before: an accuracy with "correct" and "n".
        after: the other one.

    Returns:
        {"difference", "low", "high"}, with its 95 % interval.
    """
    (c1, n1), (c2, n2) = ((part["correct"], part["n"]) for part in (before, after))
    p1, p2 = (correct / n if n else 0.0 for correct, n in ((c1, n1), (c2, n2)))
    (l1, u1), (l2, u2) = wilson(c1, n1), wilson(c2, n2)
    low, high = p2 - p1 - math.hypot(p2 - l2, u1 - p1), p2 - p1 + math.hypot(u2 - p2, p1 - l1)
    return {"difference": _round(p2 - p1), "low": _round(low), "high": _round(high)}


def pass_at_k(n: int, correct: int, k: int) -> float:
    """The unbiased estimate of pass@k, 1 - C(n-c, k)/C(n, k) (Chen et al., arXiv 2107.03374).

    Args:
        n: solutions that were drawn.
        correct: how many of them are right (c).
        k: how many of them count.

    Returns:
        The probability that at least one of k is right.

    Raises:
        ValueError: for k > n.
    """
    if k > n:
        raise ValueError(f"pass@{k} of {n} samples")
    return 1 - math.comb(n - correct, k) / math.comb(n, k)


def _correlation(both: int, lost: int, gained: int, n: int) -> float:
    neither = n - both - lost - gained
    sides = (both + lost) * (gained + neither) * (both + gained) * (lost + neither)
    if not sides:
        return 0.0
    excess = both * neither - lost * gained
    return (max(excess - n / 2, 0) if excess > 0 else excess) / math.sqrt(sides)


def _root(value: float) -> float:
    return math.sqrt(max(value, 0.0))


def _round(value: float) -> float:
    return round(value, 4)
