"""BFCL over several turns, round by round: the model answers here, its calls are executed in the sandbox.

The turns, the simulated APIs and what the model is told of them are BFCL's own (drivers/bfcl_turns.py). A round is one
answer to every conversation that is not over, all asked together, so that the engine is full; then all of them are
replayed up to the next question. Only the answers carry from round to round, and those are in the response cache: a run
that was killed goes on where it stopped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import BaseModel, ValidationError

from funreason.evaluate.answers import ask, too_long, without_reasoning
from funreason.evaluate.bfcl import ENVIRONMENTS, Answer, failures
from funreason.llm import Client, Response
from funreason.sandbox.scorer import DriverDied, drive_rows, in_turn, scorer_python

REPLAY_S = 11  # more than the driver gives one conversation
NO_ROOM = "too_long: the conversation leaves no room for an answer; llm.max_model_len bounds both"


@dataclass(frozen=True)
class Talk:
    """A conversation: the answers so far and the chat, at first with what is to be answered next.

    It is over when `turns` has its answers turn by turn, or when `error` says why it has no end.
    """

    suite: str
    category: str
    id: str
    messages: list[dict]
    answers: tuple[str, ...] = ()
    turns: list[list[str]] = field(default_factory=list)
    error: str = ""

    @property
    def over(self) -> bool:
        return bool(self.turns or self.error)


@dataclass(frozen=True)
class ScoredTalk:
    """A conversation with the official verdict: what was scored, turn by turn; the chat without its system prompt."""

    suite: str
    category: str
    id: str
    turns: list[list[str]]
    messages: list[dict]
    correct: bool
    error: str


@dataclass(frozen=True)
class Apis:
    """BFCL's loop and simulated APIs in the sandbox: its release, the sandbox's mode, and the role of results.

    `tool_role`: tool (a message for each call, as BFCL's handlers of local models), user (one message, as of APIs).
    """

    version: str
    mode: str
    tool_role: str

    def start(self, suite: str, categories: Iterable[str], limit: int | None) -> list[Talk]:
        """The first `limit` conversations of each category (None: all), at their first question."""
        categories = list(categories)
        rows, death = self._driven({"categories": categories, "limit": limit}, count=200 * len(categories))
        if death:
            raise death
        return [Talk(suite, row["id"].rpartition("_")[0], row["id"], row["messages"]) for row in rows]

    def carry_on(self, talks: Sequence[Talk]) -> list[Talk]:
        """The conversations at their next question, or at their end; in order. One that ends the driver has failed."""

        def call(part: Sequence[Talk]) -> tuple[list[dict], DriverDied | None]:
            said = [(talk.id, talk.answers, len(talk.messages)) for talk in part]
            return self._driven({"talks": said}, len(part))

        rows = in_turn(call, talks, lambda talk: {"failed": "ended the simulated APIs"})
        return [_after(talk, row) for talk, row in zip(talks, rows, strict=True)]

    def _driven(self, request: dict, count: int) -> tuple[list[dict], DriverDied | None]:
        python = scorer_python(ENVIRONMENTS[self.version])
        limits = {"mode": self.mode, "timeout_s": 60 + REPLAY_S * count}
        return drive_rows("bfcl_turns.py", python, request | {"tool_role": self.tool_role}, **limits)


def converse(client: Client, talks: Sequence[Talk], apis: Apis, desc: str) -> list[Talk]:
    """Lead all conversations, of different ids, to their end; in order."""
    stand, step = {talk.id: talk for talk in talks}, 0
    while waiting := [talk for talk in stand.values() if not talk.over]:
        step += 1
        responses = ask(client, [talk.messages for talk in waiting], f"{desc}, answer {step}")
        answered = [_answered(talk, response) for talk, response in zip(waiting, responses, strict=True)]
        stand |= {talk.id: talk for talk in answered}
        stand |= {talk.id: talk for talk in apis.carry_on([talk for talk in answered if not talk.over])}
    return list(stand.values())


def score(talks: Sequence[Talk], mode: str, version: str) -> list[ScoredTalk]:
    """The official verdict on each conversation, in order; one without an end is wrong."""
    ended = [talk for talk in talks if not talk.error]
    answers = [Answer(talk.suite, talk.category, talk.id, talk.turns) for talk in ended]
    wrong = failures(answers, {talk.suite: None for talk in ended}, mode, version)
    errors = [talk.error or wrong.get((talk.suite, talk.category, talk.id), "") for talk in talks]
    return [
        ScoredTalk(
            talk.suite, talk.category, talk.id, talk.turns, [m for m in talk.messages if m["role"] != "system"],
            not error, error,
        )
        for talk, error in zip(talks, errors, strict=True)
    ]  # fmt: skip


def no_room(talk: Talk) -> bool:
    """Whether the conversation grew over what the model can read."""
    return talk.error == NO_ROOM


def _answered(talk: Talk, response: Response) -> Talk:
    """Reasoning goes neither into the chat nor to the scorer, as in BFCL's handlers of reasoning models."""
    if too_long(response):
        return replace(talk, error=NO_ROOM)
    return replace(talk, answers=(*talk.answers, without_reasoning(response.text)))


class _Message(BaseModel):
    role: Literal["system", "user", "assistant", "tool"]
    name: str | None = None  # of a result: the call
    content: str


class _Step(BaseModel):
    """What the driver says of a conversation."""

    messages: list[_Message] = []
    result: list[list[str]] = []
    failed: str = ""


def _after(talk: Talk, row: dict) -> Talk:
    """Where the driver says that the conversation stands. An answer that was executed may have had a say in this."""
    try:
        step = _Step.model_validate(row)
    except ValidationError:
        step = _Step(failed="the simulated APIs said something else")
    more = [message.model_dump(exclude_none=True) for message in step.messages]
    chat, answers = [*talk.messages, *more], list(talk.answers)
    scored = [answer for turn in step.result for answer in turn] or answers
    if not step.failed and not _said(chat) == scored == answers:
        step = _Step(failed="the simulated APIs told of another conversation")
    if step.failed:
        unseen = [{"role": "assistant", "content": text} for text in answers[len(_said(talk.messages)) :]]
        return replace(talk, messages=[*talk.messages, *unseen], error=step.failed)
    return replace(talk, messages=chat, turns=step.result)


def _said(chat: list[dict]) -> list[str]:
    return [message["content"] for message in chat if message["role"] == "assistant"]
