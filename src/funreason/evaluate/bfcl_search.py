"""BFCL v4's web search: the model searches and opens pages, and its last message is to hold the expected answer.

The loop, the functions and the checker are BFCL's; the web is a tape (web_tape.py). The driver in the sandbox has no
network: where it lacks a reply it names the request, which is answered from the tape or sent, and replays again.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from funreason.evaluate import DRIVERS
from funreason.evaluate.bfcl import ENVIRONMENTS
from funreason.evaluate.bfcl_turns import REPLAY_S, Conversation, after_reply
from funreason.evaluate.web_tape import replies, require_source
from funreason.llm import Cache
from funreason.sandbox.scorer import ScorerDied, run_each, run_scorer_lines, scorer_files, scorer_python

MAX_REQUESTS = 100  # of a conversation, which has at most 20 answers
_CHUNK_CHARS = 1 << 25  # of replies that go into the sandbox at once


@dataclass(frozen=True)
class SearchConversation(Conversation):
    """A conversation over the web.

    Attributes:
        tape: {request: reply} of what it has asked so far.
        wanted: the request that it waits for.
    """

    tape: dict[str, dict] = field(default_factory=dict)
    wanted: str = ""


@dataclass(frozen=True)
class Web:
    """BFCL's loop and search functions in the sandbox, over the tape.

    Attributes:
        mode: of the sandbox.
        tool_role: how results come back, see `bfcl_turns.SimulatedApis`.
        cache: holds the tape; None for the default one.
    """

    mode: str
    tool_role: str
    cache: Cache | None = None

    def start(self, suite: str, categories: Iterable[str], limit: int | None) -> list[SearchConversation]:
        """The first `limit` conversations of each category (None: all) at their question, in BFCL's order."""
        if not (names := list(categories)):
            return []
        with self._tape() as cache:
            require_source(cache)
        rows, death = self._run({"categories": names, "limit": limit}, 100 * len(names))
        if death:
            raise death
        return [
            SearchConversation(suite, row["id"].rpartition("_")[0], row["id"], row["messages"]) for row in rows
        ]  # fmt: skip

    def advance(self, conversations: Sequence[SearchConversation]) -> list[SearchConversation]:
        """The conversations at their next question, or at their end; in order."""
        current = {each.id: each for each in conversations}
        waiting = list(conversations)
        while waiting:
            advanced = [each for part in _chunks(waiting) for each in self._replay(part)]
            current |= {each.id: each for each in advanced}
            waiting = self._answered([each for each in advanced if each.wanted])
        return list(current.values())

    def _answered(self, waiting: list[SearchConversation]) -> list[SearchConversation]:
        if not waiting:
            return []
        with self._tape() as cache:
            known = replies(cache, [each.wanted for each in waiting])
        return [replace(each, tape=each.tape | {each.wanted: known[each.wanted]}, wanted="") for each in waiting]

    def _replay(self, conversations: Sequence[SearchConversation]) -> list[SearchConversation]:
        def call(part: Sequence[SearchConversation]) -> tuple[list[dict], ScorerDied | None]:
            so_far = [(each.id, each.answers, len(each.messages), each.tape) for each in part]
            return self._run({"conversations": so_far}, len(part))

        rows = run_each(call, conversations, lambda _: {"failed": "ended the web search"})
        return [_advanced(*pair) for pair in zip(conversations, rows, strict=True)]

    def _tape(self) -> Cache:
        return Cache(self.cache.path.parent if self.cache else None)

    def _run(self, request: dict, count: int) -> tuple[list[dict], ScorerDied | None]:
        environment = ENVIRONMENTS["v4"]
        return run_scorer_lines(
            DRIVERS / "bfcl_search.py",
            scorer_python(environment),
            request | {"tool_role": self.tool_role},
            mode=self.mode,
            timeout_s=60 + 2 * REPLAY_S * count,
            hidden=[scorer_files(environment, "bfcl_eval/data/possible_answer")],
        )


def _chunks(conversations: Sequence[SearchConversation]) -> Iterator[list[SearchConversation]]:
    """Parts whose tapes are short enough to be sent together."""
    part: list[SearchConversation] = []
    size = 0
    for each in conversations:
        length = len(json.dumps(each.tape))
        if part and size + length > _CHUNK_CHARS:
            yield part
            part, size = [], 0
        part.append(each)
        size += length
    yield part


def _advanced(conversation: SearchConversation, row: dict) -> SearchConversation:
    """The conversation after the driver's reply."""
    wanted = row.pop("wanted", None) if isinstance(row, dict) else None
    if wanted is None:
        return after_reply(conversation, row)
    if len(conversation.tape) >= MAX_REQUESTS:
        return after_reply(conversation, {"failed": f"more than {MAX_REQUESTS} searches and pages"})
    if not isinstance(wanted, str) or not _is_request(wanted):
        return after_reply(conversation, {"failed": "the web search gave a reply of another form"})
    return replace(conversation, wanted=wanted)


def _is_request(text: str) -> bool:
    """Whether a text has the form of a request: the process that wrote it executes what a model writes."""
    try:
        wanted: Any = json.loads(text) if len(text) < 10_000 else None
    except ValueError:
        return False
    match wanted:
        case {"page": str(), **others} if not others:
            return True
        case {"search": {"engine": "duckduckgo", "q": _, "kl": _, **others}} if len(wanted) == 1 and not others:
            return True
    return False
