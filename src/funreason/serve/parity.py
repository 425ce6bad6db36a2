"""Proof that a server asks a model with the tokens that it was trained on: row by row, token by token.

A row is rendered twice: as the trainer does (`funreason.srml`), and, turned into the request of a client, as a server
does. The first difference gets a name, so that one knows what to mend.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from funreason.calls.results import for_template
from funreason.core.errors import DataError
from funreason.serve.answers import split_reasoning
from funreason.serve.conversation import REASONING
from funreason.serve.requests import ChatRequest, plain_arguments, request_of
from funreason.srml.controls import MARK
from funreason.srml.rows import UnusableRow, render
from funreason.srml.segments import IGNORED, MASKED, NAMES, label
from funreason.srml.template import REFUSALS, ChatTemplate, opens_think, unmarked

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_SHOWN = 60  # characters of each side in a message


@dataclass(frozen=True)
class Prompt:
    """A prompt as a server renders it: its text and its tokens."""

    text: str
    ids: list[int]


class Server(Protocol):
    """Renders requests as a server does."""

    def prompt(self, request: ChatRequest) -> Prompt:
        """The prompt. Raises DataError where the server refuses the request."""


@dataclass(frozen=True)
class Difference:
    """The first difference between training and serving in a row.

    Attributes:
        row: The row's id, or its number.
        kind: What differs, in words.
        token: The number of the first token that differs, from 0.
        trained: The text from there on, as trained.
        served: The same as served.
    """

    row: str
    kind: str
    token: int = 0
    trained: str = ""
    served: str = ""

    def __str__(self) -> str:
        shown = f"row {self.row}: {self.kind}"
        if not (self.trained or self.served):
            return shown
        return f"{shown}: from token {self.token} on trained with {self.trained!r}, served with {self.served!r}"


@dataclass
class Parity:
    """The result of a comparison.

    Attributes:
        rows: How many rows were compared.
        tokens: How many of their tokens are the same.
        unusable: Rows that the trainer drops, by reason.
        differences: The rows that differ.
    """

    rows: int = 0
    tokens: int = 0
    unusable: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def kinds(self) -> dict[str, int]:
        """How many rows differ, by kind."""
        out: dict[str, int] = {}
        for difference in self.differences:
            kind = difference.kind.partition(" (")[0].partition(": ")[0]
            out[kind] = out.get(kind, 0) + 1
        return dict(sorted(out.items()))


class TemplateServer:
    """A server that renders a checkpoint's chat template and tokenises the text, as vLLM, SGLang and TGI do.

    Args:
        tokenizer: The model's.
        template: The chat template; None for the tokenizer's own.
        add_special_tokens: Whether the server lets the tokenizer add special tokens to the text.
    """

    def __init__(
        self, tokenizer: "PreTrainedTokenizerBase", template: str | None = None, add_special_tokens: bool = False
    ):
        self.tokenizer, self.template, self.add_special_tokens = tokenizer, template, add_special_tokens

    def prompt(self, request: ChatRequest) -> Prompt:
        """See `Server`."""
        options: dict[str, Any] = {"tools": request.tools, "chat_template": self.template, "tokenize": False}
        messages = plain_arguments(request.messages)
        try:
            text = str(self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, **options))
        except REFUSALS as error:
            raise DataError(str(error)) from None
        return Prompt(text, self.tokenizer(text, add_special_tokens=self.add_special_tokens)["input_ids"])


def compare(
    rows: Iterable[dict[str, Any]],
    tokenizer: "PreTrainedTokenizerBase",
    server: Server,
    stops: Iterable[int] = (),
    requests: Iterable[ChatRequest] | None = None,
) -> Parity:
    """Compare rows as trained with the same rows as served.

    Args:
        rows: Training rows with messages.
        tokenizer: The model's.
        server: Renders the requests.
        stops: The tokens at which the server stops; empty where that is not known.
        requests: The request of each row; None to make them out of the rows.
    """
    out, stop = Parity(), frozenset(stops)
    pairs = ((row, request_of(row)) for row in rows) if requests is None else zip(rows, requests, strict=True)
    for number, (row, request) in enumerate(pairs):
        try:
            labelled = label(row, tokenizer, adapt_prompt=for_template)
        except UnusableRow as reason:
            out.unusable[str(reason)] = out.unusable.get(str(reason), 0) + 1
            continue
        out.rows += 1
        name = str(row.get("id", number))
        difference = _prompt_difference(name, row, labelled, tokenizer, server, request)
        difference = difference or _completion_difference(name, row, labelled, tokenizer, stop)
        if difference:
            out.differences.append(difference)
        else:
            out.tokens += len(labelled["input_ids"])
    return out


def _prompt_difference(
    name: str,
    row: dict[str, Any],
    labelled: dict[str, list[int]],
    tokenizer: "PreTrainedTokenizerBase",
    server: Server,
    request: ChatRequest,
) -> Difference | None:
    size = labelled["segment_ids"].count(MASKED)
    trained = labelled["input_ids"][:size]
    if set(labelled["labels"][:size]) != {IGNORED} or IGNORED in labelled["labels"][size:]:
        return Difference(name, "mask: it is not the prompt, and only the prompt, that is left out of the loss")
    try:
        served = server.prompt(request)
    except DataError as error:
        return Difference(name, f"refused by the server: {error}")
    if served.ids == trained:
        return None
    marked = ChatTemplate.of(tokenizer).text(for_template(row["prompt"], tokenizer))
    return _named(name, row, marked, trained, served, tokenizer)


def _completion_difference(
    name: str,
    row: dict[str, Any],
    labelled: dict[str, list[int]],
    tokenizer: "PreTrainedTokenizerBase",
    stops: frozenset[int],
) -> Difference | None:
    """Whether the server stops where the row ends, and takes the completion apart where the segments are."""
    if stops and labelled["input_ids"][-1] not in stops:
        end = tokenizer.decode(labelled["input_ids"][-1:])
        known = ", ".join(repr(tokenizer.decode([stop])) for stop in sorted(stops))
        return Difference(name, f"end of turn: trained to end with {end!r}, the server stops at {known}")
    prompt, completion, _ = render(row, tokenizer, for_template)
    reasoning, content = split_reasoning(unmarked(completion), opened=opens_think(prompt))
    has_reasoning = labelled["segment_ids"].count(1 + NAMES.index("think")) > 0
    trained, _ = split_reasoning(row["completion"][0]["content"])
    if (reasoning or "") != (trained or "") or (reasoning is not None and not has_reasoning) or not content:
        return Difference(name, "segments: the server takes another part of the answer for its reasoning")
    return None


def _named(
    name: str, row: dict[str, Any], marked: str, trained: list[int], served: Prompt, tokenizer: Any
) -> Difference:
    """The first difference with its name."""
    at = next((at for at, pair in enumerate(zip(trained, served.ids, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(trained), len(served.ids)) if at is None else at
    sides = [tokenizer.decode(ids[at : at + 40])[:_SHOWN] for ids in (trained, served.ids)]
    kind = _kind(row, marked, trained, served, tokenizer)
    return Difference(name, kind, at, *sides)


def _kind(row: dict[str, Any], marked: str, trained: list[int], served: Prompt, tokenizer: Any) -> str:
    """What differs, in words. What explains more than the place of the difference comes first."""
    text = unmarked(marked)
    if tokenizer.bos_token_id is not None:
        counts = [_leading(ids, tokenizer.bos_token_id) for ids in (trained, served.ids)]
        if counts[0] != counts[1]:
            return f"BOS: trained with {counts[0]}, served with {counts[1]} of {tokenizer.bos_token!r}"
    if MARK in marked and _without_blanks(text) == _without_blanks(served.text):
        return "control tokens: a text of the row spells some, which the server does not tokenise as text"
    if text == served.text:
        return "tokens: the text is the same, its tokens are others"
    opened = [opens_think(one) for one in (text, served.text)]
    prompt = _generation_prompt(row, tokenizer)
    common = len(os.path.commonprefix([text, served.text]))
    at_end = common >= len(text) - len(prompt) or opened[0] != opened[1]
    if at_end and _same_start(text, served.text, prompt):
        return "generation prompt: what begins the assistant's turn"
    reasoning = _reasoning(row, text, served.text)
    if reasoning:
        return reasoning
    place = _place(row, text, common)
    if _without_blanks(text) == _without_blanks(served.text):
        return f"white space in {place}"
    return place


def _leading(ids: list[int], token: int) -> int:
    return next((at for at, one in enumerate(ids) if one != token), len(ids))


def _without_blanks(text: str) -> str:
    return "".join(text.replace("\u200b", "").split())


def _generation_prompt(row: dict[str, Any], tokenizer: Any) -> str:
    """What a template writes after the last message, to begin the assistant's turn."""
    template, messages = ChatTemplate.of(tokenizer), for_template(row["prompt"], tokenizer)
    texts = [unmarked(template.text(messages, add_generation_prompt=begin)) for begin in (True, False)]
    return texts[0][len(texts[1]) :] if texts[0].startswith(texts[1]) else ""


def _same_start(text: str, served: str, prompt: str) -> bool:
    """Whether both texts are the same up to the generation prompt."""
    body = text[: len(text) - len(prompt)] if prompt else text
    return served.startswith(body.rstrip())


def _reasoning(row: dict[str, Any], text: str, served: str) -> str | None:
    """Whether the reasoning of an earlier call is in one text alone."""
    for message in row["prompt"]:
        for key in REASONING:
            given = message.get(key)
            if given and (given in text) != (given in served):
                what = "stripped" if given in text else "kept"
                return f"reasoning {what}: that of an earlier call of the conversation"
    return None


def _place(row: dict[str, Any], text: str, at: int) -> str:
    """The part of the prompt in which a character of the text is."""
    cursor = 0
    for number, message in enumerate(row["prompt"]):
        content = message["content"].strip()
        begin = text.find(content[:200], cursor)
        if begin < 0:
            continue
        if at < begin:
            if number == 0 and message["role"] == "system":
                return "system text (before the calling prompt)"
            return f"template text before message {number} ({message['role']})"
        cursor = begin + len(content)
        if at < cursor:
            return _part(message, content, at - begin, number)
    return "template text after the last message"


def _part(message: dict[str, Any], content: str, at: int, number: int) -> str:
    if message["role"] != "system":
        return f"message {number} ({message['role']})"
    begin, end = content.find("\n["), content.rfind("\n]")
    inside = 0 <= begin <= at <= end + 2
    return "tools" if inside else "system text"
