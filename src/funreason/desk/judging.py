"""How the desk judge answers each of the five checks: short evidence, then the verdict.

The evidence is written so that a small model can follow it: every value is quoted in the words of the reasoning, then
as the answer writes it ("days is three, so 3, days=5, different."), and the first difference ends it.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from random import Random

from funreason.calls import render
from funreason.desk.defects import CAUGHT_BY, Case, clean, malformed, sample_case
from funreason.desk.episodes import Episode, Step, sample_episode
from funreason.desk.reasoning import ORDINALS, value_thought
from funreason.desk.slots import Value
from funreason.desk.tools import DeskTool
from funreason.prompts import judge_messages

DEFECTS_OF = {
    check: tuple(d for d, caught in CAUGHT_BY.items() if caught == check)
    for check in ("query_tool", "cot", "call", "format")
}
FORMAT_EVIDENCE = {
    "format_space": "There is a stray space after the bracket.",
    "format_quoted_name": "The parameter names are quoted.",
    "format_unquoted": "A string value is not quoted.",
}


def verdict(passed: bool) -> str:
    return f"<judge>{passed}</judge>"


def beside(slot: str, wanted: Value | None, found: Value | None) -> tuple[str, bool]:
    """`city is Rome, city='Oslo', different.`: each side in the words of its source, so that both are quoted."""
    same = wanted is not None and found is not None and wanted.value == found.value
    thought = value_thought(slot, wanted) if wanted else f"{slot} is nothing"
    written = render([{"name": "f", "arguments": {slot: found.value}}])[3:-2] if found else "nothing"
    return f"{thought}, {written}, {'same' if same else 'different'}.", same


def pairs(wanted: Step | None, found: Step | None) -> Iterator[tuple[str, bool]]:
    """The functions of two steps side by side, then their values in the order of `found`."""
    names = [step.tool.name if step else "nothing" for step in (wanted, found)]
    yield f"{names[0]}, {names[1]}, {'same' if names[0] == names[1] else 'different'}.", names[0] == names[1]
    right, given = dict(wanted.given), dict(found.given)
    for slot in [*given, *(slot for slot in right if slot not in given)]:
        yield beside(slot, right.get(slot), given.get(slot))


def compared(wanted: tuple[Step, ...], found: tuple[Step, ...]) -> tuple[str, bool]:
    """All steps side by side, in order, up to the first difference; a missing one stands against `nothing`."""
    lines: list[str] = []
    for at, (right, given) in enumerate(zip_longest(wanted, found)):
        if len(wanted) > 1:
            lines.append(ORDINALS[at])
        for line, same in pairs(right, given):
            lines.append(line)
            if not same:
                return " ".join(lines), False
    return " ".join(lines), True


def response_reply(answer: str, steps: tuple[Step, ...]) -> str:
    if steps:
        return f"It calls {steps[0].tool.name}. {verdict(True)}"
    return f"It is plain text. {verdict(False)}"


def query_tool_reply(episode: Episode) -> str:
    """Names the tool of each step and what the query says of every required parameter, up to the first gap."""
    lines = []
    for at, step in enumerate(episode.steps):
        if len(episode.steps) > 1:
            lines.append(ORDINALS[at])
        lines.append(f"To {step.tool.verb} the {step.tool.noun}:")
        if step.tool not in episode.tools:
            return f"{' '.join(lines)} no tool. {verdict(False)}"
        lines.append(f"{step.tool.name}.")
        given = dict(step.given)
        for slot in step.tool.required:
            if slot not in given:
                return f"{' '.join(lines)} {slot} is missing. {verdict(False)}"
            lines.append(f"{slot} is {given[slot].said}.")
    return f"{' '.join(lines)} {verdict(True)}"


def cot_reply(told: tuple[Step, ...], answered: tuple[Step, ...]) -> str:
    text, same = compared(told, answered)
    return f"{text} {verdict(same)}"


def call_reply(right: tuple[Step, ...], answered: tuple[Step, ...]) -> str:
    text, same = compared(right, answered)
    if same:
        return f"{text} {verdict(True)}"
    return f"{text} {verdict(False)}<NewFC>{render([step.call() for step in right])}</NewFC>"


def format_reply(case: Case) -> str:
    if case.defect in FORMAT_EVIDENCE:
        return f"{FORMAT_EVIDENCE[case.defect]} {verdict(False)}<NewFC>{render(case.episode.calls())}</NewFC>"
    return f"The format is right. {verdict(True)}"


def maybe_malformed(case: Case, rng: Random) -> Case:
    """The same content, now and then in a broken format: the checks before Format must look past it."""
    if rng.random() > 0.12:
        return case
    defect = rng.choice(DEFECTS_OF["format"])
    return replace(case, answer=malformed(case.answer, case.steps, defect))


def sample_judged(
    check: str, passed: bool, wanted: tuple[DeskTool, ...], pool: tuple[DeskTool, ...], rng: Random
) -> tuple[list[dict], str, Case]:
    """(messages, reply, case) for one question of `check` whose right verdict is `passed`."""
    if check == "response":
        shape = "simple" if passed else "irrelevance"
        case = (
            maybe_malformed(clean(sample_episode(shape, wanted, pool, rng), rng), rng)
            if passed
            else clean(sample_episode(shape, wanted, pool, rng), rng)
        )
        reply = response_reply(case.answer, case.steps)
    else:
        defect = None if passed else rng.choice(DEFECTS_OF[check])
        case = sample_case(defect, wanted, pool, rng)
        if check != "format":
            case = maybe_malformed(case, rng)
        reply = reply_of(check, case)
    messages = judge_messages(
        check, query=case.episode.query, tools=case.episode.xlam_tools(), cot=case.cot, answer=case.answer
    )
    return messages, reply, case


def reply_of(check: str, case: Case) -> str:
    if check == "query_tool":
        return query_tool_reply(case.episode)
    if check == "cot":
        return cot_reply(case.told, case.steps)
    if check == "call":
        return call_reply(case.episode.steps, case.steps)
    return format_reply(case)
