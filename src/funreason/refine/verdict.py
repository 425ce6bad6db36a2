"""A judge's text → its verdict. Whatever leaves a doubt is no verdict: the judge is asked again.

Judges may reason first, inside <think> or in the open. What counts stands after the reasoning: one value of
`<judge>True</judge>` or `<judge>False</judge>`, and the last `<NewFC>…</NewFC>`.
"""

import re
from dataclasses import dataclass

from funreason.calls import CallSyntaxError, parse, render
from funreason.calls.completion import CLOSE, OPEN
from funreason.core.errors import DataError
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
class Reading:
    """`value` None: no verdict could be read, `problem` says why. `new_call` is the text inside <NewFC>."""

    value: bool | None
    new_call: str | None = None
    problem: str = ""


def read(text: str, finish_reason: str = "stop") -> Reading:
    """The verdict of a judge's whole turn.

    A turn that was cut is not read: without its end, a tag in it may be part of the reasoning (a chat template
    may open <think> in the prompt). Neither is one that says both, since the judged texts can hold tags, and a
    judge that quotes them must not let a row pass.
    """
    if finish_reason != "stop":
        return Reading(None, problem=_UNFINISHED.get(finish_reason, f"ended by {finish_reason!r}"))
    said = text.rpartition(CLOSE)[2]
    if OPEN in said:
        return Reading(None, problem="reasoning never closed")
    values = [match[1].lower() == "true" for match in _JUDGE.finditer(said)]
    if not values:
        return Reading(None, problem="no <judge> tag")
    if len(set(values)) > 1:
        return Reading(None, problem="both verdicts")
    calls = _NEW_CALL.findall(said)
    return Reading(values[-1], new_call=calls[-1].strip() if calls else None)


def replacement(new_call: str | None) -> tuple[str | None, str]:
    """(canonical answer, "") of the text inside <NewFC>, or (None, what is wrong with it)."""
    if new_call is None:
        return None, "no <NewFC>"
    try:
        calls = parse(unfenced(new_call))
        return (render(calls), "") if calls else (None, "<NewFC> holds no call")
    except CallSyntaxError:
        return None, "<NewFC> does not parse"
    except DataError:  # render: what parses but could not be written back
        return None, "<NewFC> cannot be written as calls"
