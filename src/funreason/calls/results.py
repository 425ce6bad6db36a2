"""Results of calls in a chat: messages of role `tool`, or of the user where a chat template does not know that role.

Both are BFCL's conventions of its prompt mode: models that it runs itself get `tool` messages through their own chat
template, models behind an API one message of the user that lists them.
"""

from jinja2 import TemplateError

from funreason.calls.parser import CallSyntaxError, parse
from funreason.calls.text import render
from funreason.core.errors import DataError

_PROBE = [
    {"role": "user", "content": "?"},
    {"role": "assistant", "content": "[f()]"},
    {"role": "tool", "content": "a result of f"},
]


def readable(messages: list[dict], tokenizer) -> list[dict]:
    """The messages as the tokenizer's chat template can show them; without results the same list."""
    if all(message["role"] != "tool" for message in messages) or knows_results(tokenizer):
        return messages
    return told_by_user(messages)


def knows_results(tokenizer) -> bool:
    """Whether a chat template shows messages of role `tool`: some refuse them, some leave them out."""
    try:
        return _PROBE[-1]["content"] in tokenizer.apply_chat_template(_PROBE, tokenize=False)
    except TemplateError:
        return False


def told_by_user(messages: list[dict]) -> list[dict]:
    """Each run of results as one message of the user, as BFCL writes it: the repr of a list of `tool` messages."""
    out, results = [], []
    for message in [*messages, None]:
        if message and message["role"] == "tool":
            results.append(message["content"])
            continue
        if results:
            out.append({"role": "user", "content": repr(_listed(out[-1]["content"], results))})
            results = []
        out += [message] if message else []
    return out


def _listed(answer: str, results: list[str]) -> list[dict]:
    """The results, each under the text of its call where there is one for each."""
    try:
        calls = [render([call])[1:-1] for call in parse(answer)]
    except (CallSyntaxError, DataError):
        calls = []
    if len(calls) != len(results):
        return [{"role": "tool", "content": content} for content in results]
    return [{"role": "tool", "name": call, "content": content} for call, content in zip(calls, results, strict=True)]
