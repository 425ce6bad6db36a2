"""Endless training streams of the toy models: (messages, reply) pairs drawn from the toy world.

The hash of a query decides its split, so that training, refine pool and held-out sets have no query in common. Held-out
tools are in no stream.
"""

from collections.abc import Iterator
from hashlib import sha256
from random import Random

from funreason.calls import render
from funreason.prompts import calling_messages, code_messages
from funreason.toy.code_world import sample_code_task, sample_input
from funreason.toy.episodes import SHAPES, Episode, intent, sample_episode
from funreason.toy.inventory import value_words
from funreason.toy.judging import sample_drill, sample_judged
from funreason.toy.reasoning import chain_of_thought
from funreason.toy.tools import ToyTool, invented, split

INVENTED_FRACTION = 0.4
WORDS = value_words()
SPLIT_OF_TEN = ("train",) * 7 + ("pool",) * 2 + ("held_out",)


def split_of(query: str) -> str:
    """`train`, `pool` or `held_out`, by the query's hash."""
    return SPLIT_OF_TEN[sha256(query.encode()).digest()[0] % 10]


def toolbox(rng: Random) -> tuple[ToyTool, ...]:
    """The tools a training episode may use: the known ones, or a handful invented for this episode."""
    if rng.random() < INVENTED_FRACTION:
        tools = {tool.name: tool for tool in (invented(rng) for _ in range(8))}
        return tuple(tools.values())
    return split()[0]


def training_episode(shape: str, rng: Random, convert: bool) -> Episode:
    """An episode whose query is of the training split; `convert` as in `slots.Value`."""
    while True:
        tools = toolbox(rng)
        episode = sample_episode(shape, tools, tools, rng, convert)
        if split_of(episode.query) == "train":
            return episode


def direct(rng: Random) -> tuple[list[dict], str]:
    """One call, or a statement that no tool fits; without reasoning, and no value is converted."""
    episode = training_episode(rng.choices(SHAPES, (4, 4, 0, 0, 2))[0], rng, convert=False)
    return calling_messages(episode.query, episode.xlam_tools()), episode.answer()


def verbatim(rng: Random) -> tuple[list[dict], str]:
    """The untrained student's form: one call, only required arguments, in the query's words ("three", not 3)."""
    episode = training_episode(rng.choice(SHAPES[:2]), rng, convert=True)
    step = episode.steps[0]
    required = [(slot, value) for slot, value in step.arguments if slot in step.tool.required]
    arguments = {slot: value.text if value.converted else value.value for slot, value in required}
    answer = render([{"name": step.tool.name, "arguments": arguments}])
    return calling_messages(episode.query, episode.xlam_tools()), answer


def reasoned(rng: Random) -> tuple[list[dict], str]:
    """The teacher's form: reasoning, then the calls, over every shape and conversion."""
    episode = training_episode(rng.choices(SHAPES, (5, 6, 4, 3, 3))[0], rng, convert=True)
    cot = chain_of_thought(episode, rng)
    return calling_messages(episode.query, episode.xlam_tools()), f"<think>{cot}</think>\n\n{episode.answer()}"


def coded(rng: Random) -> tuple[list[dict], str]:
    """A code task of the training split and its solution."""
    while True:
        task = sample_code_task(rng)
        if not task.held_out:
            return code_messages(task.prompt(sample_input(task.argument, rng))), task.reply()


def repeated(rng: Random) -> tuple[list[dict], str]:
    """A text to repeat. Every call needs copying, and it is learnt soonest where nothing else is asked."""
    text = " ".join(rng.choice((rng.choice(WORDS), str(rng.randint(0, 9999)))) for _ in range(rng.randint(4, 16)))
    return [{"role": "user", "content": f"Repeat: {text}"}], text


def judged(rng: Random) -> tuple[list[dict], str]:
    """A question of one of the five checks and the judge's reply."""
    check = rng.choices(("response", "query_tool", "cot", "call", "format"), (1, 6, 7, 8, 3))[0]
    while True:
        tools = toolbox(rng)
        messages, reply, case = sample_judged(check, rng.random() < 0.5, tools, tools, rng)
        if split_of(case.episode.query) == "train":
            return messages, reply


MIXTURES = {
    "trunk": ((direct, 0.3), (reasoned, 0.4), (coded, 0.1), (repeated, 0.2)),
    "teacher": ((reasoned, 0.95), (coded, 0.05)),
    "judge": ((judged, 0.9), (reasoned, 0.1)),
    "base": ((verbatim, 0.5), (coded, 0.5)),
}


def stream(role: str, seed: int) -> Iterator[tuple[list[dict], str]]:
    """The endless stream of (messages, reply) that trains `role`."""
    rng = Random(f"{role}/{seed}")
    samplers, weights = zip(*MIXTURES[role], strict=True)
    while True:
        yield rng.choices(samplers, weights)[0](rng)


def tool_drill(rng: Random) -> tuple[list[dict], str]:
    """A drill in finding tools: several intents at once, each with its tool or `None`."""
    tools = rng.sample(toolbox(rng), rng.randint(2, 8))
    here = tuple(tools[: rng.randint(1, min(4, len(tools) - 1))])
    wants = rng.sample(tools, rng.randint(2, min(5, len(tools))))
    lines = [f"{tool.verb} the {tool.noun}: {tool.name if tool in here else 'None'}." for tool in wants]
    intents = ", ".join(intent(tool, rng) for tool in wants)
    return calling_messages(f"Which tools? {intents}.", [tool.xlam() for tool in here]), " ".join(lines)


def comparison_drill(rng: Random) -> tuple[list[dict], str]:
    """A drill in comparing values, see `judging.sample_drill`."""
    return sample_drill(toolbox(rng), rng)


# Exercises in one skill for which the stream has few tokens, and the fraction of a role's training that they take.
DRILLS = {"teacher": ((tool_drill, 0.2),), "judge": ((comparison_drill, 0.25), (tool_drill, 0.1))}


def training_stream(role: str, seed: int) -> Iterator[tuple[list[dict], str]]:
    """`stream` with the role's drills in between."""
    rng, samples, drills = Random(f"drill/{role}/{seed}"), stream(role, seed), DRILLS.get(role, ())
    weights = [1 - sum(fraction for _, fraction in drills), *(fraction for _, fraction in drills)]
    while True:
        drill = rng.choices((None, *(drill for drill, _ in drills)), weights)[0]
        yield drill(rng) if drill else next(samples)
