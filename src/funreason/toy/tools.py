"""The toy world's tools: `catalog.txt` read into xLAM tools, with some tools held out whole."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from random import Random

from funreason.toy.slots import KINDS

HELD_OUT_FRACTION = 0.2


@dataclass(frozen=True)
class ToyTool:
    """One tool: its intent in words (`verb` + `noun`), its required and optional slots, and its xLAM form."""

    category: str
    verb: str
    noun: str
    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def name(self) -> str:
        """`get_weather_report`: the verb and the noun."""
        return f"{self.verb}_{self.noun.replace(' ', '_')}"

    @property
    def slots(self) -> tuple[str, ...]:
        """All parameters, the required ones first."""
        return self.required + self.optional

    def xlam(self) -> dict:
        """The tool as an xLAM row declares it."""
        parameters = {slot: parameter(slot, slot in self.optional) for slot in self.slots}
        return {
            "name": self.name,
            "description": f"{self.verb.capitalize()} the {self.noun}.",
            "parameters": parameters,
        }


def parameter(slot: str, optional: bool) -> dict:
    """A parameter as an xLAM row declares it."""
    kind = KINDS[slot]
    declared: dict = {"description": kind.description, "type": f"{kind.type}, optional" if optional else kind.type}
    if kind.enum:
        declared["enum"] = list(kind.enum)
    if optional:
        declared["default"] = kind.default
    return declared


def parse_line(category: str, line: str) -> ToyTool:
    """A tool from `verb noun | slot slot?`, a line of the catalog; optional slots end with a question mark."""
    intent, slots = (part.split() for part in line.split("|"))
    required = tuple(slot for slot in slots if not slot.endswith("?"))
    optional = tuple(slot[:-1] for slot in slots if slot.endswith("?"))
    return ToyTool(category, intent[0], " ".join(intent[1:]), required, optional)


@cache
def catalog() -> tuple[ToyTool, ...]:
    """Every tool of `catalog.txt`, in its order."""
    tools, category = [], ""
    for line in resources.files(__package__).joinpath("catalog.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            category = line.strip("[]")
        elif line and not line.startswith("#"):
            tools.append(parse_line(category, line))
    return tuple(tools)


@cache
def split(seed: int = 0) -> tuple[tuple[ToyTool, ...], tuple[ToyTool, ...]]:
    """(known, new) tools: `new` ones are in no training episode; their words all occur in known tools' prompts."""
    tools = list(catalog())
    held_out = set(Random(seed).sample([tool.name for tool in tools], round(HELD_OUT_FRACTION * len(tools))))
    return (
        tuple(tool for tool in tools if tool.name not in held_out),
        tuple(tool for tool in tools if tool.name in held_out),
    )


@cache
def vocabulary() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(verbs, noun words) of the whole catalog, sorted."""
    verbs = {tool.verb for tool in catalog()}
    words = {word for tool in catalog() for word in tool.noun.split()}
    return tuple(sorted(verbs)), tuple(sorted(words))


@cache
def names() -> frozenset[str]:
    """The names of all tools of the catalog."""
    return frozenset(tool.name for tool in catalog())


def invented(rng: Random) -> ToyTool:
    """A tool put together at random from the catalog's words and slots: teaches reading tools, not knowing them.

    Never one of the catalog's own names, so that held-out tools stay unseen.
    """
    verbs, words = vocabulary()
    taken = names()
    while True:
        slots = rng.sample(list(KINDS), rng.randint(1, 4))
        required = max(1, len(slots) - rng.choice((0, 0, 1, 1, 2)))
        noun = " ".join(rng.sample(words, rng.choice((1, 2, 2))))
        tool = ToyTool("invented", rng.choice(verbs), noun, tuple(slots[:required]), tuple(slots[required:]))
        if tool.name not in taken:
            return tool
