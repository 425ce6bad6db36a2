"""Judges under watch: a judge that cannot judge is noticed after a few questions, and measured while it works.

Before a stage asks all its questions, each judge of the check is asked about some rows and about probes, rows whose
right verdict is known. These answers are stored as all are, so that the rows are not paid twice.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from funreason.config import CheckParams, JudgeParams
from funreason.core.errors import ModelError
from funreason.core.records import Sample
from funreason.refine.checks import Check
from funreason.refine.judge import Question
from funreason.refine.modes import Decider
from funreason.refine.panel import PanelVerdict
from funreason.refine.probes import Probe, make_probes, spread
from funreason.refine.reply import JudgeReply

MIN_REPLIES = 10  # fewer say nothing about a judge
Z = 1.959964  # 95 %, both sides


@dataclass
class JudgeRecord:
    """The verdicts of one judge: on sound and on planted probes, and on the rows of the stage.

    Attributes:
        sound: Readable verdicts on sound probes, by value.
        planted: Readable verdicts on planted probes, by value.
        rows: Readable verdicts on rows of the stage, by value.
    """

    sound: Counter[bool] = field(default_factory=Counter)
    planted: Counter[bool] = field(default_factory=Counter)
    rows: Counter[bool] = field(default_factory=Counter)

    @property
    def sensitivity(self) -> float | None:
        """Fraction of sound probes with the verdict True."""
        return self.sound[True] / self.sound.total() if self.sound else None

    @property
    def specificity(self) -> float | None:
        """Fraction of planted probes with the verdict False."""
        return self.planted[False] / self.planted.total() if self.planted else None

    def metrics(self) -> dict[str, Any]:
        """Counts, sensitivity, specificity, and the corrected fraction of sound rows with its interval."""
        return {
            "probes": {"sound": self.sound.total(), "planted": self.planted.total()},
            "sensitivity": _rounded(self.sensitivity),
            "specificity": _rounded(self.specificity),
            "judged": self.rows.total(),
            "true_fraction": _rounded(self.rows[True] / self.rows.total() if self.rows else None),
            "sound_fraction": corrected_fraction(self.rows, self.sound, self.planted),
        }


def corrected_fraction(rows: Counter[bool], sound: Counter[bool], planted: Counter[bool]) -> dict[str, float] | None:
    """The fraction of sound rows, corrected for the judge's errors: (p + q0 - 1) / (q0 + q1 - 1).

    p is the fraction of rows with the verdict True, q1 the sensitivity, q0 the specificity (Rogan & Gladen, American
    Journal of Epidemiology 107, 1978). The interval is that of the delta method over all three, each with one success
    and one failure added (as Lee et al., arXiv 2511.21140, for judges that are language models).

    Args:
        rows: Verdicts on the rows, by value.
        sound: Verdicts on sound probes.
        planted: Verdicts on planted probes.

    Returns:
        {"value", "low", "high"}, 0 to 1; None where there are no rows or probes, or the judge is no better than chance.
    """
    if not (rows and sound and planted):
        return None
    p, q1, q0 = rows[True] / rows.total(), sound[True] / sound.total(), planted[False] / planted.total()
    if q0 + q1 <= 1:
        return None
    value = min(1.0, max(0.0, (p + q0 - 1) / (q0 + q1 - 1)))
    (p, a), (q1, b), (q0, c) = (_smoothed(*pair) for pair in
                               ((rows[True], rows.total()), (sound[True], sound.total()),
                                (planted[False], planted.total())))  # fmt: skip
    if q0 + q1 <= 1:
        return {"value": round(value, 4), "low": 0.0, "high": 1.0}
    middle = min(1.0, max(0.0, (p + q0 - 1) / (q0 + q1 - 1)))
    half = Z * math.sqrt(a + (1 - middle) ** 2 * c + middle**2 * b) / (q0 + q1 - 1)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return {"value": round(value, 4), "low": round(min(low, value), 4), "high": round(max(high, value), 4)}


def _smoothed(successes: int, trials: int) -> tuple[float, float]:
    """The fraction with a success and a failure added, and its variance."""
    fraction = (successes + 1) / (trials + 2)
    return fraction, fraction * (1 - fraction) / (trials + 2)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


class JudgeWatch:
    """Watches the judges of one check in one stage.

    Args:
        decider: Whose judges are watched, on the questions that it puts to them; without judges nothing is watched.
        judge: The block `judge`.
    """

    def __init__(self, decider: Decider, judge: JudgeParams):
        self.decider, self.panel, self.judge, self.limits = decider, decider.panel, judge, judge.watch
        self.due = self.panel is not None and judge.watch.rows > 0
        self.records: dict[str, JudgeRecord] = {}

    def look(self, check: Check, samples: Sequence[Sample]) -> None:
        """Ask each judge of the check about a few rows and probes, before all questions are asked; once.

        Where the judges have hardly anything to decide among these rows, nothing is asked, and the next call looks.

        Args:
            check: The check.
            samples: The next rows of the stage.

        Raises:
            ModelError: A judge cannot be used: too many replies cannot be read, all of them say the same, or it does
                not tell sound probes from planted ones.
        """
        if not self.due or self.panel is None:
            return
        calls = [sample for sample in samples if sample.kind == "call"]
        needed = [sample for sample in calls if self.decider.needs_judges(Question(check.name, sample))]
        if len(needed) < MIN_REPLIES:
            return
        self.due = False
        questions = [Question(check.name, sample) for sample in spread(needed, self.limits.rows)]
        probes = make_probes(check.name, samples, self.limits.probes)
        of_check = self.panel.checks[check.name]
        for name in dict.fromkeys(of_check.judges):
            asked = [*questions, *(probe.question for probe in probes)]
            replies = self.panel.judges[name].ask(asked, f"{check.name}, first look at {name}")
            last = [each[-1] for each in replies]
            self._record(name, probes, last[len(questions) :])
            self._check(f"judge {name!r} of the check {check.name}", last, self.records[name])
            if len(of_check.judges) > 1:
                self.panel.judges[name].rest()

    def _record(self, name: str, probes: list[Probe], replies: list[JudgeReply]) -> None:
        record = self.records.setdefault(name, JudgeRecord())
        for probe, reply in zip(probes, replies, strict=True):
            if reply.value is not None:
                (record.sound if probe.sound else record.planted)[reply.value] += 1

    def _check(self, judge: str, replies: list[JudgeReply], record: JudgeRecord) -> None:
        """Raise ModelError where the judge cannot be used."""
        if len(replies) < MIN_REPLIES:
            return
        unread = [reply for reply in replies if reply.value is None]
        paid = f"{len(replies)} questions were asked, the others were not"
        if len(unread) > self.limits.max_unreadable * len(replies):
            problem, count = Counter(reply.problem for reply in unread).most_common(1)[0]
            shown = next(reply.text for reply in unread if reply.problem == problem)
            structured = "" if self.judge.structured else "set judge.structured, "
            raise ModelError(
                f"{judge}: {len(unread)} of its first {len(replies)} replies have no readable verdict ({count} times: "
                f"{problem}; one such reply begins {shown[:60]!r}), judge.watch.max_unreadable allows a fraction "
                f"of {self.limits.max_unreadable}; {paid}. Take another model, {structured}raise judge.max_tokens (now "
                f"{self.judge.max_tokens}), or raise the limit"
            )
        values = {reply.value for reply in replies if reply.value is not None}
        sensitivity, specificity = record.sensitivity, record.specificity
        if len(values) == 1 and (record.planted.total() >= MIN_REPLIES or values == {False}):
            raise ModelError(
                f"{judge}: all of its first {len(replies)} replies say {values.pop()}, those on planted defects as "
                f"well; {paid}. Take another model, or set judge.watch.rows to 0 and read its texts in the ledger"
            )
        if sensitivity is None or specificity is None:
            return
        enough = min(record.sound.total(), record.planted.total()) >= MIN_REPLIES
        if enough and sensitivity + specificity - 1 < self.limits.min_informedness:
            raise ModelError(
                f"{judge}: it accepts {record.sound[True]} of {record.sound.total()} sound probes and refuses "
                f"{record.planted[False]} of {record.planted.total()} with a planted defect; sensitivity + specificity "
                f"- 1 is {sensitivity + specificity - 1:.2f}, judge.watch.min_informedness asks for "
                f"{self.limits.min_informedness}; {paid}. Take another model, or lower the limit"
            )

    def add(self, check: Check, verdicts: Sequence[PanelVerdict]) -> None:
        """Count the votes of the judges on a row; the first question of a row is that of the check."""
        if not verdicts or not verdicts[0].seats or self.panel is None:
            return
        of_check: CheckParams = self.panel.checks[check.name]
        for name, value in zip(of_check.judges, verdicts[0].votes, strict=True):
            if value is not None:
                self.records.setdefault(name, JudgeRecord()).rows[value] += 1

    def metrics(self) -> dict[str, Any]:
        """{judge: its record}, for the step's metrics file."""
        return {name: record.metrics() for name, record in sorted(self.records.items())}
