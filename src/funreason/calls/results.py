"""Results of calls in a chat: messages of role `tool`, or of the user where a chat template does not know that role.

Both are BFCL's conventions in its prompt mode. A model that BFCL runs itself gets `tool` messages through its own chat
template; a model behind an API gets one message of the user that lists the results.
"""

from typing import Any

from funreason.calls.marks import escaped
from funreason.calls.parser import CallSyntaxError, parse
from funreason.calls.text import render
from funreason.core.errors import DataError
from funreason.srml.template import ChatTemplate

Message = dict[str, Any]  # {"role", "content"}

_KEYS = ("role", "content", "name")


def for_template(messages: list[Message], tokenizer: Any) -> list[Message]:
    """The messages in a form that the tokenizer's chat template can show.

    Args:
        messages: A chat, with or without a system message and messages of role `tool`.
        tokenizer: A tokenizer of Transformers with a chat template.

    Returns:
        Results as the user's where the template shows none (see `results_as_user`), and then what
        `funreason.srml.template.ChatTemplate.fit` makes of it: the system message may be in front of the first query.
    """
    template = ChatTemplate.of(tokenizer)
    has_results = any(message["role"] == "tool" for message in messages)
    return template.fit(results_as_user(messages) if has_results and not template.shows_tool_results else messages)


def for_server(messages: list[Message]) -> list[Message]:
    """The messages as a server gets them, which renders and tokenises them itself.

    Results are the user's: for a `tool` message many servers want the id of a call that they made. What texts spell of
    control tokens is escaped, since a server would take `<|im_end|>` in a query for the end of the turn.
    """
    return [
        {
            key: escaped(value, written_by_model=message["role"] == "assistant") if key == "content" else value
            for key, value in message.items()
            if key in _KEYS
        }
        for message in results_as_user(messages)
    ]


def results_as_user(messages: list[Message]) -> list[Message]:
    """Each run of results as one message of the user, as BFCL writes it: the repr of a list of `tool` messages."""
    out: list[Message] = []
    results: list[str] = []
    for message in [*messages, None]:
        if message and message["role"] == "tool":
            results.append(message["content"])
            continue
        if results:
            out.append({"role": "user", "content": repr(_named_results(out[-1]["content"], results))})
            results = []
        out += [message] if message else []
    return out


def _named_results(answer: str, results: list[str]) -> list[Message]:
    """The results, each with the text of its call where there are as many calls as results."""
    try:
        calls = [render([call])[1:-1] for call in parse(answer)]
    except (CallSyntaxError, DataError):
        calls = []
    if len(calls) != len(results):
        return [{"role": "tool", "content": content} for content in results]
    return [{"role": "tool", "name": call, "content": content} for call, content in zip(calls, results, strict=True)]
