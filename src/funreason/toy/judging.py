"""How the toy judge answers each of the five checks: short evidence, then the verdict.

The evidence is written so that a small model can follow it: every value is quoted in the words of its source, then as
the answer writes it ("days: query lasting three days, so 3, answer=5, different."), and the first difference ends it.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from random import Random

from funreason.calls import render
from funreason.prompts import judge_messages
from funreason.toy.defects import CAUGHT_BY, Case, changed_value, clean, malformed, sample_case
from funreason.toy.episodes import Episode, ToyCall, sample_episode
from funreason.toy.reasoning import ORDINALS, value_thought
from funreason.toy.slots import KINDS, Value, sample_value
from funreason.toy.tools import ToyTool

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
    """The tag that ends a judge's reply."""
    return f"<judge>{passed}</judge>"


def beside(source: str, slot: str, wanted: Value | None, answered: Value | None) -> tuple[str, bool]:
    """`city: query in Rome, answer='Oslo', different.`: each side in the words of where it stands."""
    same = wanted is not None and answered is not None and wanted.value == answered.value
    thought = value_thought(wanted) if wanted else "nothing"
    written = render([{"name": "f", "arguments": {"answer": answered.value}}])[3:-2] if answered else "answer nothing"
    return f"{slot}: {source} {thought}, {written}, {'same' if same else 'different'}.", same


def pairs(source: str, wanted: ToyCall | None, answered: ToyCall | None) -> Iterator[tuple[str, bool]]:
    """The functions of two steps side by side, then their values in the order of `answered`."""
    names = [step.tool.name if step else "nothing" for step in (wanted, answered)]
    same = names[0] == names[1]
    yield f"{source} {names[0]}, answer {names[1]}, {'same' if same else 'different'}.", same
    right, written = (dict(step.arguments) if step else {} for step in (wanted, answered))
    for slot in [*written, *(slot for slot in right if slot not in written)]:
        yield beside(source, slot, right.get(slot), written.get(slot))


def compared(source: str, wanted: tuple[ToyCall, ...], answered: tuple[ToyCall, ...]) -> tuple[str, bool]:
    """All steps side by side, in order, up to the first difference; a missing one stands against `nothing`.

    Args:
        source: `query` or `reasoning`.
        wanted: The calls that the source leads to.
        answered: The calls of the answer.

    Returns:
        The text, and whether the calls are the same.
    """
    lines: list[str] = []
    for at, (right, written) in enumerate(zip_longest(wanted, answered)):
        if len(wanted) > 1:
            lines.append(ORDINALS[at])
        for line, same in pairs(source, right, written):
            lines.append(line)
            if not same:
                return " ".join(lines), False
    return " ".join(lines), True


def comparison(source: str, wanted: tuple[ToyTool, ...], rng: Random) -> tuple[str, bool]:
    """A line of evidence by itself: two functions or two values, the same ones half of the time."""
    if rng.random() < 0.2:
        right, other = rng.choice(wanted).name, rng.choice(wanted).name
        answered = rng.choice((right, other))
        same = right == answered
        return f"{source} {right}, answer {answered}, {'same' if same else 'different'}.", same
    slot = rng.choice(list(KINDS))
    value = sample_value(slot, rng, True)
    others = (changed_value(slot, value, rng), None) if rng.random() < 0.2 else (changed_value(slot, value, rng),)
    pair = [value, value if rng.random() < 0.5 else rng.choice(others)]
    if None in pair:
        rng.shuffle(pair)
    return beside(source, slot, *pair)


def sample_drill(wanted: tuple[ToyTool, ...], rng: Random) -> tuple[list[dict], str]:
    """Comparisons to be repeated with their result: the one step of judging that is not copying."""
    source = rng.choice(("query", "reasoning"))
    lines = [comparison(source, wanted, rng)[0] for _ in range(rng.randint(2, 6))]
    asked = " ".join(line[: line.rindex(",")] for line in lines)
    return [{"role": "user", "content": f"Compare: {asked}"}], " ".join(lines)


def response_reply(answer: str, steps: tuple[ToyCall, ...]) -> str:
    """Whether the answer makes a call."""
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
        arguments = dict(step.arguments)
        for slot in step.tool.required:
            if slot not in arguments:
                return f"{' '.join(lines)} {slot} is missing. {verdict(False)}"
            lines.append(f"{slot}: {arguments[slot].phrase}.")
    return f"{' '.join(lines)} {verdict(True)}"


def cot_reply(reasoned: tuple[ToyCall, ...], answered: tuple[ToyCall, ...]) -> str:
    """The calls of the reasoning beside those of the answer."""
    text, same = compared("reasoning", reasoned, answered)
    return f"{text} {verdict(same)}"


def call_reply(right: tuple[ToyCall, ...], answered: tuple[ToyCall, ...]) -> str:
    """The calls of the query beside those of the answer, and the right calls where they differ."""
    text, same = compared("query", right, answered)
    if same:
        return f"{text} {verdict(True)}"
    return f"{text} {verdict(False)}<NewFC>{render([step.call() for step in right])}</NewFC>"


def format_reply(case: Case) -> str:
    """The defect of the format and the calls written right, or that the format is right."""
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
    check: str, passed: bool, wanted: tuple[ToyTool, ...], pool: tuple[ToyTool, ...], rng: Random
) -> tuple[list[dict], str, Case]:
    """One question of a check.

    Args:
        check: One of the five.
        passed: The right verdict.
        wanted: Tools that are called.
        pool: Tools that the other candidates come from.
        rng: The random stream.

    Returns:
        (messages, reply, case).
    """
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
    """The judge's reply to a question of any check but `response`."""
    if check == "query_tool":
        return query_tool_reply(case.episode)
    if check == "cot":
        return cot_reply(case.reasoned, case.steps)
    if check == "call":
        return call_reply(case.episode.steps, case.steps)
    return format_reply(case)
