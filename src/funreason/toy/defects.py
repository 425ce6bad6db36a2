"""Planted defects: a sample (query, tools, reasoning, answer) made wrong in one known way.

Each defect names the check of FCDR that must catch it; `None` stands for a clean sample.
"""

from dataclasses import dataclass, replace
from random import Random

from funreason.calls import render
from funreason.toy.episodes import Episode, ToyCall, as_sentence, request, sample_episode
from funreason.toy.reasoning import chain_of_thought
from funreason.toy.slots import Value, sample_value
from funreason.toy.tools import ToyTool

CAUGHT_BY = {
    "unsolvable": "query_tool",
    "missing_value": "query_tool",
    "bad_cot": "cot",
    "wrong_function": "call",
    "wrong_value": "call",
    "format_space": "format",
    "format_quoted_name": "format",
    "format_unquoted": "format",
}


@dataclass(frozen=True)
class Case:
    """A sample with its hidden label.

    The right calls are `episode.steps`, `steps` are the calls of `answer`, and `reasoned` those of the reasoning.
    """

    episode: Episode
    cot: str
    answer: str
    steps: tuple[ToyCall, ...]
    reasoned: tuple[ToyCall, ...]
    defect: str | None = None


def clean(episode: Episode, rng: Random) -> Case:
    """The episode with the teacher's reasoning and the right answer."""
    return Case(episode, chain_of_thought(episode, rng), episode.answer(), episode.steps, episode.steps)


def changed_value(slot: str, value: Value, rng: Random) -> Value:
    """Another value of the same kind; now and then a near miss (a number off by one)."""
    if isinstance(value.value, int) and not isinstance(value.value, bool) and rng.random() < 0.3:
        return Value(str(value.value + 1), value.value + 1, wording=value.wording)
    while True:
        other = sample_value(slot, rng, False)
        if other.value != value.value:
            return replace(other, wording=value.wording)


def with_wrong_value(steps: tuple[ToyCall, ...], rng: Random) -> tuple[ToyCall, ...]:
    """One value of one call replaced by another of its kind."""
    at = rng.randrange(len(steps))
    slot_at = rng.randrange(len(steps[at].arguments))
    arguments = list(steps[at].arguments)
    slot, value = arguments[slot_at]
    arguments[slot_at] = (slot, changed_value(slot, value, rng))
    return steps[:at] + (replace(steps[at], arguments=tuple(arguments)),) + steps[at + 1 :]


def with_wrong_function(episode: Episode, rng: Random) -> tuple[ToyCall, ...] | None:
    """One call's function replaced by another candidate, keeping the values it can take; None if there is none."""
    at = rng.randrange(len(episode.steps))
    called = {step.tool for step in episode.steps}
    others = [tool for tool in episode.tools if tool not in called]
    if not others:
        return None
    tool, values = rng.choice(others), dict(episode.steps[at].arguments)
    arguments = tuple((slot, values.get(slot) or sample_value(slot, rng, False)) for slot in tool.required)
    return episode.steps[:at] + (ToyCall(tool, arguments),) + episode.steps[at + 1 :]


def calls_text(steps: tuple[ToyCall, ...]) -> str:
    """The calls as an answer writes them."""
    return render([step.call() for step in steps])


def malformed(text: str, steps: tuple[ToyCall, ...], defect: str) -> str:
    """The same calls in a broken format. A space inside the list occurs in xLAM itself, see docs/method.md."""
    if defect == "format_space":
        return "[ " + text[1:]
    for step in steps:
        for slot, value in step.arguments:
            if defect == "format_quoted_name":
                text = text.replace(f"({slot}=", f"('{slot}'=").replace(f", {slot}=", f", '{slot}'=")
            elif isinstance(value.value, str):
                text = text.replace(f"{slot}={value.value!r}", f"{slot}={value.value}")
    return text


def plant(defect: str, episode: Episode, rng: Random) -> Case | None:
    """The episode with `defect`, or None where it cannot carry it (try another episode)."""
    if not episode.steps:
        return None
    base = clean(episode, rng)
    if defect == "wrong_value":
        return rewritten(base, with_wrong_value(episode.steps, rng), defect, rng)
    if defect == "wrong_function":
        steps = with_wrong_function(episode, rng)
        return rewritten(base, steps, defect, rng) if steps else None
    if defect.startswith("format_"):
        answer = malformed(base.answer, base.steps, defect)
        return replace(base, answer=answer, defect=defect) if answer != base.answer else None
    if defect == "bad_cot":
        return bad_reasoning(base, rng)
    return without_tool(base, rng) if defect == "unsolvable" else without_value(base, rng)


def rewritten(case: Case, steps: tuple[ToyCall, ...], defect: str, rng: Random) -> Case:
    """A wrong answer whose reasoning leads to it: only the call check can see it."""
    cot = chain_of_thought(replace(case.episode, steps=steps), rng)
    return Case(case.episode, cot, calls_text(steps), steps, steps, defect)


def bad_reasoning(case: Case, rng: Random) -> Case:
    """Reasoning that ends at another value or another function than the answer, or that leaves a call out."""
    draw, reasoned = rng.random(), None
    if draw < 0.25:
        reasoned = with_wrong_function(case.episode, rng)
    elif draw < 0.45 and len(case.steps) > 1:
        reasoned = case.steps[:-1]
    reasoned = reasoned or with_wrong_value(case.steps, rng)
    cot = chain_of_thought(replace(case.episode, steps=reasoned), rng)
    return replace(case, cot=cot, reasoned=reasoned, defect="bad_cot")


def without_tool(case: Case, rng: Random) -> Case | None:
    """The query's tool is taken away; the answer calls one that does not fit."""
    gone = case.steps[0].tool
    left = tuple(tool for tool in case.episode.tools if tool != gone)
    if not left or len(case.steps) > 1:
        return None
    tool = rng.choice(left)
    values = dict(case.steps[0].arguments)
    step = ToyCall(tool, tuple((slot, values.get(slot) or sample_value(slot, rng, False)) for slot in tool.required))
    wrong = replace(case.episode, tools=left, steps=(step,))
    episode = replace(case.episode, tools=left)
    return Case(episode, chain_of_thought(wrong, rng), calls_text((step,)), (step,), (step,), "unsolvable")


def without_value(case: Case, rng: Random) -> Case | None:
    """A required value is left out of the query; the answer makes one up."""
    at = rng.randrange(len(case.steps))
    step = case.steps[at]
    slots = [slot for slot, _ in step.arguments if slot in step.tool.required]
    if len(step.arguments) < 2 or not slots:
        return None
    gone = rng.choice(slots)
    kept = replace(step, arguments=tuple(pair for pair in step.arguments if pair[0] != gone))
    asked = case.episode.steps[:at] + (kept,) + case.episode.steps[at + 1 :]
    episode = replace(case.episode, steps=asked)
    query = as_sentence(request(list(asked), rng), rng)
    return replace(case, episode=replace(episode, query=query), defect="missing_value")


def sample_case(defect: str | None, wanted: tuple[ToyTool, ...], pool: tuple[ToyTool, ...], rng: Random) -> Case:
    """A clean (None) or planted case over fresh episodes."""
    shapes = ("simple", "multiple", "parallel", "parallel_multiple")
    while True:
        shape = rng.choices(shapes, (3, 4, 2, 1))[0]
        episode = sample_episode(shape, wanted, pool, rng)
        case = clean(episode, rng) if defect is None else plant(defect, episode, rng)
        if case:
            return case
