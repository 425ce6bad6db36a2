"""The prompts of the project: each is a template file in this folder, filled in here.

The `{name}` placeholders of a template are filled in one pass, so that braces in untrusted text (a query, a tool
description, a model's reasoning) are never read as placeholders.
"""

import json
import re
from functools import cache
from importlib import resources
from typing import Any

from funreason.calls import to_bfcl
from funreason.core.errors import DataError
from funreason.core.paths import CHECKS

_TAGS = r"(?=/?(?:judge|NewFC|think|tools|query|reasoning|answer)\b)"
_TAG = re.compile(f"<{_TAGS}", re.IGNORECASE)
_FENCED_TAG = re.compile(f"&lt;{_TAGS}", re.IGNORECASE)


@cache
def template(name: str) -> str:
    """The text of `<name>.txt`, without the newline that ends the file."""
    return resources.files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8").removesuffix("\n")


def fill(name: str, **values: str) -> str:
    """Fill in a template.

    Args:
        name: The name of the template file, without its ending.
        **values: The text for each placeholder `{key}`.
    """
    return re.sub(r"\{(\w+)\}", lambda placeholder: values[placeholder[1]], template(name))


def tools_text(functions: list[dict[str, Any]]) -> str:
    """Functions in BFCL's form as the text of a prompt."""
    return json.dumps(functions, indent=4)


def calling_prompt(functions: list[dict[str, Any]]) -> str:
    """BFCL v4's default system prompt of its prompt mode, byte for byte, over functions in BFCL's form."""
    return fill("calling", tools=tools_text(functions)) + "\n"


def split_calling_prompt(prompt: str) -> tuple[list[dict[str, Any]], str]:
    """The functions that a text beginning with a calling prompt lists, and the text after that prompt.

    Raises:
        DataError: The text does not begin with a calling prompt.
    """
    before, _, after = template("calling").partition("{tools}")
    try:
        if not prompt.startswith(before):
            raise ValueError("it begins otherwise")
        functions, end = json.JSONDecoder().raw_decode(prompt, len(before))
    except ValueError as error:
        raise DataError(f"{prompt!r:.80} is not a calling prompt ({error}); rerun the stage that wrote it") from None
    return functions, prompt[end:].removeprefix(after).strip()


def calling_messages(query: str, tools: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The chat that asks for calls.

    Args:
        query: The message of the user.
        tools: The tools that may be called, in xLAM's or BFCL's form.

    Returns:
        BFCL's system prompt and the query, each {"role", "content"}.
    """
    system = calling_prompt([to_bfcl(tool) for tool in tools])
    return [{"role": "system", "content": system}, {"role": "user", "content": query}]


def judge_messages(
    check: str, *, query: str, tools: list[dict[str, Any]], cot: str, answer: str, examples: int = 0
) -> list[dict[str, str]]:
    """The chat that asks a judge for the verdict of a check (FunReason's FCDR, see docs/method.md).

    Args:
        check: One of `CHECKS`.
        query: The query, or the transcript of a conversation.
        tools: The tools that may be called, in xLAM's or BFCL's form.
        cot: The reasoning.
        answer: The answer.
        examples: How many worked examples of the check go before the question, each a turn: first a False, then a True.

    Raises:
        ValueError: There is no such check.
    """
    if check not in CHECKS:
        raise ValueError(f"no check named {check!r}: allowed are {', '.join(CHECKS)}")
    chat: list[dict[str, str]] = []
    for example in worked_examples(check)[:examples]:
        texts = {name: example[name] for name in ("query", "tools", "cot", "answer")}
        chat += [_judged(check, **texts), {"role": "assistant", "content": example["reply"]}]
    return [*chat, _judged(check, query=query, tools=tools, cot=cot, answer=answer)]


def _judged(check: str, query: str, tools: list[dict[str, Any]], cot: str, answer: str) -> dict[str, str]:
    shown = tools_text([to_bfcl(tool) for tool in tools])
    texts = {"query": query, "tools": shown, "cot": cot, "answer": answer}
    content = fill(f"judge_{check}", **{name: fenced(text) for name, text in texts.items()})
    return {"role": "user", "content": content}


def fenced(text: str) -> str:
    """The text with its tags escaped, so that it cannot end its fence, and a judge that quotes it gives no verdict."""
    return _TAG.sub("&lt;", text)


def unfenced(text: str) -> str:
    """The text with the tags that `fenced` escaped."""
    return _FENCED_TAG.sub("<", text)


@cache
def worked_examples(check: str) -> list[dict[str, Any]]:
    """The worked examples of a check, each {"query", "tools", "cot", "answer", "reply"}, for few-shot prompts."""
    return json.loads(resources.files(__name__).joinpath(f"judge_{check}.json").read_text(encoding="utf-8"))


def code_messages(prompt: str) -> list[dict[str, str]]:
    """The chat that asks for a Python function in HumanEval's form (signature and docstring)."""
    return [{"role": "user", "content": fill("code", prompt=prompt)}]
