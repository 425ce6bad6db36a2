"""How the desk judge answers each of the five checks: short evidence, then the verdict.

The evidence is written so that a small model can follow it: every value is put beside the one it must equal
("days: three, 3 / 5, different."), and the verdict is False if anything differs.
"""

from dataclasses import replace
from random import Random

from funreason.calls import render
from funreason.desk.defects import CAUGHT_BY, Case, clean, malformed, sample_case
from funreason.desk.episodes import Episode, Step, sample_episode
from funreason.desk.reasoning import literal
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


def beside(wanted: Step | None, found: Step | None, converted: bool) -> tuple[list[str], bool]:
    """The two steps' names and values side by side, and whether all are the same."""
    names = [step.tool.name if step else "nothing" for step in (wanted, found)]
    lines, same = (
        [f"{names[0]} / {names[1]}, {'same' if names[0] == names[1] else 'different'}."],
        names[0] == names[1],
    )
    right, given = (dict(step.given) if step else {} for step in (wanted, found))
    for slot in list(right) + [slot for slot in given if slot not in right]:
        texts = [literal(values[slot].value) if slot in values else "nothing" for values in (right, given)]
        said = f"{right[slot].said}, " if converted and slot in right and right[slot].converted else ""
        equal = texts[0] == texts[1]
        lines.append(f"{slot}: {said}{texts[0]} / {texts[1]}, {'same' if equal else 'different'}.")
        same = same and equal
    return lines, same


def compared(wanted: tuple[Step, ...], found: tuple[Step, ...], converted: bool) -> tuple[str, bool]:
    """All steps side by side, in order; a missing one stands against `nothing`."""
    lines, same = [], True
    for at in range(max(len(wanted), len(found))):
        pair = [steps[at] if at < len(steps) else None for steps in (wanted, found)]
        text, equal = beside(*pair, converted)
        lines, same = lines + text, same and equal
    return " ".join(lines), same


def response_reply(answer: str, steps: tuple[Step, ...]) -> str:
    if steps:
        return f"It calls {steps[0].tool.name}. {verdict(True)}"
    return f"It is plain text. {verdict(False)}"


def query_tool_reply(episode: Episode) -> str:
    """Names the tool of each call and, for every required parameter, the words of the query or `missing`."""
    lines, passed = [], True
    for step in episode.steps:
        if step.tool not in episode.tools:
            return f"The query asks to {step.tool.verb} the {step.tool.noun}. No tool fits. {verdict(False)}"
        given = dict(step.given)
        lines.append(f"{step.tool.name} fits.")
        for slot in step.tool.required:
            lines.append(f"{slot}: {given[slot].said}." if slot in given else f"{slot}: missing.")
            passed = passed and slot in given
    return f"{' '.join(lines)} {verdict(passed)}"


def cot_reply(told: tuple[Step, ...], answered: tuple[Step, ...]) -> str:
    text, same = compared(told, answered, converted=False)
    return f"{text} {verdict(same)}"


def call_reply(right: tuple[Step, ...], answered: tuple[Step, ...]) -> str:
    text, same = compared(right, answered, converted=True)
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
