"""The text of a judge → its verdict. A text that leaves a doubt has no verdict: the judge is asked again.

A judge may reason first, inside <think> or in the open. What counts stands after the reasoning: one value of
`<judge>True</judge>` or `<judge>False</judge>`, and the last `<NewFC>…</NewFC>`.
"""

import re
from dataclasses import dataclass

from funreason.calls import CallSyntaxError, parse, render
from funreason.calls.completion import CLOSE, OPEN
from funreason.core.errors import DataError
from funreason.llm.refusals import refusal_reason
from funreason.llm.request import UNANSWERED, Response
from funreason.prompts import unfenced

TOO_LONG = "prompt too long"
_UNFINISHED = {"length": "cut at the maximum length", "too_long": TOO_LONG}
_JUDGE = re.compile(r"<judge>\s*(true|false)\s*</judge>", re.IGNORECASE)
# Tempered, so that an opened and forgotten tag does not swallow the next one.
_NEW_CALL = re.compile(r"<NewFC>((?:(?!</?NewFC>).)*)</NewFC>", re.IGNORECASE | re.DOTALL)
# For engines with structured output: reasoning, one verdict and, if need be, a new call, then the end. The chat
# template may have opened <think>. Without look-ahead, which grammars lack, "<" stands nowhere but in the tags.
VERDICT_REGEX = r"(<think>)?([^<]*</think>)?[^<]*<judge>(True|False)</judge>(\s*<NewFC>\[[^<]*\]</NewFC>)?"


@dataclass(frozen=True)
class JudgeReply:
    """One text of one judge, and what was read in it.

    Attributes:
        judge: The name of the judge in `models.judges`.
        text: The whole text.
        value: The verdict; None where none can be read.
        new_call: The text inside <NewFC>.
        problem: Why no verdict can be read.
        refused: Whether the server did not answer; `text` is its reason.
    """

    judge: str
    text: str
    value: bool | None
    new_call: str | None = None
    problem: str = ""
    refused: bool = False

    @property
    def too_long(self) -> bool:
        """Whether the prompt was too long, so that the judge was not asked at all."""
        return self.problem == TOO_LONG

    @property
    def worth_asking_again(self) -> bool:
        """Whether another sample may have a verdict."""
        return self.value is None and not self.too_long and not self.refused

    def to_row(self) -> dict:
        """The reply as one of the `votes` of a ledger line."""
        return {"judge": self.judge, "value": self.value, "text": self.text}


def read_reply(judge: str, text: str, finish_reason: str = "stop") -> JudgeReply:
    """Read the verdict in a judge's text.

    Args:
        judge: The name of the judge.
        text: The whole text, reasoning included.
        finish_reason: Why the engine stopped. A text that was cut is not read: without its end, a tag in it may be
            part of the reasoning (a chat template may open <think> in the prompt).

    Returns:
        The reply. A text that says both True and False has no verdict: the judged row can hold tags, and a judge that
        quotes them must not let the row pass.
    """
    if reason := refusal_reason(Response(text, finish_reason, 0, 0)):
        return JudgeReply(judge, text, None, problem=reason, refused=finish_reason in UNANSWERED)
    if finish_reason != "stop":
        return JudgeReply(judge, text, None, problem=_UNFINISHED.get(finish_reason, f"ended by {finish_reason!r}"))
    conclusion = text.rpartition(CLOSE)[2]
    if OPEN in conclusion:
        return JudgeReply(judge, text, None, problem="reasoning never closed")
    values = {match[1].lower() == "true" for match in _JUDGE.finditer(conclusion)}
    if len(values) != 1:
        return JudgeReply(judge, text, None, problem="both verdicts" if values else "no <judge> tag")
    calls = _NEW_CALL.findall(conclusion)
    return JudgeReply(judge, text, values.pop(), new_call=calls[-1].strip() if calls else None)


def replacement(new_call: str | None) -> tuple[str, str]:
    """(canonical answer, "") of the text inside <NewFC>, or ("", what is wrong with it)."""
    if new_call is None:
        return "", "no <NewFC>"
    try:
        calls = parse(unfenced(new_call))
        return (render(calls), "") if calls else ("", "<NewFC> holds no call")
    except CallSyntaxError:
        return "", "<NewFC> does not parse"
    except DataError:  # of render: what parses, but could not be written back
        return "", "<NewFC> cannot be written as calls"
