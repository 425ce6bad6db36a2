"""Conversations in the toy world, for a multi-turn source; the toy models have not seen any.

In an exchange, the user asks, the assistant calls, the tool returns a reference, and the assistant names it. A later
exchange repeats the call with one other value ("And in Oslo?"), or makes another call, perhaps about the reference
before. Half of the conversations are distilled. Some of these end with a call that has a planted defect.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from funreason.calls import join_completion
from funreason.core.jsonio import write_jsonl
from funreason.toy.corpus import split_of, toolbox
from funreason.toy.defects import CAUGHT_BY, Case, changed_value, clean, plant
from funreason.toy.episodes import Episode, ToyCall, as_sentence, candidates, request, sample_step
from funreason.toy.slots import Value, sample_value
from funreason.toy.tools import ToyTool

DISTILLED_FRACTION = 0.5
AGAIN_FRACTION = 0.5
AGAIN = ("And {}?", "What about {}?", "The same {}, please.")
TOLD = ("It is done, the reference is {}.", "That worked, your reference is {}.")
THOUGHT = "The result is there. I tell the reference {}."
# Defects of a response; those of a query would have to be in all that follows it.
PLANTED = [name for name, check in CAUGHT_BY.items() if check != "query_tool"]


@dataclass(frozen=True)
class Exchange:
    """One request of the user: its call, and the reference that the tool gives for it."""

    query: str
    step: ToyCall
    reference: str

    def case(self, tools: tuple[ToyTool, ...], rng: Random) -> Case:
        """The call with reasoning, without a defect."""
        return clean(Episode("multiple", self.query, tools, (self.step,)), rng)


def write_conversations(folder: Path, seed: int, rows: int, planted_fraction: float) -> None:
    """Write `rows` conversations and a label for each of their turns; the bytes depend on the arguments alone.

    Args:
        folder: Where conversations.jsonl and conversations_labels.jsonl go.
        seed: Of the random stream.
        rows: Number of conversations.
        planted_fraction: Fraction of the distilled conversations that end with a planted defect.
    """
    rng = Random(f"dialogs/{seed}")  # part of the random stream: another text would give other conversations
    drawn = [conversation(f"dialog-{number}", planted_fraction, rng) for number in range(rows)]
    write_jsonl(folder / "conversations.jsonl", (row for row, _ in drawn))
    write_jsonl(folder / "conversations_labels.jsonl", (label for _, labels in drawn for label in labels))


def conversation(name: str, planted_fraction: float, rng: Random) -> tuple[dict, list[dict]]:
    """One conversation: its row with `messages`, and the label of each turn."""
    pool = toolbox(rng)
    wanted = rng.sample(pool, 2)
    tools = candidates(wanted, pool, rng.randint(2, 4), rng)
    exchanges = list(_exchanges(wanted, rng.randint(2, 4), rng))
    distilled = rng.random() < DISTILLED_FRACTION
    defect = rng.choice(PLANTED) if distilled and rng.random() < planted_fraction else None
    messages = [message for exchange in exchanges for message in _messages(exchange, tools, distilled, rng)]
    if defect and (case := plant(defect, exchanges[-1].case(tools, rng).episode, rng)):
        messages[-3:] = [_assistant(case.cot, case.answer)]
    else:
        defect = None
    turns = sum(message["role"] == "assistant" for message in messages)
    labels = [{"id": f"{name}@{turn}", "defect": None, "check": None} for turn in range(turns)]
    labels[-1] |= {"defect": defect, "check": CAUGHT_BY[defect] if defect else None}
    shown = json.dumps([tool.xlam() for tool in tools], ensure_ascii=False)
    return {"id": name, "tools": shown, "messages": messages}, labels


def _exchanges(wanted: list[ToyTool], count: int, rng: Random) -> Iterator[Exchange]:
    before = None
    for _ in range(count):
        again = before and rng.random() < AGAIN_FRACTION
        query, step = _changed(before.step, rng) if again else _fresh(rng.choice(wanted), before, rng)
        before = Exchange(query, step, str(sample_value("code", rng, False).value))
        yield before


def _fresh(tool: ToyTool, before: Exchange | None, rng: Random) -> tuple[str, ToyCall]:
    """A request of the pool's split; a code in it may be the reference of the exchange before."""
    while True:
        step = sample_step(tool, rng, True)
        if before and rng.random() < 0.5:
            earlier = Value("that reference", before.reference, converted=True, wording="with {}")
            step = replace(
                step, arguments=tuple((slot, earlier if slot == "code" else value) for slot, value in step.arguments)
            )
        query = as_sentence(request([step], rng), rng)
        if split_of(query) == "pool":
            return query, step


def _changed(step: ToyCall, rng: Random) -> tuple[str, ToyCall]:
    """The same call with one other value, which is all that the user says."""
    at = rng.randrange(len(step.arguments))
    slot, value = step.arguments[at]
    other = replace(changed_value(slot, value, rng), wording=sample_value(slot, rng, False).wording)
    arguments = (*step.arguments[:at], (slot, other), *step.arguments[at + 1 :])
    return rng.choice(AGAIN).format(other.phrase), replace(step, arguments=arguments)


def _messages(exchange: Exchange, tools: tuple[ToyTool, ...], distilled: bool, rng: Random) -> Iterator[dict]:
    case, closing = exchange.case(tools, rng), rng.choice(TOLD).format(exchange.reference)
    yield {"role": "user", "content": exchange.query}
    yield _assistant(case.cot if distilled else None, case.answer)
    yield {"role": "tool", "content": json.dumps({"status": "done", "reference": exchange.reference})}
    yield _assistant(THOUGHT.format(exchange.reference) if distilled else None, closing)


def _assistant(cot: str | None, answer: str) -> dict:
    return {"role": "assistant", "content": join_completion(cot, answer)}
