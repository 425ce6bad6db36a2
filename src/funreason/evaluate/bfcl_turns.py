"""BFCL over several turns, step by step: the model answers here, its calls are executed in the sandbox.

The turns, the simulated APIs and the texts that the model gets from them are BFCL's own (drivers/bfcl_turns.py). A step
is one answer to every conversation that is not over. All are asked together, so that the engine is full; then all are
replayed up to their next question. Only the answers are kept from step to step, and the response cache holds them: a
run that was killed goes on where it stopped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from funreason.evaluate import DRIVERS
from funreason.evaluate.answers import ask, cut, too_long, without_reasoning
from funreason.evaluate.bfcl import ENVIRONMENTS, Submission, official_failures
from funreason.evaluate.forms import CUT, form_of
from funreason.llm import Client, Response, refusal_reason
from funreason.sandbox.scorer import ScorerDied, run_each, run_scorer_lines, scorer_files, scorer_python

REPLAY_S = 11  # seconds per conversation, more than the driver gives it
NO_ROOM = "too_long: the conversation leaves no room for an answer; llm.max_model_len bounds both"


@dataclass(frozen=True)
class Conversation:
    """A conversation with its answers so far.

    Attributes:
        suite: the benchmark, see `SimulatedApis.start`.
        category: BFCL's category.
        id: BFCL's id.
        messages: the chat, up to the next question.
        answers: the model's answers so far.
        turns: the answers turn by turn, once the conversation is over.
        error: why it has no end, if it has none.
        form: cut where one of the answers ended at max_tokens; why the model wrote nothing, if so, see
            `forms.form_of`.
    """

    suite: str
    category: str
    id: str
    messages: list[dict]
    answers: tuple[str, ...] = ()
    turns: list[list[str]] = field(default_factory=list)
    error: str = ""
    form: str = ""

    @property
    def over(self) -> bool:
        """Whether there is nothing left to ask."""
        return bool(self.turns or self.error)

    @property
    def submission(self) -> Submission:
        """What the official scorer sees of it."""
        return Submission(self.suite, self.category, self.id, self.turns)


Led = TypeVar("Led", bound=Conversation)


class Apis(Protocol[Led]):
    """What answers the calls in conversations."""

    def advance(self, conversations: Sequence[Led]) -> list[Led]:
        """The conversations at their next question, or at their end; in order."""


@dataclass(frozen=True)
class ScoredConversation:
    """A conversation with the official verdict: what was scored, turn by turn; the chat without its system prompt.

    `form` as in `Conversation`.
    """

    suite: str
    category: str
    id: str
    turns: list[list[str]]
    messages: list[dict]
    correct: bool
    error: str
    form: str = ""


@dataclass(frozen=True)
class SimulatedApis:
    """BFCL's loop and simulated APIs in the sandbox.

    Attributes:
        version: of BFCL, v3 or v4.
        mode: of the sandbox.
        tool_role: how results come back. tool: a message per call, as in BFCL's handlers of local models; user: one
            message for all, as in its handlers of APIs.
    """

    version: str
    mode: str
    tool_role: str

    def start(self, suite: str, categories: Iterable[str], limit: int | None) -> list[Conversation]:
        """Conversations at their first question.

        Args:
            suite: the name that they get.
            categories: of several turns.
            limit: conversations per category, from the first; None for all.

        Returns:
            The conversations, in BFCL's order.
        """
        categories = list(categories)
        rows, death = self._run({"categories": categories, "limit": limit}, count=200 * len(categories))
        if death:
            raise death
        return [Conversation(suite, row["id"].rpartition("_")[0], row["id"], row["messages"]) for row in rows]

    def advance(self, conversations: Sequence[Conversation]) -> list[Conversation]:
        """The conversations at their next question, or at their end; in order. One that kills the driver has failed."""

        def call(part: Sequence[Conversation]) -> tuple[list[dict], ScorerDied | None]:
            so_far = [(conversation.id, conversation.answers, len(conversation.messages)) for conversation in part]
            return self._run({"conversations": so_far}, len(part))

        rows = run_each(call, conversations, lambda _: {"failed": "ended the simulated APIs"})
        return [after_reply(conversation, row) for conversation, row in zip(conversations, rows, strict=True)]

    def _run(self, request: dict, count: int) -> tuple[list[dict], ScorerDied | None]:
        return run_scorer_lines(
            DRIVERS / "bfcl_turns.py",
            scorer_python(ENVIRONMENTS[self.version]),
            request | {"tool_role": self.tool_role},
            mode=self.mode,
            timeout_s=60 + REPLAY_S * count,
            hidden=[scorer_files(ENVIRONMENTS[self.version], "bfcl_eval/data/possible_answer")],
        )


def run_conversations(client: Client, conversations: Sequence[Led], apis: Apis[Led], desc: str) -> list[Led]:
    """Lead all conversations to their end.

    Args:
        client: of the model under test.
        conversations: at their first question, all with different ids.
        apis: answer the model's calls.
        desc: shown beside the progress.

    Returns:
        The conversations, over, in order.
    """
    current, step = _by_id(conversations), 0
    while waiting := _open(current.values()):
        step += 1
        responses = ask(client, [conversation.messages for conversation in waiting], f"{desc}, answer {step}")
        answered = [_answered(*pair) for pair in zip(waiting, responses, strict=True)]
        current |= _by_id(answered)
        current |= _by_id(apis.advance(_open(answered)))
    return list(current.values())


def score(conversations: Sequence[Conversation], mode: str, version: str) -> list[ScoredConversation]:
    """Score conversations by the official scorer.

    Args:
        conversations: all over; one without an end is wrong.
        mode: of the sandbox.
        version: v3 or v4.

    Returns:
        The official verdicts, in order.
    """
    submitted = [conversation.submission for conversation in conversations if not conversation.error]
    wrong = official_failures(submitted, {submission.suite: None for submission in submitted}, mode, version)
    return [_scored(conversation, wrong.get(conversation.submission.key, "")) for conversation in conversations]


def no_room(conversation: Conversation) -> bool:
    """Whether the conversation became longer than the model can read."""
    return conversation.error == NO_ROOM


def unanswered_once(conversation: Conversation) -> bool:
    """Whether a server did not answer a request of the conversation."""
    return conversation.form not in ("", CUT) and not no_room(conversation)


def _by_id(conversations: Iterable[Led]) -> dict[str, Led]:
    return {conversation.id: conversation for conversation in conversations}


def _open(conversations: Iterable[Led]) -> list[Led]:
    return [conversation for conversation in conversations if not conversation.over]


def _scored(conversation: Conversation, failure: str) -> ScoredConversation:
    error = conversation.error or failure
    return ScoredConversation(
        suite=conversation.suite,
        category=conversation.category,
        id=conversation.id,
        turns=conversation.turns,
        messages=[message for message in conversation.messages if message["role"] != "system"],
        correct=not error,
        error=error,
        form=conversation.form,
    )


def _answered(conversation: Led, response: Response) -> Led:
    """Reasoning goes neither into the chat nor to the scorer, as in BFCL's handlers of reasoning models."""
    if too_long(response):
        return replace(conversation, error=NO_ROOM, form=form_of(response))
    if reason := refusal_reason(response):
        return replace(conversation, error=reason, form=form_of(response))
    answers = (*conversation.answers, without_reasoning(response.text))
    return replace(conversation, answers=answers, form=CUT if cut(response) else conversation.form)


class _Message(BaseModel):
    role: Literal["system", "user", "assistant", "tool"]
    name: str | None = None  # of a result: the call
    content: str


class _DriverReply(BaseModel):
    """What the driver writes about a conversation."""

    messages: list[_Message] = []
    result: list[list[str]] = []
    failed: str = ""


def after_reply(conversation: Led, row: dict) -> Led:
    """The conversation after the driver's reply, checked: an answer that was executed may have forged the reply."""
    try:
        reply = _DriverReply.model_validate(row)
    except ValidationError:
        reply = _DriverReply(failed="the simulated APIs gave a reply of another form")
    more = [message.model_dump(exclude_none=True) for message in reply.messages]
    chat, answers = [*conversation.messages, *more], list(conversation.answers)
    scored = [answer for turn in reply.result for answer in turn] or answers
    if not reply.failed and not _answers_in(chat) == scored == answers:
        reply = _DriverReply(failed="the simulated APIs replied about another conversation")
    if reply.failed:
        unseen = [{"role": "assistant", "content": text} for text in answers[len(_answers_in(conversation.messages)) :]]
        return replace(conversation, messages=[*conversation.messages, *unseen], error=reply.failed)
    return replace(conversation, messages=chat, turns=reply.result)


def _answers_in(chat: list[dict]) -> list[str]:
    return [message["content"] for message in chat if message["role"] == "assistant"]
