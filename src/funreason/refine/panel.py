"""Several judges, one verdict: the panel of a check and its rule, and the rules that may spare it the question."""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

from funreason.config import CheckParams, FcdrParams, Params
from funreason.core.paths import JUDGES
from funreason.heuristics import heuristic_result
from funreason.llm import load_refs
from funreason.refine.answer import Answer, Question
from funreason.refine.judge import Judge, Opinion

BLOCK = 10_000  # rows at a time where only rules are asked
MENDING = ("call", "format")  # the checks whose False brings a new call
_LEAST = {"any": 1e-9, "majority": 0.5 + 1e-9, "unanimous": 1.0}


class Panel:
    """The judges of the checks; `judges` maps names to open `Judge`s."""

    def __init__(self, judges: Mapping[str, Judge], fcdr: FcdrParams):
        self.judges, self.checks = judges, fcdr.panels()

    def ask(self, questions: list[Question], desc: str) -> list[Answer]:
        """One answer a question, in their order, by the judges of its own check."""
        found: dict[int, Answer] = {}
        for check in dict.fromkeys(question.check for question in questions):
            at = [number for number, question in enumerate(questions) if question.check == check]
            found |= zip(at, self._ask(self.checks[check], [questions[number] for number in at], desc), strict=True)
        return [found[number] for number in range(len(questions))]

    def _ask(self, check: CheckParams, questions: list[Question], desc: str) -> list[Answer]:
        """Each judge is put all questions before the next begins: several large models do not fit into one memory."""
        by_seat, seen = [], Counter()
        for name in check.judges:
            asked = f"{desc}, {name}" if len(check.judges) > 1 else desc
            by_seat.append(self.judges[name].ask(questions, asked, seat=seen[name]))
            seen[name] += 1
            if len(self.judges) > 1:
                self.judges[name].rest()
        return [agreed(list(opinions), least(check.rule)) for opinions in zip(*by_seat, strict=True)]


class Cascade:
    """Answers by rules where these are clear, by the panel where not (`panel` None: unclear rows stay undecided).

    A clear False of a check that mends still goes to the panel, for its new call; the verdict is the rules' own.
    """

    def __init__(self, panel: Panel | None):
        self.panel = panel

    def ask(self, questions: list[Question], desc: str) -> list[Answer]:
        answers = [_ruled(question) for question in questions]
        if self.panel is None:
            return answers
        open_ = [at for at, answer in enumerate(answers) if _is_open(questions[at], answer)]
        said = self.panel.ask([questions[at] for at in open_], desc) if open_ else []
        for at, answer in zip(open_, said, strict=True):
            ruled = answers[at]
            value = ruled.value if ruled.by_rules else answer.value
            new_call = None if answer.said else answer.new_call
            problem = "" if ruled.by_rules else answer.problem
            answers[at] = replace(
                answer, value=value, new_call=new_call, problem=problem, finding=ruled.finding, by_rules=ruled.by_rules
            )
        return answers


class Witnessed:
    """The panel alone decides (the paper's way); what the rules say is put beside it, for the ledger."""

    def __init__(self, panel: Panel):
        self.panel = panel

    def ask(self, questions: list[Question], desc: str) -> list[Answer]:
        answers = self.panel.ask(questions, desc)
        findings = [heuristic_result(question.check, question.sample) for question in questions]
        return [replace(answer, finding=finding) for answer, finding in zip(answers, findings, strict=True)]


def _is_open(question: Question, ruled: Answer) -> bool:
    return ruled.value is None or (ruled.value is False and question.check in MENDING)


def _ruled(question: Question) -> Answer:
    finding = heuristic_result(question.check, question.sample)
    clear = finding.value is not None
    return Answer(finding.value, problem="" if clear else "unclear to the rules", finding=finding, by_rules=clear)


def least(rule: str | float) -> float:
    """The share of True votes that a rule asks for: any, majority, unanimous, or the share itself."""
    return _LEAST[rule] if isinstance(rule, str) else rule


def agreed(opinions: list[Opinion], share: float) -> Answer:
    """The panel's answer. Undecided if the votes that could not be read would turn the scale.

    The new call is that of the first judge who says False and gives one. BalanceSFT's score(r), the share of judges
    for an answer, accepted at 1, is the rule `unanimous`.
    """
    ballot = tuple(opinion.reading.value for opinion in opinions)
    for_it, unread = ballot.count(True), ballot.count(None)
    at_worst, at_best = (count / len(ballot) >= share for count in (for_it, for_it + unread))
    problems = [opinion.reading.problem for opinion in opinions if opinion.reading.problem]
    calls = [o.reading.new_call for o in opinions if o.reading.value is False and o.reading.new_call is not None]
    value = at_worst if at_worst == at_best else None
    return Answer(
        value=value,
        new_call=calls[0] if calls else None,
        problem=problems[0] if at_worst != at_best else "",
        votes=[vote for opinion in opinions for vote in opinion.votes],
        ballot=ballot,
        said=value,
    )


def seated(params: Params, name: str) -> Params:
    """The parameters with the panel that the set's kind puts into every check, where it has one. Raises ParamsError."""
    panel = params.recipe_of(name).panel
    if not panel:
        return params
    seats = panel.model_dump(include={"judges", "rule", "max_regen"})
    checks = {
        check: old.model_copy(update={key: seats[key] for key in seats if hasattr(old, key)})
        for check, old in params.fcdr.panels().items()
    }
    judge = params.judge.model_copy(update={"temperature": panel.temperature})
    return params.model_copy(update={"fcdr": params.fcdr.model_copy(update=checks), "judge": judge})


def open_asked(params: Params, check: str, stack: ExitStack) -> Panel | Cascade | Witnessed:
    """What answers the questions of a check in `fcdr.mode`; judges are closed with `stack`. Raises ModelError."""
    if params.fcdr.mode == "heuristics":
        return Cascade(None)
    refs, panels = load_refs(JUDGES), params.fcdr.panels()
    asked = [check, "cot"] if check in MENDING else [check]  # a new answer is put to the CoT check again
    names = dict.fromkeys(name for check in asked for name in panels[check].judges)
    judges = {name: stack.enter_context(Judge(name, refs[name], params.llm, params.judge)) for name in names}
    panel = Panel(judges, params.fcdr)
    return Cascade(panel) if params.fcdr.mode == "cascade" else Witnessed(panel)
