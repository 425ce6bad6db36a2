"""Results of calls in a chat: messages of role `tool`, or of the user where a chat template does not know that role.

Both are BFCL's conventions in its prompt mode. A model that BFCL runs itself gets `tool` messages through its own chat
template; a model behind an API gets one message of the user that lists the results.
"""

from typing import Any

from jinja2 import TemplateError

from funreason.calls.parser import CallSyntaxError, parse
from funreason.calls.text import render
from funreason.core.errors import DataError

Message = dict[str, Any]  # {"role", "content"}

_RESULT = "a result of f"
_PROBE: list[Message] = [
    {"role": "user", "content": "?"},
    {"role": "assistant", "content": "[f()]"},
    {"role": "tool", "content": _RESULT},
]


def for_template(messages: list[Message], tokenizer: Any) -> list[Message]:
    """The messages in a form that the tokenizer's chat template can show.

    Args:
        messages: A chat, with or without messages of role `tool`.
        tokenizer: A tokenizer of Transformers with a chat template. It is not used where there are no results.

    Returns:
        The same list where the template shows results or there are none, else `results_as_user` of it.
    """
    if all(message["role"] != "tool" for message in messages) or template_shows_results(tokenizer):
        return messages
    return results_as_user(messages)


def template_shows_results(tokenizer: Any) -> bool:
    """Whether a chat template shows messages of role `tool`: some refuse them, some leave them out."""
    try:
        return _RESULT in tokenizer.apply_chat_template(_PROBE, tokenize=False)
    except TemplateError:
        return False


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
