"""BFCL v4's memory: conversations fill a memory one after another, then questions are asked over what it holds.

A conversation starts with the memory that the one before left. So the chains of the scenarios are led side by side, and
when all memories are filled, all questions together. The vector store has an environment of its own, since it needs
torch and a model. A run that was killed goes on from the response cache.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from funreason.evaluate import DRIVERS
from funreason.evaluate.bfcl import ENVIRONMENTS
from funreason.evaluate.bfcl_turns import REPLAY_S, Conversation, after_reply, run_conversations
from funreason.llm import Client
from funreason.sandbox.scorer import ScorerDied, run_each, run_scorer_lines, scorer_files, scorer_python

MAX_CHARS = 1 << 20  # of a memory; the official stores hold a tenth of it
VECTOR = "memory_vector"
VECTOR_ENVIRONMENT = ".venv-bfcl-vector"
_MEMORY_MB = {ENVIRONMENTS["v4"]: 2048, VECTOR_ENVIRONMENT: 8192}  # torch reserves much more than it holds


@dataclass(frozen=True)
class MemoryConversation(Conversation):
    """A conversation over a memory.

    Attributes:
        after: ids of the conversations that fill the memory before, in order.
        memory: the contents at its start, None for an empty one.
        left: the contents at its end, where it fills the memory.
    """

    after: tuple[str, ...] = ()
    memory: dict | None = None
    left: dict | None = None


@dataclass(frozen=True)
class Memories:
    """BFCL's loop and memories in the sandbox.

    Attributes:
        mode: of the sandbox.
        tool_role: how results come back, see `bfcl_turns.SimulatedApis`.
    """

    mode: str
    tool_role: str

    def start(self, suite: str, categories: Iterable[str], limit: int | None) -> list[MemoryConversation]:
        """All conversations of the first `limit` questions of each category (None: all), unasked, in BFCL's order."""
        if not (names := list(categories)):
            return []
        if VECTOR in names:
            scorer_python(VECTOR_ENVIRONMENT)  # missing, it should not cost a generation
        rows, death = self._run({"categories": names, "limit": limit}, 0, ENVIRONMENTS["v4"])
        if death:
            raise death
        return [
            MemoryConversation(suite, _category(row["id"]), row["id"], [], after=tuple(row["after"])) for row in rows
        ]

    def advance(self, conversations: Sequence[MemoryConversation]) -> list[MemoryConversation]:
        """The conversations at their next question, or at their end; in order."""

        advanced: dict[str, MemoryConversation] = {}
        for environment in (ENVIRONMENTS["v4"], VECTOR_ENVIRONMENT):
            part = [each for each in conversations if (each.category == VECTOR) == (environment == VECTOR_ENVIRONMENT)]
            advanced |= {each.id: each for each in self._advance(part, environment)}
        return [advanced[each.id] for each in conversations]

    def _advance(self, conversations: Sequence[MemoryConversation], environment: str) -> list[MemoryConversation]:
        def call(part: Sequence[MemoryConversation]) -> tuple[list[dict], ScorerDied | None]:
            so_far = [(each.id, each.answers, len(each.messages), each.memory) for each in part]
            return self._run({"conversations": so_far}, len(part), environment)

        rows = run_each(call, conversations, lambda _: {"failed": "ended the simulated APIs"}) if conversations else []
        return [_advanced(*pair) for pair in zip(conversations, rows, strict=True)]

    def _run(self, request: dict, count: int, environment: str) -> tuple[list[dict], ScorerDied | None]:
        return run_scorer_lines(
            DRIVERS / "bfcl_memory.py",
            scorer_python(environment),
            request | {"tool_role": self.tool_role},
            mode=self.mode,
            timeout_s=120 + 2 * REPLAY_S * count,
            memory_mb=_MEMORY_MB[environment],
            hidden=[scorer_files(environment, "bfcl_eval/data/possible_answer")],
        )


def run(
    client: Client, conversations: Sequence[MemoryConversation], memories: Memories, desc: str
) -> list[MemoryConversation]:
    """Lead all conversations: first those that fill memories, each after the one before, then the questions.

    Args:
        client: of the model under test.
        conversations: as from `Memories.start`.
        memories: answer the model's calls.
        desc: shown beside the progress.

    Returns:
        The questions alone, over, in order. One that failed to be filled leaves the memory as it was, as in BFCL.
    """
    held: dict[tuple[str, ...], dict | None] = {(): None}  # the memory after a chain of conversations
    questions = [each for each in conversations if not _fills(each)]
    filling = [each for each in conversations if _fills(each)]
    for step in sorted({len(each.after) for each in filling}):
        opened = [replace(each, memory=held.get(each.after)) for each in filling if len(each.after) == step]
        for each in run_conversations(client, memories.advance(opened), memories, f"{desc}, memory {step + 1}"):
            held[(*each.after, each.id)] = each.left if each.left is not None else each.memory
    opened = [replace(each, memory=held.get(each.after)) for each in questions]
    return run_conversations(client, memories.advance(opened), memories, f"{desc}, questions")


def _fills(conversation: Conversation) -> bool:
    return "_prereq_" in conversation.id


def _category(name: str) -> str:
    return name.rpartition("_")[0].removesuffix("_prereq")


def _advanced(conversation: MemoryConversation, row: dict) -> MemoryConversation:
    """The conversation after the driver's reply; a memory that is not a small object counts as none."""
    memory = row.pop("memory", None) if isinstance(row, dict) else None
    small = isinstance(memory, dict) and len(str(memory)) <= MAX_CHARS
    return replace(after_reply(conversation, row), left=memory if small else None)
