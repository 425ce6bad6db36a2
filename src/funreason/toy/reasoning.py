"""How the toy teacher thinks: the chain of thought of an episode, in varied but learnable words.

The reasoning names the tool, then every parameter with the query's own words for it and the value that the call needs.
"""

from random import Random

from funreason.calls import render
from funreason.toy.episodes import Episode, ToyCall
from funreason.toy.slots import Value

GOALS = ("The user wants to {}.", "The task is to {}.", "I have to {}.")
FITS = ("I can use {}.", "The right tool is {}.", "This needs {}.")
LEFT_OUT = ("{} is not given.", "{} is not mentioned.")
ORDINALS = ("First call:", "Second call:", "Third call:")


def literal(value: object) -> str:
    """A value as a call writes it, without the quotes of a string."""
    return value if isinstance(value, str) else render([{"name": "f", "arguments": {"v": value}}])[5:-2]


def value_thought(value: Value) -> str:
    """The query's words (`in Rome`) and, where the call needs another form, that (`lasting three days, so 3`)."""
    return f"{value.phrase}, so {literal(value.value)}" if value.converted else value.phrase


def step_thought(step: ToyCall, rng: Random) -> str:
    """The tool, the query's words for each argument, and what is left out."""
    stated = {slot for slot, _ in step.arguments}
    missing = [rng.choice(LEFT_OUT).format(slot) for slot in step.tool.optional if slot not in stated]
    values = [f"{slot}: {value_thought(value)}." for slot, value in step.arguments]
    return " ".join([rng.choice(FITS).format(step.tool.name), *values, *missing])


def chain_of_thought(episode: Episode, rng: Random) -> str:
    """The teacher's reasoning for an episode: the goal, then one thought per call, or why no tool fits."""
    if not episode.steps:
        return f"{rng.choice(GOALS).format(episode.intent)} None of the tools can do that."
    goals = " and ".join(dict.fromkeys(f"{step.tool.verb} the {step.tool.noun}" for step in episode.steps))
    thoughts = [step_thought(step, rng) for step in episode.steps]
    if len(thoughts) > 1:
        thoughts = [f"{ordinal} {thought}" for ordinal, thought in zip(ORDINALS, thoughts, strict=False)]
    return " ".join([rng.choice(GOALS).format(goals), *thoughts])
