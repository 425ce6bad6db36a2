"""Messages → one task per turn of the assistant.

A turn is what the assistant says at once. Its calls are its answer; a text beside calls is left out and counted, since
the calling prompt allows none. A message that cannot be read costs its turn and all later ones, which would have it in
their context, not the turns before it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from funreason.calls import render
from funreason.core.errors import DataError
from funreason.core.records import Task
from funreason.data.fields import BadRow
from funreason.data.messages import Message

AFTER = "after a turn that was left out"
_TAGS = ("<think>", "</think>")  # of a completion: a reasoning cannot hold them


@dataclass
class Turns:
    """The tasks of a conversation.

    Attributes:
        tasks: One per turn that can be learned from, in order.
        left_out: How many turns are left out, by reason.
        texts: How many turns had a text beside their calls, which is left out.
    """

    tasks: list[Task] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    texts: int = 0


def turn_tasks(row_id: str, tools: list[dict[str, Any]], messages: list[Message], only_last: bool) -> Turns:
    """The turns of a conversation as tasks.

    Args:
        row_id: The id of the row. The tasks are `<id>@<turn>`, with the number of the turn in the conversation.
        tools: The tools, read.
        messages: The messages as published, read.
        only_last: Whether only the last turn is to be learned, as the task `<id>`: the row is one turn of a longer
            conversation, and the turns before it have rows of their own.

    Raises:
        BadRow: No turn can be learned from.
    """
    turns = _checked(_joined(messages))
    out, context = Turns(), _Context()
    number, last = -1, max((at for at, one in enumerate(turns) if one.role == "assistant"), default=-1)
    reason = "no turn: the assistant says nothing"
    for at, message in enumerate(turns):
        if message.role == "assistant":
            number += 1
            problem = AFTER if context.lost else message.problem or context.problem()
            if problem:
                out.left_out[problem.partition(":")[0]] += 1
                reason = context.lost or problem
            elif at == last or not only_last:
                task_id = row_id if only_last else f"{row_id}@{number}"
                out.tasks.append(_task(task_id, tools, message, context))
                out.texts += bool(message.calls and message.text)
        context.add(message)
    if not out.tasks:
        kind, _, detail = reason.partition(": ")
        raise BadRow(kind, detail)
    return out


class _Context:
    """The messages before a turn, as the model sees them."""

    def __init__(self) -> None:
        self.system = ""
        self.before: list[dict[str, str]] = []  # the messages before the user's last one
        self.query: str | None = None
        self.steps: list[dict[str, str]] = []
        self.lost: str | None = None  # why later turns cannot be learned from
        self._unanswered = False

    def problem(self) -> str | None:
        """Why the next turn cannot be learned from, whatever it is."""
        if self.query is None:
            return "no query before it"
        return "states the result of a call that has none" if self._unanswered else None

    def history(self) -> list[dict[str, str]]:
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, *self.before]

    def add(self, message: Message) -> None:
        if message.lost:
            self.lost = self.lost or message.problem or AFTER
        self._unanswered = bool(message.calls)
        if message.role == "system":
            self.system = "\n\n".join(filter(None, (self.system, message.text)))
        elif message.role == "user":
            if self.query is not None:
                self.before.append({"role": "user", "content": self.query})
            self.before += [{"role": step["role"], "content": step["content"]} for step in self.steps]
            self.query, self.steps = message.text, []
        else:
            self.steps.append(_shown(message))


def _task(task_id: str, tools: list[dict[str, Any]], message: Message, context: _Context) -> Task:
    response = None
    if message.reasoning:
        answer = message.written or _content(message)
        response = {"cot": message.reasoning, "answer": answer}
    return Task(
        id=task_id,
        query=context.query or "",
        tools=tools,
        answers=message.calls,
        response=response,
        history=context.history(),
        steps=list(context.steps),
    )


def _shown(message: Message) -> dict[str, str]:
    shown = {"role": message.role, "content": _content(message)}
    return shown | {"reasoning": message.reasoning} if message.reasoning else shown


def _content(message: Message) -> str:
    """A message as later turns see it: calls well-formed, without the text beside them."""
    if message.lost:
        return ""
    return render(message.calls) if message.calls or message.none else message.text


def _joined(messages: list[Message]) -> Iterator[Message]:
    """The messages, those that are one turn joined: a text and then calls, calls and calls, texts of one role."""
    pending: Message | None = None
    for message in messages:
        if pending and _one_turn(pending, message):
            pending = _both(pending, message)
            continue
        if pending:
            yield pending
        pending = message
    if pending:
        yield pending


def _one_turn(first: Message, second: Message) -> bool:
    if first.role != second.role or first.role not in ("user", "assistant") or first.problem or second.problem:
        return False
    if first.lost or second.lost:
        return False
    return not first.calls or bool(second.calls)


def _both(first: Message, second: Message) -> Message:
    text = "\n\n".join(filter(None, (first.text, second.text)))
    reasoning = "\n\n".join(filter(None, (first.reasoning, second.reasoning))) or None
    calls = first.calls + second.calls
    written = None if first.calls else second.written
    return replace(second, text=text, calls=calls, none=second.none and not text, reasoning=reasoning, written=written)


def _checked(messages: Iterator[Message]) -> list[Message]:
    """The messages; those that cannot be written, and turns whose calls cannot be read, as such."""
    out: list[Message] = []
    for message in messages:
        if not message.lost:
            message = _writable(message)
        before = out[-1] if out else None
        if message.role == "tool" and not (before and (before.role == "tool" or before.calls)):
            follows = f"{before.role} {before.text!r:.80}" if before else "nothing"
            problem = f"result without a call: {message.text!r:.80} follows {follows}"
            if before and before.role == "assistant" and not before.lost:
                out[-1] = replace(before, problem=problem, lost=True)
            message = replace(message, problem=problem, lost=True)
        out.append(message)
    return out


def _writable(message: Message) -> Message:
    try:
        render(message.calls)
        f"{message.text}{message.reasoning}".encode()
    except (DataError, UnicodeEncodeError, RecursionError) as error:
        return replace(message, problem=message.problem or f"unwritable value: {error}", lost=True)
    if message.reasoning and any(tag in message.reasoning for tag in _TAGS):
        return replace(message, problem="unreadable reasoning: it holds tags of a reasoning")
    return message
