"""Who decides in each `fcdr.mode`: the judges, the heuristics, or the heuristics first and the judges where unclear."""

from contextlib import ExitStack
from dataclasses import replace
from typing import Protocol

from funreason.config import Params, VerifierParams
from funreason.core.paths import JUDGES
from funreason.heuristics import heuristic_result
from funreason.llm import load_refs
from funreason.refine.checks import CHECKS
from funreason.refine.judge import Judge, Question
from funreason.refine.panel import Panel, PanelVerdict


class Decider(Protocol):
    """Gives verdicts: one of the classes below."""

    panel: Panel | None

    def ask(self, questions: list[Question], desc: str) -> list[PanelVerdict]:
        """One verdict per question, in their order; `desc` is for the progress line."""
        ...

    def needs_judges(self, question: Question) -> bool:
        """Whether a judge is asked this question."""
        ...


class JudgesOnly:
    """Mode `judge`, the paper's: the panel decides. What the heuristics say is noted beside it, for the ledger."""

    def __init__(self, panel: Panel, verifier: VerifierParams):
        self.panel: Panel | None = panel
        self.verifier = verifier

    def ask(self, questions: list[Question], desc: str) -> list[PanelVerdict]:
        """One verdict per question, in their order; `desc` is for the progress line."""
        assert self.panel is not None
        verdicts = self.panel.ask(questions, desc)
        heuristics = [heuristic_result(q.check, q.sample, self.verifier) for q in questions]
        return [replace(verdict, heuristic=result) for verdict, result in zip(verdicts, heuristics, strict=True)]

    def needs_judges(self, question: Question) -> bool:
        """Always."""
        return True


class HeuristicsFirst:
    """Modes `heuristics` and `cascade`: the heuristics decide where they are clear, the panel where not.

    A clear False of a check that mends still goes to the panel, for its new call; the verdict stays that of the
    heuristics.

    Args:
        panel: The judges; None in the mode `heuristics`, where unclear rows stay undecided.
        verifier: Where the verifier decides what no rule does.
    """

    def __init__(self, panel: Panel | None, verifier: VerifierParams):
        self.panel, self.verifier = panel, verifier

    def ask(self, questions: list[Question], desc: str) -> list[PanelVerdict]:
        """One verdict per question, in their order; `desc` is for the progress line."""
        verdicts = [_by_heuristics(question, self.verifier) for question in questions]
        if self.panel is None:
            return verdicts
        needed = [at for at, question in enumerate(questions) if _needs_judges(question, verdicts[at])]
        judged = self.panel.ask([questions[at] for at in needed], desc) if needed else []
        for at, verdict in zip(needed, judged, strict=True):
            verdicts[at] = _combined(verdicts[at], verdict)
        return verdicts

    def needs_judges(self, question: Question) -> bool:
        """Whether there are judges, and the heuristics leave the question, or its new call, to them."""
        return self.panel is not None and _needs_judges(question, _by_heuristics(question, self.verifier))


def _by_heuristics(question: Question, verifier: VerifierParams) -> PanelVerdict:
    result = heuristic_result(question.check, question.sample, verifier)
    clear = result.value is not None
    problem = "" if clear else "unclear to the heuristics"
    return PanelVerdict(result.value, problem=problem, heuristic=result, by_heuristics=clear)


def _needs_judges(question: Question, verdict: PanelVerdict) -> bool:
    return verdict.value is None or (verdict.value is False and CHECKS[question.check].mends)


def _combined(heuristic: PanelVerdict, judged: PanelVerdict) -> PanelVerdict:
    """The heuristics' verdict where they were clear, else the panel's; the panel's new call unless it saw no fault."""
    clear = heuristic.by_heuristics
    return replace(
        judged,
        value=heuristic.value if clear else judged.value,
        new_call=None if judged.panel_value else judged.new_call,
        problem="" if clear else judged.problem,
        heuristic=heuristic.heuristic,
        by_heuristics=clear,
    )


def open_decider(params: Params, check: str, stack: ExitStack) -> Decider:
    """What decides the questions of a check in `fcdr.mode`.

    Args:
        params: All parameters.
        check: The name of the check.
        stack: Closes the judges.

    Raises:
        ModelError: The descriptor of a judge is missing or broken.
    """
    if params.fcdr.mode == "heuristics":
        return HeuristicsFirst(None, params.fcdr.verifier)
    refs, panels = load_refs(JUDGES), params.fcdr.panels()
    asked = [check, "cot"] if CHECKS[check].mends else [check]  # the CoT check is asked again about a new answer
    names = dict.fromkeys(name for each in asked for name in panels[each].judges)
    judges = {name: stack.enter_context(Judge(name, refs[name], params.llm, params.judge)) for name in names}
    panel = Panel(judges, params.fcdr)
    if params.fcdr.mode == "cascade":
        return HeuristicsFirst(panel, params.fcdr.verifier)
    return JudgesOnly(panel, params.fcdr.verifier)
