"""The judges of a check: each is asked, and a rule makes one verdict of what they say."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from funreason.config import CheckParams, FcdrParams, Params
from funreason.heuristics.result import HeuristicResult
from funreason.refine.judge import Judge, Question
from funreason.refine.reply import JudgeReply

_FRACTIONS = {"any": 1e-9, "majority": 0.5 + 1e-9, "unanimous": 1.0}


@dataclass(frozen=True)
class PanelVerdict:
    """The verdict on one question, by the judges of its check or by the heuristics.

    Attributes:
        value: The verdict; None where it is undecided.
        new_call: The text inside <NewFC> of the first judge that says False and gives one.
        problem: Why it is undecided.
        seats: Per judge of the panel its replies, in the order of the attempts; the last one counts. Empty where no
            judge was asked.
        panel_value: The verdict of the judges alone; None where they are undecided or were not asked.
        heuristic: What the heuristics say of the row, where they were asked.
        by_heuristics: Whether the heuristics decided. The judges may have been asked all the same, for a new call.
    """

    value: bool | None
    new_call: str | None = None
    problem: str = ""
    seats: tuple[list[JudgeReply], ...] = ()
    panel_value: bool | None = None
    heuristic: HeuristicResult | None = None
    by_heuristics: bool = False

    @property
    def votes(self) -> tuple[bool | None, ...]:
        """The value of each judge, in the order of the panel."""
        return tuple(replies[-1].value for replies in self.seats)

    @property
    def replies(self) -> list[JudgeReply]:
        """All texts of all judges, without those that were not asked."""
        return [reply for replies in self.seats for reply in replies if not reply.too_long]


class Panel:
    """The judges of all checks.

    Args:
        judges: Open judges by their names in `models.judges`.
        fcdr: Who sits on the panel of each check, and its rule.
    """

    def __init__(self, judges: Mapping[str, Judge], fcdr: FcdrParams):
        self.judges, self.checks = judges, fcdr.panels()

    def ask(self, questions: list[Question], desc: str) -> list[PanelVerdict]:
        """One verdict per question, in their order, by the judges of its own check; `desc` is for the progress line."""
        verdicts: dict[int, PanelVerdict] = {}
        for check in dict.fromkeys(question.check for question in questions):
            at = [number for number, question in enumerate(questions) if question.check == check]
            verdicts |= zip(at, self._ask(self.checks[check], [questions[number] for number in at], desc), strict=True)
        return [verdicts[number] for number in range(len(questions))]

    def _ask(self, check: CheckParams, questions: list[Question], desc: str) -> list[PanelVerdict]:
        """Each judge answers all questions before the next begins: two large models may not fit into memory."""
        by_seat: list[list[list[JudgeReply]]] = []
        seats_taken: Counter[str] = Counter()
        for name in check.judges:
            title = f"{desc}, {name}" if len(check.judges) > 1 else desc
            by_seat.append(self.judges[name].ask(questions, title, seat=seats_taken[name]))
            seats_taken[name] += 1
            if len(self.judges) > 1:
                self.judges[name].rest()
        return [decide(seats, needed_fraction(check.rule)) for seats in zip(*by_seat, strict=True)]


def needed_fraction(rule: str | float) -> float:
    """The fraction of True votes that a rule needs: any, majority, unanimous, or the fraction itself."""
    return _FRACTIONS[rule] if isinstance(rule, str) else rule


def decide(seats: tuple[list[JudgeReply], ...], fraction: float) -> PanelVerdict:
    """Make one verdict of the replies of all judges.

    BalanceSFT's score(r), the fraction of judges for an answer, accepted at 1, is the rule `unanimous`.

    Args:
        seats: Per judge its replies to the question; the last one counts.
        fraction: The fraction of True votes that the verdict True needs.

    Returns:
        The verdict, undecided if the votes that could not be read would change it.
    """
    last = [replies[-1] for replies in seats]
    votes = [reply.value for reply in last]
    in_favour, unread = votes.count(True), votes.count(None)
    at_worst, at_best = (count / len(votes) >= fraction for count in (in_favour, in_favour + unread))
    value = at_worst if at_worst == at_best else None
    calls = [reply.new_call for reply in last if reply.value is False and reply.new_call is not None]
    problems = [reply.problem for reply in last if reply.problem]
    return PanelVerdict(
        value=value,
        new_call=calls[0] if calls else None,
        problem=problems[0] if value is None else "",
        seats=seats,
        panel_value=value,
    )


def with_recipe_panel(params: Params, name: str) -> Params:
    """The parameters of the checks in round `name`: with the panel of its recipe, where it has one.

    The queries of an HDR round are those that failed before: that most of them fail again is not a fault.
    """
    panel = params.recipe_of(name).panel
    if params.rounds[name].recipe == "hdr":
        unguarded = params.fcdr.model_copy(update={"max_removed": 1.0, "max_undecided": 1.0})
        params = params.model_copy(update={"fcdr": unguarded})
    if not panel:
        return params
    seats = panel.model_dump(include={"judges", "rule", "max_regen"})
    checks = {
        check: old.model_copy(update={key: seats[key] for key in seats if hasattr(old, key)})
        for check, old in params.fcdr.panels().items()
    }
    judge = params.judge.model_copy(update={"temperature": panel.temperature})
    return params.model_copy(update={"fcdr": params.fcdr.model_copy(update=checks), "judge": judge})
