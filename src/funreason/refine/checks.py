"""The five checks of FCDR, in the order of the paper (FunReason, arXiv 2505.20192 v1, "Function Call Data Refinement").

A check puts a question about the row to a judge; `prompts/judge_<check>.txt` is its wording. docs/method.md has a table
of the checks, and says what this project chose where the paper is silent.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace

from funreason.calls import canonical
from funreason.config import FcdrParams
from funreason.core.errors import ParamsError
from funreason.core.records import Sample
from funreason.ledger.results import CheckResult
from funreason.refine.judge import Question
from funreason.refine.panel import PanelVerdict
from funreason.refine.reply import replacement

# A row goes through a check as a generator: it yields a question, is sent the verdict, and returns the result.
Flow = Generator[Question, PanelVerdict, CheckResult]


@dataclass(frozen=True)
class Check:
    """One of the five checks.

    Attributes:
        name: Its name in params.yaml, in file names and in the ledger.
        action: What becomes of a row that fails: keep, drop or hard.
        reason: What the ledger says of such a row.
        mends: Whether a False brings new calls, which replace the answer and are judged again.
        format_only: Whether the new calls must be the old ones, written differently.
    """

    name: str
    action: str
    reason: str
    mends: bool = False
    format_only: bool = False


# Response Identification: is the answer a function call, or statement text? The judge sees the answer. A statement is
# not a fault: it is kept as it is, and skips the other checks.
RESPONSE = Check("response", "keep", "statement")

# Query & Tool Identification: are the functions among the tools, and the values in the query? The judge sees query and
# tools, but not the answer: after a False, no answer could be right.
QUERY_TOOL = Check("query_tool", "drop", "function or value not to be found")

# CoT Identification: does the reasoning start right, go step by step, and end at this answer? The judge sees reasoning
# and answer. Asked again about rows whose calls one of the next two checks replaced.
COT = Check("cot", "drop", "reasoning does not lead to the answer")

# Function & Parameter Identification: are names, parameters and values right? The judge sees query, tools and answer,
# and writes the right calls after a False. A row that stays wrong is hard: its query is sound, only the answer is not.
CALL = Check("call", "hard", "calls still wrong", mends=True)

# Format Identification: is the answer `[func(k=v), …]`, names bare, strings quoted, no stray space or quote? The judge
# sees query, tools and answer, and writes the same calls in the right format after a False.
FORMAT = Check("format", "hard", "format still wrong", mends=True, format_only=True)

CHECKS = {check.name: check for check in (RESPONSE, QUERY_TOOL, COT, CALL, FORMAT)}


def check_named(name: str) -> Check:
    """The check of this name. Raises ParamsError."""
    if name not in CHECKS:
        raise ParamsError(f"there is no check {name!r}, allowed are {', '.join(CHECKS)}")
    return CHECKS[name]


def check_row(check: Check, sample: Sample, fcdr: FcdrParams) -> Flow:
    """Take one row through one check, and through the CoT check again where its calls are new.

    The reasoning was judged together with the old calls: it may still lead to those.

    Args:
        check: The check.
        sample: The row as it comes in.
        fcdr: How often calls may be replaced, and what becomes of undecided rows.

    Returns:
        A generator of questions, whose value is the result. `sample` of the result is the row after the check, also
        where it does not go on.
    """
    if sample.kind == "statement":
        return CheckResult(sample.id, check.name, "skip", "keep", "statement", sample=sample)
    result = yield from _judge_and_mend(check, sample, fcdr)
    if result.action != "keep" or not fcdr.recheck_cot or not _has_new_calls(sample, result):
        return result
    again = yield from _judge_and_mend(COT, result.sample or sample, fcdr)
    return replace(again, check=check.name, reason=again.reason and f"new answer: {again.reason}")


def _judge_and_mend(check: Check, sample: Sample, fcdr: FcdrParams) -> Flow:
    """Ask until the verdict is True, putting the judge's new calls into the row, `max_regen` times at most."""
    left = getattr(fcdr, check.name).max_regen if check.mends else 0
    while True:
        verdict = yield Question(check.name, sample)
        if verdict.value is None:
            return CheckResult(
                sample.id, check.name, "undecided", _undecided(verdict, fcdr), verdict.problem, sample=sample
            )
        if verdict.value:
            return CheckResult(sample.id, check.name, "pass", "keep", "", sample=sample)
        if not left:
            return _failed(check, sample, check.reason)
        answer, problem = _new_answer(check, sample, verdict)
        if problem:
            # Where no judge was asked, none could write a new call: what the heuristics found is the reason.
            no_judge = verdict.heuristic if not verdict.seats else None
            return _failed(check, sample, no_judge.reason if no_judge else problem)
        left, sample = left - 1, replace(sample, answer=answer)


def _undecided(verdict: PanelVerdict, fcdr: FcdrParams) -> str:
    """What becomes of an undecided row. A row that no judge was asked about is kept unless the verifier doubts it."""
    if fcdr.undecided != "likely":
        return fcdr.undecided
    if fcdr.mode != "heuristics":
        return "drop"
    return "drop" if verdict.heuristic and verdict.heuristic.likely is False else "keep"


def _new_answer(check: Check, sample: Sample, verdict: PanelVerdict) -> tuple[str, str]:
    """(new answer, "") of a verdict, or ("", why it cannot replace the old one)."""
    answer, problem = replacement(verdict.new_call)
    if answer and check.format_only and canonical(sample.answer) not in (None, canonical(answer)):
        return "", "<NewFC> changes more than the format"
    return answer, problem


def _failed(check: Check, sample: Sample, reason: str) -> CheckResult:
    if check is RESPONSE:
        sample = replace(sample, kind="statement")
    return CheckResult(sample.id, check.name, "fail", check.action, reason, sample=sample)


def _has_new_calls(before: Sample, result: CheckResult) -> bool:
    """Whether the calls differ; where both are readable, a mended format alone is not a difference."""
    after = result.sample.answer if result.sample else before.answer
    return after != before.answer and canonical(after) != canonical(before.answer)
