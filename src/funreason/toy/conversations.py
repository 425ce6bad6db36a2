"""Conversations in the toy world, for a multi-turn source; the toy models have not seen any.

An exchange: the user asks, the assistant calls, the tool gives a reference, the assistant tells it. Later ones ask for
the same with one other value ("And in Oslo?"), or for another thing, perhaps about a reference that was told. Half of
the conversations are distilled; the last call of some of these has a planted defect, and ends them.
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
from funreason.toy.episodes import Episode, Step, candidates, opened, request, sample_step
from funreason.toy.slots import Value, sample_value
from funreason.toy.tools import ToyTool

DISTILLED_SHARE = 0.5
AGAIN_SHARE = 0.5
AGAIN = ("And {}?", "What about {}?", "The same {}, please.")
TOLD = ("It is done, the reference is {}.", "That worked, your reference is {}.")
THOUGHT = "The result is there. I tell the reference {}."
# Defects of a response; those of a query would have to be in all that follows it.
PLANTED = [name for name, check in CAUGHT_BY.items() if check != "query_tool"]


@dataclass(frozen=True)
class Exchange:
    """One request of the user: its call, and the reference that the tool gives for it."""

    query: str
    step: Step
    reference: str

    def case(self, tools: tuple[ToyTool, ...], rng: Random) -> Case:
        return clean(Episode("multiple", self.query, tools, (self.step,)), rng)


def write_conversations(folder: Path, seed: int, rows: int, planted_fraction: float) -> None:
    """Write `rows` conversations and a label for each of their turns. Bytes depend on the arguments alone."""
    rng = Random(f"dialogs/{seed}")  # part of the random stream: another text would give other conversations
    drawn = [conversation(f"dialog-{number}", planted_fraction, rng) for number in range(rows)]
    write_jsonl(folder / "conversations.jsonl", (row for row, _ in drawn))
    write_jsonl(folder / "conversations_labels.jsonl", (label for _, labels in drawn for label in labels))


def conversation(name: str, planted_fraction: float, rng: Random) -> tuple[dict, list[dict]]:
    """(row with `messages`, label of each turn) of one conversation."""
    pool = toolbox(rng)
    wanted = rng.sample(pool, 2)
    tools = candidates(wanted, pool, rng.randint(2, 4), rng)
    exchanges = list(_exchanges(wanted, rng.randint(2, 4), rng))
    distilled = rng.random() < DISTILLED_SHARE
    defect = rng.choice(PLANTED) if distilled and rng.random() < planted_fraction else None
    messages = [message for exchange in exchanges for message in _messages(exchange, tools, distilled, rng)]
    if defect and (case := plant(defect, exchanges[-1].case(tools, rng).episode, rng)):
        messages[-3:] = [_assistant(case.cot, case.answer)]
    else:
        defect = None
    turns = sum(message["role"] == "assistant" for message in messages)
    labels = [{"id": f"{name}@{turn}", "defect": None, "check": None} for turn in range(turns)]
    labels[-1] |= {"defect": defect, "check": CAUGHT_BY.get(defect)}
    shown = json.dumps([tool.xlam() for tool in tools], ensure_ascii=False)
    return {"id": name, "tools": shown, "messages": messages}, labels


def _exchanges(wanted: list[ToyTool], count: int, rng: Random) -> Iterator[Exchange]:
    before = None
    for _ in range(count):
        again = before and rng.random() < AGAIN_SHARE
        query, step = _changed(before.step, rng) if again else _fresh(rng.choice(wanted), before, rng)
        before = Exchange(query, step, sample_value("code", rng, False).value)
        yield before


def _fresh(tool: ToyTool, before: Exchange | None, rng: Random) -> tuple[str, Step]:
    """A request of the pool's split; a code in it may be the reference that was told last."""
    while True:
        step = sample_step(tool, rng, True)
        if before and rng.random() < 0.5:
            that = Value("that reference", before.reference, converted=True, wording="with {}")
            step = replace(step, given=tuple((slot, that if slot == "code" else value) for slot, value in step.given))
        query = opened(request([step], rng), rng)
        if split_of(query) == "pool":
            return query, step


def _changed(step: Step, rng: Random) -> tuple[str, Step]:
    """The same call with one other value, which is all that the user says."""
    at = rng.randrange(len(step.given))
    slot, value = step.given[at]
    other = replace(changed_value(slot, value, rng), wording=sample_value(slot, rng, False).wording)
    given = (*step.given[:at], (slot, other), *step.given[at + 1 :])
    return rng.choice(AGAIN).format(other.phrase), replace(step, given=given)


def _messages(exchange: Exchange, tools: tuple[ToyTool, ...], distilled: bool, rng: Random) -> Iterator[dict]:
    case, told = exchange.case(tools, rng), rng.choice(TOLD).format(exchange.reference)
    yield {"role": "user", "content": exchange.query}
    yield _assistant(case.cot if distilled else None, case.answer)
    yield {"role": "tool", "content": json.dumps({"status": "done", "reference": exchange.reference})}
    yield _assistant(THOUGHT.format(exchange.reference) if distilled else None, told)


def _assistant(cot: str | None, answer: str) -> dict:
    return {"role": "assistant", "content": join_completion(cot, answer)}
