"""Episodes: a query, candidate tools and the steps (calls) that answer it, with several phrasings per intent.

Shapes, in BFCL's terms: `simple` (one tool, one call), `multiple` (several tools, one call), `parallel` (one tool,
two calls), `parallel_multiple` (2-3 tools, one call per tool, no parameter in common) and `irrelevance` (no tool fits,
the answer is a statement).
"""

from dataclasses import dataclass
from random import Random

from funreason.calls import render
from funreason.toy.slots import Value, sample_value
from funreason.toy.tools import ToyTool

SHAPES = ("simple", "multiple", "parallel", "parallel_multiple", "irrelevance")

SYNONYMS = {
    "get": ("get", "find", "see", "look up"),
    "book": ("book", "reserve"),
    "list": ("list", "see"),
    "search": ("search", "search for"),
    "create": ("create", "make"),
    "compute": ("compute", "calculate"),
    "find": ("find", "look for"),
    "order": ("order", "buy"),
    "track": ("track", "follow"),
    "log": ("log", "record"),
}
OPENINGS = (
    "{}.",
    "Please {}.",
    "Can you {}?",
    "I need to {}.",
    "I want to {}.",
    "Could you {} today?",
    "Help me {}.",
    "I would like to {}.",
)
JOINTS = ((", and also ", ", then "), (", and finally ", ", and at last "))
STATEMENTS = (
    "None of the given functions can {}.",
    "I have no function to {}.",
    "There is no tool here to {}.",
)


@dataclass(frozen=True)
class ToyCall:
    """One call to make: the tool and its arguments, in the tool's own order."""

    tool: ToyTool
    arguments: tuple[tuple[str, Value], ...]

    def call(self) -> dict:
        """The call as {"name", "arguments"}."""
        return {"name": self.tool.name, "arguments": {slot: value.value for slot, value in self.arguments}}


@dataclass(frozen=True)
class Episode:
    """A task of the toy world. `intent` is what an unanswerable query asks for."""

    shape: str
    query: str
    tools: tuple[ToyTool, ...]
    steps: tuple[ToyCall, ...]
    intent: str = ""
    statement: str = ""

    def calls(self) -> list[dict]:
        """The right calls, none where no tool fits."""
        return [step.call() for step in self.steps]

    def answer(self) -> str:
        """The right answer: the calls, or the statement."""
        return render(self.calls()) if self.steps else self.statement

    def xlam_tools(self) -> list[dict]:
        """The candidate tools as an xLAM row declares them."""
        return [tool.xlam() for tool in self.tools]


def intent(tool: ToyTool, rng: Random) -> str:
    """What a tool does, with a synonym of its verb now and then."""
    return f"{rng.choice(SYNONYMS.get(tool.verb, (tool.verb,)))} the {tool.noun}"


def sample_step(tool: ToyTool, rng: Random, convert: bool, wording: int | None = None) -> ToyCall:
    """Values for all required and about half of the optional slots."""
    slots = [slot for slot in tool.slots if slot in tool.required or rng.random() < 0.5]
    return ToyCall(tool, tuple((slot, sample_value(slot, rng, convert, wording)) for slot in slots))


def phrase(step: ToyCall, rng: Random) -> str:
    """The slots of a step in words, in random order."""
    parts = [value.phrase for _, value in step.arguments]
    rng.shuffle(parts)
    return " ".join(parts)


def request(steps: list[ToyCall], rng: Random) -> str:
    """The steps as one sentence; a repeated tool is named once ("get X in A, and also in B")."""
    text, before = "", None
    for at, step in enumerate(steps):
        words = phrase(step, rng) if step.tool is before else f"{intent(step.tool, rng)} {phrase(step, rng)}"
        text = text + rng.choice(JOINTS[at - 1]) + words if at else words
        before = step.tool
    return text


def as_sentence(text: str, rng: Random) -> str:
    """A request as one of several kinds of sentence."""
    sentence = rng.choice(OPENINGS).format(text)
    return sentence[0].upper() + sentence[1:]


def candidates(needed: list[ToyTool], pool: tuple[ToyTool, ...], count: int, rng: Random) -> tuple[ToyTool, ...]:
    """`count` tools that hold the needed ones, the others drawn half from the same category, in random order."""
    chosen = list(needed)
    while len(chosen) < count:
        near = [tool for tool in pool if tool.category == needed[0].category] if rng.random() < 0.5 else pool
        other = rng.choice(near)
        if other not in chosen:
            chosen.append(other)
    rng.shuffle(chosen)
    return tuple(chosen)


def sample_episode(
    shape: str, wanted: tuple[ToyTool, ...], pool: tuple[ToyTool, ...], rng: Random, convert: bool = True
) -> Episode:
    """An episode of `shape` whose called tools come from `wanted` and whose other candidates come from `pool`."""
    if shape == "irrelevance":
        return unanswerable(wanted, pool, rng, convert)
    steps = sample_steps(shape, wanted, rng, convert)
    distinct = list(dict.fromkeys(step.tool for step in steps))
    number = max(len(distinct), rng.randint(2, 4)) if shape in ("multiple", "parallel_multiple") else len(distinct)
    return Episode(shape, as_sentence(request(steps, rng), rng), candidates(distinct, pool, number, rng), tuple(steps))


def sample_steps(shape: str, wanted: tuple[ToyTool, ...], rng: Random, convert: bool) -> list[ToyCall]:
    """The calls of an answerable shape; those of one tool (`parallel`) use the first and the second wording."""
    if shape == "parallel":
        tool = rng.choice(wanted)
        return [sample_step(tool, rng, convert, wording) for wording in (0, 1)]
    count = rng.choice((2, 2, 2, 3)) if shape == "parallel_multiple" else 1
    return [sample_step(tool, rng, convert) for tool in unrelated(wanted, count, rng)]


def unrelated(wanted: tuple[ToyTool, ...], count: int, rng: Random) -> list[ToyTool]:
    """Up to `count` tools without a parameter in common, at least two where two are asked for."""
    shuffled = rng.sample(wanted, len(wanted))
    chosen = shuffled[:1]
    for tool in shuffled[1:]:
        if len(chosen) < count and not any(set(tool.slots) & set(other.slots) for other in chosen):
            chosen.append(tool)
    return chosen if len(chosen) >= min(count, 2) else shuffled[:2]


def unanswerable(wanted: tuple[ToyTool, ...], pool: tuple[ToyTool, ...], rng: Random, convert: bool) -> Episode:
    """A query whose tool is not among the candidates."""
    tool = rng.choice(wanted)
    step = sample_step(tool, rng, convert)
    others = tuple(rng.sample([other for other in pool if other.noun != tool.noun], rng.randint(1, 3)))
    asked = intent(tool, rng)
    query = as_sentence(f"{asked} {phrase(step, rng)}", rng)
    return Episode("irrelevance", query, others, (), asked, rng.choice(STATEMENTS).format(asked))
